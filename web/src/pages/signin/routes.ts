import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/sign-in', name: 'sign-in', component: () => import('./SignInPage.vue'), meta: { open: true } },
  { path: '/password', name: 'password', component: () => import('./PasswordPage.vue'), meta: { needs: 'self' } },
] satisfies RouteRecordRaw[]
