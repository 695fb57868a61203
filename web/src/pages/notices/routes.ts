import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/system/notices', name: 'notices', component: () => import('./NoticesPage.vue'), meta: { section: 'system', needs: 'manage_system' } },
] satisfies RouteRecordRaw[]
