/** What the page asks of its browser: not to sleep, and to show the page when the hub is not there yet. */

/** Keeps the display on, where the browser allows it (a secure address). The browser ends it whenever the page is hidden. */
export function keepAwake(): void {
  const ask = (): void => {
    if (!document.hidden) void navigator.wakeLock?.request('screen').catch(() => undefined) // refused: low battery, or a setting
  }
  document.addEventListener('visibilitychange', ask)
  ask()
}

/**
 * Answers for the hub while it does not: a browser that is started before the hub would else show its own error, and try again
 * after minutes only. Secure addresses only; docs/operation.md says what helps on others.
 */
export function keepWorker(): void {
  navigator.serviceWorker?.register('/screen-worker.js', { scope: '/screen' }).catch((problem: unknown) => console.warn(problem))
}

/** The page's own script, as index.html names it: it changes with every version of the pages. */
export function entryOf(html: string): string | null {
  return /<script[^>]*type="module"[^>]*src="([^"]+)"/.exec(html)?.[1] ?? null
}

const RELOADED = 'screen:reloaded'

/**
 * Loads the page anew if the hub has another version of it by now. Asked when the hub was restarted: the pictures stood still
 * just then, so that nobody is disturbed. Never twice for the same version.
 */
export async function renew(): Promise<void> {
  const here = document.querySelector('script[type=module][src^="/assets/"]')?.getAttribute('src')
  const answer = await fetch('/screen', { cache: 'no-store' }).catch(() => null)
  const there = answer?.ok ? entryOf(await answer.text()) : null
  if (!here || !there || here === there || sessionStorage.getItem(RELOADED) === there) return
  sessionStorage.setItem(RELOADED, there)
  location.reload()
}
