import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/devices', name: 'devices', component: () => import('./DevicesPage.vue'), meta: { section: 'devices', needs: 'view' } },
] satisfies RouteRecordRaw[]
