/** What is begun before the application is there: asking who is signed in, and making the wall's connection. */
import { askMedia, wallAnswered } from '@/pages/wall/wallEngine'
import { openWall, setVisible } from '@/pages/wall/wallState'
import { can, openSession } from '@/stores'

/** The application is not kept waiting for longer than that. */
const PATIENCE_MS = 1_500

let closed = false

/**
 * Resolves when the application may be evaluated, which keeps the page busy for long: as soon as the hub has answered what the
 * wall needs it for. On any other page, and where nobody is signed in, that is at once.
 */
export async function openEarly(address: { pathname: string; search: string }): Promise<void> {
  const { pathname } = address
  if (pathname === '/setup') return // nobody can be signed in
  const session = openSession()
  if (pathname !== '/' && pathname !== '/wall') return
  askMedia()
  const patience = new Promise<void>((resolve) => setTimeout(resolve, PATIENCE_MS))
  await Promise.race([openTheWall(session, new URLSearchParams(address.search)), patience])
}

/** There will be no application: nothing may be shown, nor pulled, behind what the page says instead. */
export function closeEarly(): void {
  closed = true
  setVisible(false)
}

async function openTheWall(session: Promise<unknown>, query: URLSearchParams): Promise<void> {
  await session
  if (closed || !can('view')) return
  openWall(Object.fromEntries(query))
  await wallAnswered()
}
