/** What of PTZ is asked and changed over HTTP; moves go over the WebSocket. */
import { api, type Result } from '@/api/client'
import type { Action, Camera, Ptz } from '@/api/types'
import { can } from '@/stores'

type Call = (path: string, options: { path: object; body?: object }) => Promise<Result<never>>
const calls = api as unknown as Record<'get' | 'post' | 'put' | 'delete', Call>

export const readPtz = (camera_id: number): Promise<Result<Ptz>> => calls.get('/api/cameras/{camera_id}/ptz', { path: { camera_id } })

export const addPreset = (camera_id: number, name: string): Promise<Result<unknown>> => calls.post('/api/cameras/{camera_id}/ptz/presets', { path: { camera_id }, body: { name } })

/** Renames a preset; `here` moves it to where the camera looks now. */
export const putPreset = (camera_id: number, token: string, name: string, here: boolean): Promise<Result<unknown>> =>
  calls.put('/api/cameras/{camera_id}/ptz/presets/{token}', { path: { camera_id, token }, body: { name, here } })

export const removePreset = (camera_id: number, token: string): Promise<Result<unknown>> => calls.delete('/api/cameras/{camera_id}/ptz/presets/{token}', { path: { camera_id, token } })

/** Which preset the camera returns to; null: none of them. */
export const putHome = (camera_id: number, token: string | null): Promise<Result<unknown>> => calls.put('/api/cameras/{camera_id}/ptz/home', { path: { camera_id }, body: { token } })

/** The camera does not return home for so long; 0: it does again. */
export const suspendHome = (camera_id: number, minutes: number): Promise<Result<unknown>> => calls.post('/api/cameras/{camera_id}/ptz/suspend', { path: { camera_id }, body: { minutes } })

export function maySteer(camera: Camera | undefined): boolean {
  return (camera as { ptz?: boolean } | undefined)?.ptz === true && can('steer' as Action)
}
