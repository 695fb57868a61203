/** The page of a screen: no application around it, since the machine behind a screen is a cheap one. */
import { createApp } from 'vue'
import '@/theme/tokens.css'
import '@/theme/base.css'
import { i18n, setLanguage } from '@/i18n'
import { rememberedLanguage } from '@/i18n/words'
import KioskPage from './KioskPage.vue'
import { keepAwake, keepWorker } from './machine'
import { openScreen } from './screenState'

export async function mountKiosk(): Promise<void> {
  await setLanguage(rememberedLanguage())
  document.documentElement.classList.add('dark')
  createApp(KioskPage).use(i18n).mount('#app')
  keepAwake()
  keepWorker()
  openScreen()
}
