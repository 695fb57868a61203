/**
 * Carousels: which camera each turning tile shows now. Pure: (what was, what there is, now) → what is.
 *
 * Times are ms of one clock that never runs backwards; a gap in it (the computer slept) is one turn, not many.
 */
import type { Scene } from '@/api/types'

/** What a tile turns through, as it is stored: listed cameras, all of a place class, or all of a village. */
export type Carousel = Scene['carousels'][string]

export const LEAST_SECONDS = 5
export const MOST_SECONDS = 3_600
export const DEFAULT_SECONDS = 15
/** After it was held a picture stays at least so long. */
const AFTER_HOLD_MS = 2_000

/** What a tile turns through now; the members of a place class change while it turns. */
export interface Wheel {
  members: readonly number[]
  seconds: number
  /** By how many ms a clock that several pages share is ahead of `now`: by it, all of them show the same member. */
  ahead?: number
}

export interface Turning {
  camera: number | null
  /** Its place among the members, kept for when it is no longer one of them. */
  place: number
  /** When the next one comes. */
  due: number
  /** ms that were left when it was held; null: it turns. */
  left: number | null
}

export type Turnings = ReadonlyMap<number, Turning>

export interface Circumstances {
  /** Cameras that cannot be shown: they are passed over. */
  dead: ReadonlySet<number>
  /** Cameras in other tiles, which are not shown twice as long as there are others. */
  pinned: ReadonlySet<number>
  /** Tiles that stand still for now. */
  held: ReadonlySet<number>
  now: number
}

/** The next (or with -1 the previous) member that can be shown and is in no other tile; the present one if there is none. */
function after(members: readonly number[], { camera, place }: Turning, dead: ReadonlySet<number>, others: ReadonlySet<number>, step: 1 | -1): number | null {
  const at = camera === null ? -1 : members.indexOf(camera)
  // Of one that is no longer a member the place has been taken by its successor.
  const from = at >= 0 ? at + step : step > 0 ? Math.max(0, place) : place - 1
  const order = members.map((_, n) => members[(((from + step * n) % members.length) + members.length) % members.length]!)
  const alive = order.filter((one) => !dead.has(one) && one !== camera)
  const found = alive.find((one) => !others.has(one)) ?? (at >= 0 && !dead.has(camera!) && !others.has(camera!) ? camera : alive[0])
  return found ?? (at >= 0 ? camera : (order[0] ?? null))
}

const NOTHING: Turning = { camera: null, place: 0, due: 0, left: null }

function placed(members: readonly number[], camera: number | null, due: number, left: number | null): Turning {
  return { camera, place: camera === null ? 0 : Math.max(0, members.indexOf(camera)), due, left }
}

function othersThan(tile: number, turnings: Turnings, pinned: ReadonlySet<number>): Set<number> {
  const found = new Set(pinned)
  for (const [other, { camera }] of turnings) if (other !== tile && camera !== null) found.add(camera)
  return found
}

/** The place of the member whose time it is by the shared clock, and when the next one's begins. */
function byClock({ members, seconds }: Wheel, ahead: number, now: number): { place: number; due: number } {
  const stay = seconds * 1_000
  const turn = Math.floor((now + ahead) / stay)
  return { place: turn % Math.max(1, members.length), due: (turn + 1) * stay - ahead }
}

/** What each tile shows at `now`. The same map comes back where nothing has changed. */
export function turned(before: Turnings, wheels: ReadonlyMap<number, Wheel>, given: Circumstances): Turnings {
  const tiles = [...wheels.keys()].sort((a, b) => a - b)
  // Without those that are gone; a turning tile sees what the others have become by now.
  const next = new Map([...before].filter(([tile]) => wheels.has(tile)))
  tiles.forEach((tile, n) => {
    const wheel = wheels.get(tile)!
    const was = next.get(tile)
    const is = one(was, wheel, { ...given, others: othersThan(tile, next, given.pinned), held: given.held.has(tile) }, (n + 1) / tiles.length)
    if (is !== was) next.set(tile, is)
  })
  const same = next.size === before.size && [...next].every(([tile, is]) => before.get(tile) === is)
  return same ? before : next
}

