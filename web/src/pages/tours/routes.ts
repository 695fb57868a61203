import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/tours', name: 'tours', component: () => import('./ToursPage.vue'), meta: { section: 'patrol', needs: 'view' } },
  { path: '/tours/new', name: 'tour-new', component: () => import('./EditorPage.vue'), meta: { section: 'patrol', needs: 'edit_tours' } },
  { path: '/tours/:id(\\d+)', name: 'tour-edit', component: () => import('./EditorPage.vue'), meta: { section: 'patrol', needs: 'edit_tours' } },
] satisfies RouteRecordRaw[]
