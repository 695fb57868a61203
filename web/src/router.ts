/** Pages bring their own routes (`pages/<page>/routes.ts`), loaded when first visited. */
import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import type { Action } from '@/api/types'
import { can, me, openSession } from '@/stores'

declare module 'vue-router' {
  interface RouteMeta {
    /** Can be seen without signing in. */
    open?: boolean
    /** What the role must be allowed to do. */
    needs?: Action
    /** Which entry of the top bar is lit. */
    section?: 'wall' | 'map' | 'patrol' | 'alarms' | 'health' | 'devices' | 'system'
  }
}

const found = import.meta.glob<{ default: RouteRecordRaw[] }>('./pages/*/routes.ts', { eager: true })

/** Where a person begins: the wall, or the inbox for who watches nothing. */
export function home(): string {
  return !me.value || can('view') ? '/wall' : can('intake') ? '/inbox' : '/password'
}

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', redirect: () => home() },
    ...Object.values(found).flatMap((file) => file.default),
    { path: '/:rest(.*)*', name: 'missing', component: () => import('./shell/MissingPage.vue') },
  ],
})

router.beforeEach(async (to) => {
  if (to.name !== 'setup') await openSession()
  if (to.meta.open) return me.value && to.name === 'sign-in' ? '/' : true
  if (!me.value) return { path: '/sign-in', query: to.fullPath === '/' || to.fullPath === '/wall' ? {} : { from: to.fullPath } }
  if (to.meta.needs && !can(to.meta.needs)) return home() === to.path ? true : home()
  return true
})

router.onError((error, to) => {
  // After an update of the hub old chunks are gone: load the new pages instead of standing still.
  if (/dynamically imported module|Importing a module script failed/.test(String(error))) location.assign(to.fullPath)
})
