/** What of PTZ is asked and changed over HTTP; moves go over the WebSocket. */
import { api, type Result } from '@/api/client'
import type { Camera, Ptz } from '@/api/types'
import { can } from '@/stores'

export const readPtz = (camera_id: number): Promise<Result<Ptz>> => api.get('/api/cameras/{camera_id}/ptz', { path: { camera_id } })

export const addPreset = (camera_id: number, name: string): Promise<Result<unknown>> => api.post('/api/cameras/{camera_id}/ptz/presets', { path: { camera_id }, body: { name } })

/** Renames a preset; `here` moves it to where the camera looks now. */
export const putPreset = (camera_id: number, token: string, name: string, here: boolean): Promise<Result<unknown>> =>
  api.put('/api/cameras/{camera_id}/ptz/presets/{token}', { path: { camera_id, token }, body: { name, here } })

export const removePreset = (camera_id: number, token: string): Promise<Result<unknown>> => api.delete('/api/cameras/{camera_id}/ptz/presets/{token}', { path: { camera_id, token } })

/** Which preset the camera returns to; null: none of them. */
export const putHome = (camera_id: number, token: string | null): Promise<Result<unknown>> => api.put('/api/cameras/{camera_id}/ptz/home', { path: { camera_id }, body: { token, seconds: null } })

/** The camera does not return home for so long; 0: it does again. */
export const suspendHome = (camera_id: number, minutes: number): Promise<Result<unknown>> => api.post('/api/cameras/{camera_id}/ptz/suspend', { path: { camera_id }, body: { minutes } })

export function maySteer(camera: Camera | undefined): boolean {
  return camera?.ptz === true && can('steer')
}
