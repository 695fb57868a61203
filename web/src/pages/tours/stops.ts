/** The list of stops in the tour editor: values in, a new list out. */

import type { Camera, LayoutName, PlaceStops, Scene, StopBody, Tour } from '@/api/types'
import { fitted, layoutFor } from '@/wall/layout'
import { PICTURE_FAULTS } from '../wall/describe'

export const DWELL_MIN = 3
export const DWELL_MAX = 3600
export const DWELL_DEFAULT = 15
export const STOPS_MAX = 200
/** Cameras that one stop shows without a scene of its own. */
export const GROUP_MAX = 16

/** The PTZ preset at which a stop shows one of its cameras; `name`: what the device called it when it was chosen. */
export interface StopPreset {
  readonly camera: number
  readonly token: string
  readonly name: string
}

/** One row: a camera, a scene, or some cameras (`group`). `row` identifies it, since a camera may be in a tour twice. */
export interface Stop {
  readonly row: number
  readonly kind: 'camera' | 'scene' | 'group'
  /** Of a camera or scene; 0 for a group. */
  readonly target: number
  /** Of a group: its layout, and the camera of each tile. */
  readonly layout: LayoutName
  readonly cameras: readonly (number | null)[]
  readonly title: string
  readonly dwell: number
  readonly note: string
  /** At most one per camera. Of a scene also those of cameras that it does not show now: they wait for it to do so again. */
  readonly presets: readonly StopPreset[]
  /** A key stop: each of its cameras is confirmed singly. */
  readonly important: boolean
}

/** What a person changes of one or of many stops. */
export type StopChange = Partial<Pick<Stop, 'dwell' | 'note' | 'title' | 'presets' | 'important'>>

let lastRow = 0

function made(values: Partial<Omit<Stop, 'row'>> & Pick<Stop, 'kind'>): Stop {
  lastRow += 1
  return { target: 0, layout: '1', cameras: [], title: '', note: '', presets: [], important: false, ...values, row: lastRow, dwell: clampDwell(values.dwell ?? DWELL_DEFAULT) }
}

export function newStop(kind: 'camera' | 'scene', target: number, dwell = DWELL_DEFAULT, note = ''): Stop {
  return made({ kind, target, dwell, note })
}

/** A stop that shows these cameras, each once; of a single one an ordinary stop. */
export function groupStop(cameras: readonly number[], dwell = DWELL_DEFAULT, title = ''): Stop {
  return regrouped(made({ kind: 'group', title, dwell }), cameras)
}

export function clampDwell(seconds: number): number {
  if (!Number.isFinite(seconds)) return DWELL_DEFAULT
  return Math.min(DWELL_MAX, Math.max(DWELL_MIN, Math.round(seconds)))
}

export function fromTour(tour: Pick<Tour, 'stops'>): Stop[] {
  return [...tour.stops]
    .sort((a, b) => a.position - b.position)
    .map((stop) => {
      const common = { title: stop.title, dwell: stop.dwell_s, note: stop.note, presets: stop.presets.map(({ camera_id, token, name }) => ({ camera: camera_id, token, name })), important: stop.key }
      if (stop.camera_id !== null) return made({ ...common, kind: 'camera', target: stop.camera_id })
      if (stop.scene_id !== null) return made({ ...common, kind: 'scene', target: stop.scene_id })
      return made({ ...common, kind: 'group', layout: stop.layout, cameras: stop.cameras })
    })
}

/** Stops that the hub built from places. */
export function fromPlaces(found: Pick<PlaceStops, 'stops'>): Stop[] {
  return found.stops.map((stop) =>
    stop.camera_id !== null ? newStop('camera', stop.camera_id, stop.dwell_s) : made({ kind: 'group', layout: stop.layout ?? '4', cameras: stop.cameras, title: stop.title, dwell: stop.dwell_s }),
  )
}

export function toBody(stops: readonly Stop[]): StopBody[] {
  return stops.map((stop) => ({
    camera_id: stop.kind === 'camera' ? stop.target : null,
    scene_id: stop.kind === 'scene' ? stop.target : null,
    layout: stop.kind === 'group' ? stop.layout : null,
    cameras: stop.kind === 'group' ? [...stop.cameras] : [],
    title: stop.kind === 'group' ? stop.title.trim() : '',
    dwell_s: stop.dwell,
    note: stop.note.trim(),
    presets: stop.presets.map(({ camera, token, name }) => ({ camera_id: camera, token, name })),
    key: stop.important,
  }))
}

