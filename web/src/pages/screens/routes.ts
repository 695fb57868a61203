import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/screens', name: 'screens', component: () => import('./ScreensPage.vue'), meta: { section: 'wall', needs: 'use_screens' } },
] satisfies RouteRecordRaw[]
