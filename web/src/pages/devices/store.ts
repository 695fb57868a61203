/** The devices, and the cameras out of service, for the pages that need them. */
import { api } from '@/api/client'
import { collection } from '@/stores/collection'
import type { Camera, Device } from '@/api/types'

export const devices = collection<Device>('device', () => api.get('/api/devices'), (a, b) => a.id - b.id)

/** The shared list of cameras is read without the retired ones. */
export const retiredCameras = collection<Camera>(
  'camera',
  () => api.get('/api/cameras', { query: { state: 'retired' } }),
  (a, b) => a.village_id - b.village_id || a.position - b.position || a.id - b.id,
  { belongs: (camera) => camera.state === 'retired' },
)
