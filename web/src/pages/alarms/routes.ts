import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/alarms', name: 'alarms', component: () => import('./AlarmsPage.vue'), meta: { section: 'alarms', needs: 'read_health' } },
] satisfies RouteRecordRaw[]
