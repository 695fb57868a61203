import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/logins', name: 'logins', component: () => import('./LoginsPage.vue'), meta: { section: 'devices', needs: 'register' } },
] satisfies RouteRecordRaw[]
