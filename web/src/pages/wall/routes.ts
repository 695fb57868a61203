import type { RouteRecordRaw } from 'vue-router'

function startTheWall(): void {
  void import('./wallEngine').then(
    (wall) => wall.start(),
    () => undefined, // the page needs the same file, and the router says what is wrong
  )
}

export default [
  { path: '/wall', name: 'wall', component: () => import('./WallPage.vue'), beforeEnter: startTheWall, meta: { section: 'wall', needs: 'view' } },
] satisfies RouteRecordRaw[]
