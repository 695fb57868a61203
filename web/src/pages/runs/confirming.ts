/** What one key confirms at this moment, and what is missing until it does. Pure. */
import type { ItineraryStop, RunResult } from '@/api/types'
import type { Gap, SeenOfCamera } from './seen'

/** `confirm` of the run: each screenful, each camera, or everything at the end. */
export type ConfirmMode = 'screen' | 'camera' | 'end'

/** A camera that has not been seen for long enough. */
export interface Missing {
  camera: number
  name: string
  /** Seconds still to be seen, rounded up; at least 1. */
  seconds: number
  gap: Gap | null
}

/** A stop and what is still asked of the operator there. */
export interface Asked {
  /** What one key confirms as normal: of a key stop one camera, else all that is open. Empty: nothing now. */
  cameras: readonly number[]
  /** Whether those are all cameras of the stop that count, so that the stop is confirmed as a whole. */
  whole: boolean
  missing: readonly Missing[]
  /** Cameras that are still open. */
  open: readonly number[]
  /** Whether each camera is confirmed on its own. */
  singly: boolean
  /** Nothing is open here any more (or the stop has no camera). */
  done: boolean
}

export interface Known {
  mode: ConfirmMode
  least: number
  results: readonly RunResult[]
  /** What this page has seen of the present step. */
  seen: ReadonlyMap<number, SeenOfCamera>
  /** Cameras that cannot be shown now. */
  dead: ReadonlySet<number>
  /** The camera of the selected tile. */
  selected: number | null
}

/** The results of one stop, by camera. */
export function resultsAt(results: readonly RunResult[], position: number): Map<number, RunResult> {
  return new Map(results.filter((one) => one.position === position).map((one) => [one.camera.id, one] as const))
}

/** What the cameras of a stop are called there, by id: every village has its 村口, so that two of one name tell their villages. */
export function cameraNames(stop: ItineraryStop): Map<number, string> {
  const cameras = new Map(stop.cameras.flatMap((camera) => (camera ? [[camera.id, camera] as const] : [])))
  const alike = (name: string): boolean => [...cameras.values()].filter((one) => one.name === name).length > 1
  return new Map([...cameras].map(([id, { name, village }]) => [id, alike(name) && village ? `${village} ${name}` : name] as const))
}

export function asked(stop: ItineraryStop, known: Known): Asked {
  const results = resultsAt(known.results, stop.position)
  const singly = stop.key || known.mode === 'camera'
  const cameras = [...new Map(stop.cameras.flatMap((camera) => (camera ? [[camera.id, camera] as const] : []))).values()]
  const names = cameraNames(stop)
  const open = cameras.filter((camera) => !known.dead.has(camera.id) && (results.get(camera.id)?.result ?? 'open') === 'open')
  const missing = open.flatMap((camera): Missing[] => {
    if (results.get(camera.id)?.seen) return []
    const { seconds, gap } = known.seen.get(camera.id) ?? { seconds: 0, gap: null }
    return seconds >= known.least ? [] : [{ camera: camera.id, name: names.get(camera.id)!, seconds: Math.max(1, Math.ceil(known.least - seconds)), gap }]
  })
  const done = open.length === 0
  const ids = open.map((camera) => camera.id)
  if (singly) {
    const one = ids.includes(known.selected ?? -1) ? known.selected! : (ids.find((id) => !missing.some((camera) => camera.camera === id)) ?? ids[0])
    const lacking = missing.filter((camera) => camera.camera === one)
    return { cameras: one === undefined || lacking.length ? [] : [one], whole: false, missing: lacking, open: ids, singly, done }
  }
  const whole = open.length === cameras.filter((camera) => !known.dead.has(camera.id)).length
  return { cameras: missing.length ? [] : ids, whole, missing, open: ids, singly, done }
}

/** How far the patrol is, by camera. */
export interface Counts {
  open: number
  normal: number
  abnormal: number
  excused: number
}

export function countsOf(results: readonly RunResult[]): Counts {
  const counts: Counts = { open: 0, normal: 0, abnormal: 0, excused: 0 }
  for (const { result } of results) if (result !== 'unreadable') counts[result] += 1
  return counts
}

/** The stops with something open, in order, each with its open results. */
export function openStops(results: readonly RunResult[]): { position: number; open: RunResult[] }[] {
  const found = new Map<number, RunResult[]>()
  for (const one of results) if (one.result === 'open') found.set(one.position, [...(found.get(one.position) ?? []), one])
  return [...found].sort(([a], [b]) => a - b).map(([position, open]) => ({ position, open }))
}

/** How a stop stands in the list and on the bar. */
export type StopState = 'present' | 'confirmed' | 'abnormal' | 'excused' | 'open' | 'ahead'

export function stopState(position: number, present: number | null, results: readonly RunResult[], reached: number): StopState {
  if (position === present) return 'present'
  const here = results.filter((one) => one.position === position)
  if (here.some((one) => one.result === 'abnormal')) return 'abnormal'
  if (here.some((one) => one.result === 'open')) return position <= reached ? 'open' : 'ahead'
  if (here.length && here.every((one) => one.result === 'excused')) return 'excused'
  return here.length ? 'confirmed' : 'ahead'
}
