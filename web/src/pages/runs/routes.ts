import type { RouteRecordRaw } from 'vue-router'

const meta = { section: 'patrol', needs: 'read_records' } as const

export default [
  { path: '/runs', name: 'runs', component: () => import('./RunsPage.vue'), meta },
  { path: '/runs/:id(\\d+)', name: 'run', component: () => import('./RecordPage.vue'), meta },
  { path: '/runs/:id(\\d+)/print', name: 'run-print', component: () => import('./RecordPrint.vue'), meta },
] satisfies RouteRecordRaw[]
