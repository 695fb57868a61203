/** Loads the wall's code and prepares its WebRTC offer while the browser is idle: it is where nearly everybody goes next. */
import { can } from '@/stores'

export function preloadWall(): void {
  if (!can('view')) return
  const idle = window.requestIdleCallback ?? ((what: () => void) => setTimeout(what, 500)) // Safari has none
  idle(() => {
    void Promise.all([import('@/pages/wall/wallEngine'), import('@/pages/wall/WallPage.vue')]).then(
      ([wall]) => wall.prepare(),
      () => undefined, // the router loads it again when it is opened, and reports the error
    )
  })
}
