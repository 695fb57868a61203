/** The calls of these pages, in one place. */
import { api, type Result } from '@/api/client'
import type { components } from '@/api/schema'
import type { JobProgress } from '@/api/types'

type Schemas = components['schemas']

export type Recording = Schemas['RecordingAnswer']
export type RecordingDay = Schemas['RecordingDayAnswer']
export type Recordings = Schemas['RecordingsAnswer']
export type Osd = Schemas['OsdCheckAnswer']
export type OsdList = Schemas['OsdChecksAnswer']

export const readRecordings = (signal: AbortSignal): Promise<Result<Recordings>> => api.get('/api/recordings', { signal })

export const checkRecordings = (ids: number[]): Promise<Result<JobProgress>> => api.post('/api/recordings/check', { body: { camera_ids: ids } })

export const readOsd = (signal: AbortSignal): Promise<Result<OsdList>> => api.get('/api/osd', { signal })
