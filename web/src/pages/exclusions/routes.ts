import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/exclusions', name: 'exclusions', component: () => import('./ExclusionsPage.vue'), meta: { section: 'health', needs: 'read_health' } },
] satisfies RouteRecordRaw[]
