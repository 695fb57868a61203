import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/map', name: 'map', component: () => import('./MapPage.vue'), meta: { section: 'map', needs: 'view' } },
] satisfies RouteRecordRaw[]
