import type { RouteRecordRaw } from 'vue-router'

const meta = { section: 'health', needs: 'read_health' } as const

export default [
  { path: '/recordings', name: 'recordings', component: () => import('./RecordingsPage.vue'), meta },
  { path: '/osd', name: 'osd', component: () => import('./OsdPage.vue'), meta },
] satisfies RouteRecordRaw[]
