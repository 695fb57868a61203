/** The devices, for the pages that need them. */
import { api } from '@/api/client'
import { collection } from '@/stores/collection'
import type { Device } from '../parts/shapes'

export const devices = collection<Device>('device', () => api.get('/api/devices'), (a, b) => a.id - b.id)
