import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers'
import Components from 'unplugin-vue-components/vite'
import { defineConfig } from 'vitest/config'
import { firstLoad } from './plugins/firstLoad.ts'
import { precompress } from './plugins/precompress.ts'

const hub = process.env.CAMERA_HUB_URL ?? 'http://127.0.0.1:8000'
if (process.env.VITEST) process.env.TZ = 'UTC' // tests say what a person in this zone sees, wherever they run

export default defineConfig({
  plugins: [
    vue(),
    Components({ dirs: [], dts: false, resolvers: [ElementPlusResolver()] }),
    firstLoad(['/src/app.ts', '/src/pages/wall/WallPage.vue'], 'browser-check.js'),
    precompress(),
  ],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  define: {
    __VUE_OPTIONS_API__: true, // Element Plus needs it
    __VUE_PROD_DEVTOOLS__: false,
    __VUE_I18N_FULL_INSTALL__: false,
    __VUE_I18N_LEGACY_API__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
    __INTLIFY_JIT_COMPILATION__: true, // messages are interpreted, never eval'ed: the hub's CSP forbids eval
    __INTLIFY_DROP_MESSAGE_COMPILER__: false,
  },
  build: {
    outDir: '../camera_hub/web_dist',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0, // no data: URLs
    chunkSizeWarningLimit: 900,
    rolldownOptions: {
      output: {
        codeSplitting: {
          // Few files: each one costs the browser a request, a task and a cache entry, also where nothing is transferred.
          groups: [
            { name: 'start', tags: ['$initial'], priority: 2 },
            { name: 'app', test: /\/src\/(app\.ts|pages\/wall\/WallPage\.vue)$/, priority: 1 },
          ],
        },
      },
    },
  },
  server: { port: 5173, host: '127.0.0.1', proxy: { '/api': { target: hub, ws: true } } },
  test: {
    environment: 'happy-dom',
    include: ['tests/**/*.test.ts'],
    setupFiles: ['tests/setup.ts'],
    testTimeout: 20_000, // whole pages are rendered, also on a machine that does other work
    server: { deps: { inline: ['element-plus'] } },
  },
})
