import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/plans/:tab(calendar|list|periods|figures)?', name: 'plans', component: () => import('./PlansPage.vue'), meta: { section: 'patrol', needs: 'view' } },
] satisfies RouteRecordRaw[]
