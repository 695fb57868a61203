import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/imports', name: 'imports', component: () => import('./ImportsPage.vue'), meta: { section: 'devices', needs: 'intake' } },
  { path: '/imports/:id(\\d+)', name: 'import', component: () => import('./ImportPage.vue'), meta: { section: 'devices', needs: 'intake' } },
] satisfies RouteRecordRaw[]