/** `share`: tiles that begin together do so at different parts of their time, so that they do not all change at once. */
function one(
  was: Turning | undefined,
  wheel: Wheel,
  { dead, others, held, now }: { dead: ReadonlySet<number>; others: ReadonlySet<number>; held: boolean; now: number },
  share: number,
): Turning {
  const { members, seconds, ahead } = wheel
  const stay = seconds * 1_000
  if (ahead !== undefined) return oneByClock(was, wheel, ahead, { dead, others, held, now })
  if (!was || (was.camera === null && members.length > 0)) {
    const first = after(members, NOTHING, dead, others, 1)
    return was && first === was.camera ? was : placed(members, first, now + stay * share, null)
  }
  if (members.length === 0) return was.camera === null ? was : NOTHING
  const known = members.includes(was.camera!)
  const lost = !known || dead.has(was.camera!)
  if (lost) {
    const next = after(members, was, dead, others, 1)
    // When all are dead the one that is there stays, and says why.
    if (next !== was.camera) return placed(members, next, now + stay, null)
  }
  if (held) return was.left === null ? { ...was, left: Math.max(0, was.due - now) } : was
  if (was.left !== null) return { ...was, due: now + Math.max(was.left, AFTER_HOLD_MS), left: null }
  // The seconds were set to fewer.
  if (was.due > now + stay) return { ...was, due: now + stay }
  if (now < was.due) return was
  const late = now - was.due
  return placed(members, after(members, was, dead, others, 1), late < stay ? was.due + stay : now + stay, null)
}

/** Whose time it is comes from the shared clock; what cannot be shown leaves its time to the one that follows. */
function oneByClock(
  was: Turning | undefined,
  wheel: Wheel,
  ahead: number,
  { dead, others, held, now }: { dead: ReadonlySet<number>; others: ReadonlySet<number>; held: boolean; now: number },
): Turning {
  const { members } = wheel
  if (members.length === 0) return !was || was.camera === null ? (was ?? NOTHING) : NOTHING
  const { place, due } = byClock(wheel, ahead, now)
  const lost = !was || was.camera === null || !members.includes(was.camera) || dead.has(was.camera)
  if (!lost) {
    if (held) return was.left === null ? { ...was, left: Math.max(0, was.due - now) } : was
    if (was.left !== null) return { ...was, due: Math.max(due, now + AFTER_HOLD_MS), left: null }
    if (now < was.due && was.due <= due + wheel.seconds * 1_000) return was
  }
  const camera = after(members, { ...NOTHING, place }, dead, others, 1)
  return was && lost && camera === was.camera ? was : placed(members, camera, due, null)
}

/** Turns one tile by hand, forwards or back; it stays held if it was. */
export function stepped(before: Turnings, tile: number, wheel: Wheel, given: Circumstances, step: 1 | -1): Turnings {
  const was = before.get(tile)
  if (!was || wheel.members.length === 0) return before
  const camera = after(wheel.members, was, given.dead, othersThan(tile, before, given.pinned), step)
  const stay = wheel.seconds * 1_000
  return new Map(before).set(tile, placed(wheel.members, camera, given.now + stay, was.left === null ? null : stay))
}

/** The camera that comes next in a tile; null when none other can. */
export function upcoming(turnings: Turnings, tile: number, wheel: Wheel, given: Pick<Circumstances, 'dead' | 'pinned'>): number | null {
  const was = turnings.get(tile)
  if (!was || was.camera === null || wheel.members.length < 2) return null
  // A shared clock may be set by some ms between two looks.
  const from = wheel.ahead === undefined ? was : { ...NOTHING, place: byClock(wheel, wheel.ahead, was.due + wheel.seconds * 500).place }
  const next = after(wheel.members, from, given.dead, othersThan(tile, turnings, given.pinned), 1)
  return next === was.camera ? null : next
}

/** The cameras that come within `lead` ms, the soonest first, at most so many: their feeds are to run by then. */
export function soon(turnings: Turnings, wheels: ReadonlyMap<number, Wheel>, given: Circumstances, lead: number, most: number): number[] {
  const coming: { camera: number; due: number }[] = []
  for (const [tile, { due, left }] of turnings) {
    const wheel = wheels.get(tile)
    if (!wheel || left !== null || due - given.now > lead) continue
    const camera = upcoming(turnings, tile, wheel, given)
    if (camera !== null) coming.push({ camera, due })
  }
  return [...new Set(coming.sort((a, b) => a.due - b.due).map(({ camera }) => camera))].slice(0, most)
}
