import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/system/users', name: 'users', component: () => import('./UsersPage.vue'), meta: { section: 'system', needs: 'manage_users' } },
] satisfies RouteRecordRaw[]
