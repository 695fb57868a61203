import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/device-settings',
    component: () => import('./DeviceSettingsPage.vue'),
    meta: { section: 'devices', needs: 'read_health' },
    children: [
      { path: '', name: 'device-settings', component: () => import('./ClocksPart.vue') },
      { path: 'change', name: 'device-settings-change', component: () => import('./ChangePart.vue'), meta: { needs: 'set_devices' } },
    ],
  },
] satisfies RouteRecordRaw[]
