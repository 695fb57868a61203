/** The application: everything that `main.ts` does not need at once. */
import { createApp } from 'vue'
import 'element-plus/theme-chalk/base.css'
import 'element-plus/theme-chalk/dark/css-vars.css'
// What message boxes are made of: called from code, they bring no styles along.
import 'element-plus/theme-chalk/el-overlay.css'
import 'element-plus/theme-chalk/el-button.css'
import 'element-plus/theme-chalk/el-input.css'
import 'element-plus/theme-chalk/el-message.css'
import 'element-plus/theme-chalk/el-message-box.css'
import './theme/tokens.css'
import './theme/base.css'
import './theme/print.css'
import App from './App.vue'
import { i18n, setLanguage } from './i18n'
import { rememberedLanguage } from './i18n/words'
import { router } from './router'

export async function mountApp(): Promise<void> {
  await setLanguage(rememberedLanguage())
  createApp(App).use(i18n).use(router).mount('#app')
}

/** The session has ended: signing in leads back to where the user was. */
export function toSignIn(): void {
  const from = router.currentRoute.value
  if (!from.meta.open) void router.push({ path: '/sign-in', query: { from: from.fullPath } })
}
