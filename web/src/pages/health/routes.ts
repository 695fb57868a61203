import type { RouteRecordRaw } from 'vue-router'

const meta = { section: 'health', needs: 'read_health' } as const

export default [
  { path: '/health', name: 'health', component: () => import('./HealthBoardPage.vue'), meta },
  { path: '/health/cameras', name: 'health-cameras', component: () => import('./CameraStatesPage.vue'), meta },
  { path: '/health/cameras/:id(\\d+)', name: 'health-file', component: () => import('./HealthFilePage.vue'), meta },
  { path: '/clocks', name: 'health-clocks', component: () => import('./ClocksPage.vue'), meta },
] satisfies RouteRecordRaw[]
