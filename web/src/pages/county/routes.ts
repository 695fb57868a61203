import type { RouteRecordRaw } from 'vue-router'

const meta = { section: 'health', needs: 'check_county' } as const

export default [
  { path: '/county', name: 'county', component: () => import('./CountyPage.vue'), meta },
  { path: '/county/:id(\\d+)', name: 'county-check', component: () => import('./CheckPage.vue'), meta },
] satisfies RouteRecordRaw[]
