/** The wall is where nearly everybody goes next: its code and its offer are ready when they click. */
import { can } from '@/stores'

export function readyTheWall(): void {
  if (!can('view')) return
  const idle = window.requestIdleCallback ?? ((what: () => void) => setTimeout(what, 500)) // Safari has none
  idle(() => {
    void Promise.all([import('@/pages/wall/session'), import('@/pages/wall/WallPage.vue')]).then(
      ([wall]) => wall.prepare(),
      () => undefined, // the router loads it again when it is wanted, and says what is wrong
    )
  })
}
