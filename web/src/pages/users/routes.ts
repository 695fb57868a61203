import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/system/users', name: 'users', component: () => import('./UsersPage.vue'), meta: { section: 'system', needs: 'manage_users' } },
  { path: '/system/status', name: 'status', component: () => import('./StatusPage.vue'), meta: { section: 'system', needs: 'read_system' } },
] satisfies RouteRecordRaw[]
