import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/system/villages', name: 'villages', component: () => import('./VillagesPage.vue'), meta: { section: 'system', needs: 'view' } },
] satisfies RouteRecordRaw[]
