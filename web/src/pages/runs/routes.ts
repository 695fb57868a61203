import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/runs', name: 'runs', component: () => import('./RunsPage.vue'), meta: { section: 'patrol', needs: 'read_records' } },
] satisfies RouteRecordRaw[]
