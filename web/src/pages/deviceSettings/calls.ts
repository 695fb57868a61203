/** The calls of this page, in one place. */
import { api, type Result } from '@/api/client'
import type { JobProgress } from '@/api/types'
import type { Change, ClockList, Defaults, DeviceSettings, Preview, Targets } from './types'

export const readClocks = (signal: AbortSignal): Promise<Result<ClockList>> => api.get('/api/device-settings/clocks', { signal })

export const readDefaults = (): Promise<Result<Defaults>> => api.get('/api/device-settings/defaults')

/** What was read last; `fresh`: the device is asked now. */
export const readDevice = (id: number, fresh: boolean, signal?: AbortSignal): Promise<Result<DeviceSettings>> => api.get('/api/devices/{device_id}/settings', { path: { device_id: id }, query: { fresh }, signal })

export const startPreview = (targets: Targets, change: Change): Promise<Result<JobProgress>> => api.post('/api/device-settings/preview', { body: { device_ids: [], camera_ids: [], ...targets, change } })

export const readPreview = (id: string): Promise<Result<Preview>> => api.get('/api/device-settings/previews/{preview_id}', { path: { preview_id: id } })

export const applyPreview = (id: string, only: string[]): Promise<Result<JobProgress>> => api.post('/api/device-settings/previews/{preview_id}/apply', { path: { preview_id: id }, body: { only } })
