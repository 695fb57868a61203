/**
 * Tells that the computer has slept or that its network has changed. A connection that was made before may then be dead
 * without anybody having said so: a TCP connection with an old address ends after minutes, a peer connection after 20 s.
 */

const LOOK_MS = 1_000
/** A timer that is so late was not kept waiting by a busy page: the computer slept, or the browser was frozen. */
export const GAP_MS = 5_000
/** Browsers wake the timers of a hidden page once a minute. */
const HIDDEN_GAP_MS = 90_000
/** Several signals of one change. */
const SETTLE_MS = 300

const handlers = new Set<() => void>()
let looking = false
let settling: ReturnType<typeof setTimeout> | undefined

function woken(): void {
  clearTimeout(settling)
  settling = setTimeout(() => {
    for (const handler of [...handlers]) handler()
  }, SETTLE_MS)
}

function look(): void {
  looking = true
  const page = document
  let last = Date.now() // performance.now() stands still while some systems sleep
  let wasHidden = page.hidden
  setInterval(() => {
    const gap = Date.now() - last
    if (gap > (wasHidden || page.hidden ? HIDDEN_GAP_MS : GAP_MS)) woken()
    last = Date.now()
    wasHidden = page.hidden
  }, LOOK_MS)
  window.addEventListener('online', woken)
  page.addEventListener('resume', woken)
  window.addEventListener('pageshow', (event) => event.persisted && woken())
  const { connection } = navigator as { connection?: EventTarget }
  connection?.addEventListener('change', woken)
}

/** Calls the handler after each such change; the returned function ends it. */
export function onWake(handler: () => void): () => void {
  if (!looking) look()
  handlers.add(handler)
  return () => handlers.delete(handler)
}
