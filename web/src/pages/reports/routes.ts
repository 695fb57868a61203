import type { RouteRecordRaw } from 'vue-router'

const meta = { section: 'health', needs: 'read_health' } as const

export default [
  { path: '/reports', name: 'reports', component: () => import('./ReportsPage.vue'), meta },
  { path: '/reports/print', name: 'reports-print', component: () => import('./PrintPage.vue'), meta },
] satisfies RouteRecordRaw[]