/** The cameras that a stop shows, each once, in the order of the tiles. */
export function camerasOf(stop: Stop, scenes: ReadonlyMap<number, Pick<Scene, 'cameras'>>): number[] {
  if (stop.kind === 'camera') return [stop.target]
  const tiles = stop.kind === 'scene' ? (scenes.get(stop.target)?.cameras ?? []) : stop.cameras
  return [...new Set(tiles.filter((id): id is number => id !== null))]
}

export function presetOf(stop: Stop, camera: number): StopPreset | null {
  return stop.presets.find((one) => one.camera === camera) ?? null
}

/** The presets of a stop with that of one camera changed; null: it has none. */
export function withPreset(stop: Stop, camera: number, preset: Omit<StopPreset, 'camera'> | null): StopPreset[] {
  if (!preset) return stop.presets.filter((one) => one.camera !== camera)
  const one = { camera, ...preset }
  return presetOf(stop, camera) ? stop.presets.map((old) => (old.camera === camera ? one : old)) : [...stop.presets, one]
}

/** Stops for a new tour: nothing waits there for a camera to come back to its scene. */
export function withoutWaiting(stops: readonly Stop[], scenes: ReadonlyMap<number, Pick<Scene, 'cameras'>>): Stop[] {
  return stops.map((stop) => {
    if (stop.kind === 'scene' && !scenes.has(stop.target)) return stop
    const shown = camerasOf(stop, scenes)
    return stop.presets.every((one) => shown.includes(one.camera)) ? stop : { ...stop, presets: stop.presets.filter((one) => shown.includes(one.camera)) }
  })
}

/** The stop with these cameras: a single one makes it a stop of one camera. Presets stay with their cameras. */
function regrouped(stop: Stop, cameras: readonly number[]): Stop {
  const shown = [...new Set(cameras)].slice(0, GROUP_MAX)
  const presets = stop.presets.filter((one) => shown.includes(one.camera))
  if (shown.length === 1) {
    const same = stop.kind === 'camera' && stop.target === shown[0]
    return same ? stop : { ...stop, kind: 'camera', target: shown[0]!, layout: '1', cameras: [], title: '', presets }
  }
  const layout = layoutFor(shown.length)
  return { ...stop, kind: 'group', target: 0, layout, cameras: fitted(layout, shown), presets }
}

function own(stop: Stop): number[] {
  return stop.kind === 'camera' ? [stop.target] : stop.cameras.filter((id): id is number => id !== null)
}

/** Shows more cameras at a stop, as many as it holds; a scene stays what it is. */
export function addToStop(stops: readonly Stop[], row: number, cameras: readonly number[]): Stop[] {
  return stops.map((stop) => (stop.row === row && stop.kind !== 'scene' ? regrouped(stop, [...own(stop), ...cameras]) : stop))
}

/** Takes one camera out of a stop; without its last one the stop goes. */
export function takeFromStop(stops: readonly Stop[], row: number, camera: number): Stop[] {
  return stops.flatMap((stop) => {
    if (stop.row !== row || stop.kind === 'scene') return [stop]
    const left = own(stop).filter((id) => id !== camera)
    return left.length ? [regrouped(stop, left)] : []
  })
}

/** Makes one stop of several: at the place of the first, with the cameras of all, as many as it holds. */
export function joinRows(stops: readonly Stop[], rows: ReadonlySet<number>): Stop[] {
  const chosen = stops.filter((stop) => rows.has(stop.row) && stop.kind !== 'scene')
  const [first, ...others] = chosen
  if (!first || !others.length) return [...stops]
  const cameras = [...new Set(chosen.flatMap(own))]
  const presets = cameras.flatMap((camera) => chosen.map((stop) => presetOf(stop, camera)).find((one) => one !== null) ?? [])
  const joined = { ...regrouped({ ...first, presets }, cameras), dwell: Math.max(...chosen.map((stop) => stop.dwell)), important: chosen.some((stop) => stop.important), note: chosen.map((stop) => stop.note).filter(Boolean).join('；').slice(0, 255) }
  const gone = new Set(others.map((stop) => stop.row))
  return stops.flatMap((stop) => (stop.row === first.row ? [joined] : gone.has(stop.row) ? [] : [stop]))
}

/** How many cameras stops would show together; scenes cannot be joined. */
export function joinable(stops: readonly Stop[], rows: ReadonlySet<number>): number {
  const chosen = stops.filter((stop) => rows.has(stop.row))
  if (chosen.length < 2 || chosen.some((stop) => stop.kind === 'scene')) return 0
  const count = new Set(chosen.flatMap(own)).size
  return count <= GROUP_MAX ? count : 0
}

