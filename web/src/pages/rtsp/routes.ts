import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/system/rtsp', name: 'rtsp', component: () => import('./RtspPage.vue'), meta: { section: 'system', needs: 'manage_stream_tokens' } },
] satisfies RouteRecordRaw[]
