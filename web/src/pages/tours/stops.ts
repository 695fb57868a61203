/** The list of stops in the tour editor: values in, a new list out. */

import type { Camera, PlaceClass, Scene, StopBody, Tour } from '@/api/types'

export const DWELL_MIN = 3
export const DWELL_MAX = 3600
export const DWELL_DEFAULT = 15
export const STOPS_MAX = 200

/** One row: a camera or a scene. `key` identifies the row, since a camera may be in a tour twice. */
export interface Stop {
  key: number
  kind: 'camera' | 'scene'
  target: number
  dwell: number
  note: string
  preset: string | null
  presetName: string
  important: boolean
}

let lastKey = 0

export function newStop(kind: Stop['kind'], target: number, dwell = DWELL_DEFAULT, note = ''): Stop {
  lastKey += 1
  return { key: lastKey, kind, target, dwell: clampDwell(dwell), note, preset: null, presetName: '', important: false }
}

export function clampDwell(seconds: number): number {
  if (!Number.isFinite(seconds)) return DWELL_DEFAULT
  return Math.min(DWELL_MAX, Math.max(DWELL_MIN, Math.round(seconds)))
}

export function fromTour(tour: Pick<Tour, 'stops'>): Stop[] {
  return [...tour.stops]
    .sort((a, b) => a.position - b.position)
    .flatMap((stop) => {
      const more = { preset: stop.preset, presetName: stop.preset_name, important: stop.key }
      if (stop.camera_id !== null) return [{ ...newStop('camera', stop.camera_id, stop.dwell_s, stop.note), ...more }]
      return stop.scene_id !== null ? [{ ...newStop('scene', stop.scene_id, stop.dwell_s, stop.note), ...more }] : []
    })
}

export function toBody(stops: readonly Stop[]): StopBody[] {
  return stops.map((stop) => ({
    camera_id: stop.kind === 'camera' ? stop.target : null,
    scene_id: stop.kind === 'scene' ? stop.target : null,
    dwell_s: stop.dwell,
    note: stop.note,
    cameras: [],
    title: '',
    preset: stop.preset,
    preset_name: stop.presetName,
    key: stop.important,
  }))
}

/** Inserts before `index` (the end where it is beyond); a full tour takes only what still fits. */
export function insertAt(stops: readonly Stop[], index: number, added: readonly Stop[]): Stop[] {
  const room = Math.max(0, STOPS_MAX - stops.length)
  const at = Math.min(Math.max(0, index), stops.length)
  return [...stops.slice(0, at), ...added.slice(0, room), ...stops.slice(at)]
}

/** Moves the row at `from` to before the row that was at `gap`. */
export function moveTo(stops: readonly Stop[], from: number, gap: number): Stop[] {
  const moved = stops[from]
  if (moved === undefined) return [...stops]
  const rest = stops.filter((_, index) => index !== from)
  const at = gap > from ? gap - 1 : gap
  return [...rest.slice(0, at), moved, ...rest.slice(at)]
}

export function removeKey(stops: readonly Stop[], key: number): Stop[] {
  return stops.filter((stop) => stop.key !== key)
}

export function setDwellForAll(stops: readonly Stop[], dwell: number): Stop[] {
  const seconds = clampDwell(dwell)
  return stops.map((stop) => ({ ...stop, dwell: seconds }))
}

export function totalSeconds(stops: readonly Pick<Stop, 'dwell'>[]): number {
  return stops.reduce((sum, stop) => sum + stop.dwell, 0)
}

/** Approved cameras of a place class that the tour does not hold yet, in the order given. */
export function camerasOfClass(
  cameras: readonly Pick<Camera, 'id' | 'place_class' | 'state'>[],
  place: PlaceClass,
  stops: readonly Stop[],
): number[] {
  const held = new Set(stops.filter((stop) => stop.kind === 'camera').map((stop) => stop.target))
  return cameras
    .filter((camera) => camera.state === 'approved' && camera.place_class === place && !held.has(camera.id))
    .map((camera) => camera.id)
}

/** Rows whose camera was retired or whose scene was removed since: they are named, never silently dropped. */
export function missing(
  stops: readonly Stop[],
  cameras: ReadonlyMap<number, Pick<Camera, 'state'>>,
  scenes: ReadonlyMap<number, Scene>,
): Stop[] {
  return stops.filter((stop) =>
    stop.kind === 'camera' ? cameras.get(stop.target)?.state !== 'approved' : !scenes.has(stop.target),
  )
}
