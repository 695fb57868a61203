/** The cameras of the board's drill-down: which are shown, and what is said of each aspect. */
import type { Camera } from '@/api/types'

/** In the order of the columns. */
export const ASPECTS = ['media', 'picture', 'clock', 'recording', 'osd'] as const
export type AspectName = (typeof ASPECTS)[number]

export interface AspectState {
  state: 'ok' | 'fault' | 'unknown'
  cause: string | null
  since: string | null
}
const UNKNOWN: AspectState = { state: 'unknown', cause: null, since: null }

type States = Pick<Camera, 'states'>

export function aspectOf(camera: States, aspect: AspectName): AspectState {
  const found = camera.states.find((one) => (one.aspect as string) === aspect)
  return found ? { state: found.state, cause: found.cause, since: found.since } : UNKNOWN
}

/** The aspect that a person should read first: the first one that is a fault. */
export function worst(camera: States): (AspectState & { aspect: AspectName }) | null {
  for (const aspect of ASPECTS) {
    const found = aspectOf(camera, aspect)
    if (found.state === 'fault') return { aspect, ...found }
  }
  return null
}

/** `faults`: any aspect is a fault; an aspect: that one is; `unknown`: it is not known whether pictures come. */
export const CAMERA_FILTERS = ['all', 'faults', 'media', 'picture', 'clock', 'recording', 'osd', 'unknown', 'excluded'] as const
export type CameraFilter = (typeof CAMERA_FILTERS)[number]

export function isFilter(text: unknown): text is CameraFilter {
  return typeof text === 'string' && (CAMERA_FILTERS as readonly string[]).includes(text)
}

export function passes(camera: Camera, filter: CameraFilter, excluded: ReadonlySet<number>): boolean {
  if (filter === 'all') return true
  if (filter === 'excluded') return excluded.has(camera.id)
  if (excluded.has(camera.id)) return false // it is listed apart and counts in no figure
  if (filter === 'faults') return worst(camera) !== null
  if (filter === 'unknown') return aspectOf(camera, 'media').state === 'unknown'
  return aspectOf(camera, filter).state === 'fault'
}

export function matchesText(camera: Pick<Camera, 'name' | 'pinyin' | 'initials'>, text: string): boolean {
  const wanted = text.trim().toLowerCase()
  return !wanted || [camera.name, camera.pinyin, camera.initials].some((one) => one.toLowerCase().includes(wanted))
}

/** Faults first, the gravest aspect and the longest lasting on top; the others in their own order. */
export function faultsFirst<T extends States>(cameras: readonly T[]): T[] {
  const rank = (camera: T): [number, number] => {
    const found = worst(camera)
    return found ? [ASPECTS.indexOf(found.aspect), Date.parse(found.since ?? '') || 0] : [ASPECTS.length, 0]
  }
  const ranks = new Map(cameras.map((camera) => [camera, rank(camera)]))
  return [...cameras].sort((a, b) => {
    const [[first, since], [other, later]] = [ranks.get(a)!, ranks.get(b)!]
    return first - other || since - later
  })
}
