import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/devices', name: 'devices', component: () => import('./DevicesPage.vue'), meta: { section: 'devices', needs: 'view' } },
  { path: '/devices/add', name: 'devices-add', component: () => import('./AddPage.vue'), meta: { section: 'devices', needs: 'intake' } },
] satisfies RouteRecordRaw[]
