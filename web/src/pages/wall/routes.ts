import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/wall', name: 'wall', component: () => import('./WallPage.vue'), meta: { section: 'wall', needs: 'view' } },
] satisfies RouteRecordRaw[]
