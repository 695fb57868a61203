/** Whatever may keep a page from seeing that a key or button is let go of. */

const OF_WINDOW = ['blur', 'pagehide', 'beforeunload'] as const
const OF_DOCUMENT = ['visibilitychange', 'freeze'] as const

/** Calls `halt` when the page is hidden, left, frozen or no longer has the focus; the returned function ends that. */
export function guard(halt: () => void, page: Pick<Window, 'addEventListener' | 'removeEventListener'> = window, within: Pick<Document, 'addEventListener' | 'removeEventListener'> = document): () => void {
  for (const event of OF_WINDOW) page.addEventListener(event, halt)
  for (const event of OF_DOCUMENT) within.addEventListener(event, halt)
  return () => {
    for (const event of OF_WINDOW) page.removeEventListener(event, halt)
    for (const event of OF_DOCUMENT) within.removeEventListener(event, halt)
  }
}
