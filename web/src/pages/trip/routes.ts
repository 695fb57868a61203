import type { RouteRecordRaw } from 'vue-router'

export default [{ path: '/trip', name: 'trip', component: () => import('./TripPage.vue'), meta: { section: 'health', needs: 'read_health' } }] satisfies RouteRecordRaw[]