/** Makes stops of single cameras of those that show several. */
export function splitRows(stops: readonly Stop[], rows: ReadonlySet<number>): Stop[] {
  return stops
    .flatMap((stop) => (rows.has(stop.row) && stop.kind === 'group' ? own(stop).map((camera) => made({ kind: 'camera', target: camera, dwell: stop.dwell, note: stop.note, important: stop.important, presets: stop.presets.filter((one) => one.camera === camera) })) : [stop]))
    .slice(0, STOPS_MAX)
}

/** Inserts before `index` (the end where it is beyond); a full tour takes only what still fits. */
export function insertAt(stops: readonly Stop[], index: number, added: readonly Stop[]): Stop[] {
  const room = Math.max(0, STOPS_MAX - stops.length)
  const at = Math.min(Math.max(0, index), stops.length)
  return [...stops.slice(0, at), ...added.slice(0, room), ...stops.slice(at)]
}

/** Moves rows, in their order, to before the row that was at `gap`. */
export function moveRows(stops: readonly Stop[], rows: ReadonlySet<number>, gap: number): Stop[] {
  const moved = stops.filter((stop) => rows.has(stop.row))
  const before = stops.slice(0, Math.max(0, gap)).filter((stop) => !rows.has(stop.row))
  const after = stops.slice(Math.max(0, gap)).filter((stop) => !rows.has(stop.row))
  return [...before, ...moved, ...after]
}

/** Moves rows one place up or down, as a block. */
export function nudgeRows(stops: readonly Stop[], rows: ReadonlySet<number>, step: -1 | 1): Stop[] {
  const places = stops.flatMap((stop, index) => (rows.has(stop.row) ? [index] : []))
  if (!places.length) return [...stops]
  const gap = step < 0 ? places[0]! - 1 : places[places.length - 1]! + 2
  return gap < 0 || gap > stops.length ? [...stops] : moveRows(stops, rows, gap)
}

export function removeRows(stops: readonly Stop[], rows: ReadonlySet<number>): Stop[] {
  return stops.filter((stop) => !rows.has(stop.row))
}

export function changeRows(stops: readonly Stop[], rows: ReadonlySet<number>, change: StopChange): Stop[] {
  const values = change.dwell === undefined ? change : { ...change, dwell: clampDwell(change.dwell) }
  return stops.map((stop) => (rows.has(stop.row) ? { ...stop, ...values } : stop))
}

export function totalSeconds(stops: readonly Pick<Stop, 'dwell'>[]): number {
  return stops.reduce((sum, stop) => sum + stop.dwell, 0)
}

/**
 * What is wrong with a stop: `gone` (nothing is left of it that could be shown), `dead` (none of its cameras can be shown
 * now), `partly` (some cameras are retired), `some_dead`, `bad` (shown, but a picture is at fault); null: nothing.
 */
export type StopTrouble = 'gone' | 'partly' | 'dead' | 'some_dead' | 'bad'

type Seen = Pick<Camera, 'state' | 'health' | 'cause'>

/** Whether a camera cannot be shown now; what only its picture lacks is shown nevertheless (patrol.runs.condition). */
export function isDead(camera: Seen | undefined): boolean {
  return camera?.state !== 'approved' || (camera.health === 'fault' && !(camera.cause && (PICTURE_FAULTS.has(camera.cause) || SHOWN_ANYWAY.has(camera.cause))))
}
const SHOWN_ANYWAY: ReadonlySet<string> = new Set(['clock_wrong', 'late'])

export function troubleOf(stop: Stop, cameras: ReadonlyMap<number, Seen>, scenes: ReadonlyMap<number, Pick<Scene, 'cameras'>>): StopTrouble | null {
  if (stop.kind === 'scene' && !scenes.has(stop.target)) return 'gone'
  const shown = camerasOf(stop, scenes)
  const used = shown.flatMap((id) => cameras.get(id) ?? []).filter((camera) => camera.state === 'approved')
  if (!used.length) return 'gone'
  const dead = used.filter(isDead).length
  if (dead === used.length) return 'dead'
  if (used.length < shown.length) return 'partly'
  if (dead) return 'some_dead'
  return used.some((camera) => camera.health === 'fault' && camera.cause !== null && PICTURE_FAULTS.has(camera.cause)) ? 'bad' : null
}
