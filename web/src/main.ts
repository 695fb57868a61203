/**
 * The page's entry: small, so that the hub is asked and the wall's connection is made while the application still loads
 * (plugins/firstLoad.ts has the browser fetch its files meanwhile).
 */
import { closeEarly, openEarly } from './early'
import { rememberedLanguage, wordsOf } from './i18n/words'
import { wire } from './stores'

/** Resolves when the parser is done. The entry may run before that: there may be no #app yet, and no verdict on the browser. */
function parsed(): Promise<void> {
  if (document.readyState !== 'loading') return Promise.resolve()
  return new Promise((resolve) => document.addEventListener('DOMContentLoaded', () => resolve(), { once: true }))
}

async function open(): Promise<void> {
  await parsed()
  if ('__browserTooOld' in window) return
  if (location.pathname === '/screen') {
    // A screen is no user: it has no session, and needs nothing of the application.
    return void import('./pages/screens/kiosk/kiosk').then((kiosk) => kiosk.mountKiosk(), failed)
  }
  // Evaluating the application takes long: what is under way must not wait for it, nor it for what takes too long.
  wordsOf(rememberedLanguage()).catch(() => undefined) // the application asks again, and reports the error
  const application = openEarly(location).then(() => import('./app'))
  wire(() => void application.then((app) => app.toSignIn()))
  try {
    await (await application).mountApp()
  } catch (problem) {
    closeEarly()
    failed(problem)
  }
}

/** Files of the page could not be fetched, and so its words are missing, too. */
function failed(problem: unknown): void {
  console.error(problem)
  const note = document.createElement('p')
  note.textContent = '页面加载失败，请检查网络后刷新。The page could not be loaded: check the network and reload.'
  note.style.cssText = 'margin: 20vh 24px; text-align: center; font-family: sans-serif; color: #8f969e'
  document.getElementById('app')?.replaceChildren(note)
  if (location.pathname === '/screen') setTimeout(() => location.reload(), 10_000) // nobody stands before it to do so
}

void open()
