import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/setup', name: 'setup', component: () => import('./SetupPage.vue'), meta: { open: true } },
  { path: '/setup/villages', name: 'setup-villages', component: () => import('./FirstVillages.vue'), meta: { section: 'system', needs: 'manage_villages' } },
] satisfies RouteRecordRaw[]
