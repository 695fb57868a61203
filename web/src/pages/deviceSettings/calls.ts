/** The calls of this page, in one place. */
import { api, type Result } from '@/api/client'
import type { JobProgress } from '@/api/types'
import type { Change, ClockList, Defaults, DeviceSettings, Preview, Targets } from './types'

interface Loose {
  path?: Record<string, string | number>
  query?: Record<string, unknown>
  body?: unknown
  signal?: AbortSignal
}
const get = api.get as unknown as <T>(path: string, options?: Loose) => Promise<Result<T>>
const post = api.post as unknown as <T>(path: string, options?: Loose) => Promise<Result<T>>

export const readClocks = (signal: AbortSignal): Promise<Result<ClockList>> => get('/api/device-settings/clocks', { signal })

export const readDefaults = (): Promise<Result<Defaults>> => get('/api/device-settings/defaults')

/** What was read last; `fresh`: the device is asked now. */
export const readDevice = (id: number, fresh: boolean, signal?: AbortSignal): Promise<Result<DeviceSettings>> => get('/api/devices/{device_id}/settings', { path: { device_id: id }, query: { fresh }, signal })

export const startPreview = (targets: Targets, change: Change): Promise<Result<JobProgress>> => post('/api/device-settings/preview', { body: { ...targets, change } })

export const readPreview = (id: string): Promise<Result<Preview>> => get('/api/device-settings/previews/{preview_id}', { path: { preview_id: id } })

export const applyPreview = (id: string, only: readonly string[]): Promise<Result<JobProgress>> => post('/api/device-settings/previews/{preview_id}/apply', { path: { preview_id: id }, body: { only } })
