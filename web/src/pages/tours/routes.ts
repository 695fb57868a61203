import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/tours', name: 'tours', component: () => import('./ToursPage.vue'), meta: { section: 'patrol', needs: 'view' } },
] satisfies RouteRecordRaw[]
