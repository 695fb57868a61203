import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/runs', name: 'runs', component: () => import('./RunsPage.vue'), meta: { section: 'patrol', needs: 'read_records' } },
  { path: '/runs/:id(\\d+)', name: 'run', component: () => import('./RecordPage.vue'), meta: { section: 'patrol', needs: 'read_records' } },
] satisfies RouteRecordRaw[]
