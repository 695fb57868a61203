import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/ledger', name: 'ledger', component: () => import('./LedgerPage.vue'), meta: { section: 'devices', needs: 'view' } },
  { path: '/ledger/:id(\\d+)', name: 'ledger-file', component: () => import('./FilePage.vue'), meta: { section: 'devices', needs: 'view' } },
] satisfies RouteRecordRaw[]
