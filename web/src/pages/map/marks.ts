/** What a camera's mark looks like, how far in one sees what, and where marks stand that would cover each other. Pure. */
import type { Camera, PlaceClass, Village } from '@/api/types'
import { isOnline } from '../parts/health'

/** As StateMark.vue: dot = works, triangle = its picture is wrong, square = gone, ring = not known or not in service. */
export type Shape = 'live' | 'waiting' | 'degraded' | 'lost'
export const SHAPES = ['lost', 'degraded', 'waiting', 'live'] as const satisfies readonly Shape[]

export function shapeOf(camera: Pick<Camera, 'state' | 'health' | 'states'> | undefined, village?: Pick<Village, 'down_since'>): Shape {
  if (!camera || camera.state !== 'approved') return 'waiting'
  if (village?.down_since) return 'lost'
  if (camera.health === 'fault') return isOnline(camera) ? 'degraded' : 'lost'
  return camera.health === 'ok' ? 'live' : 'waiting'
}

export interface Counts {
  ok: number
  fault: number
  total: number
  shape: Shape
}

/** A village's figures and the one shape that stands for it: a square where its link or all its cameras are gone, a triangle where some are at fault. */
export function countsOf(shapes: readonly Shape[], down: boolean): Counts {
  const ok = shapes.filter((one) => one === 'live').length
  const fault = shapes.filter((one) => one === 'lost' || one === 'degraded').length
  const dead = down || (shapes.length > 0 && shapes.every((one) => one === 'lost'))
  return { ok, fault, total: shapes.length, shape: dead ? 'lost' : fault ? 'degraded' : ok ? 'live' : 'waiting' }
}

/** far: villages, cameras as dots; middle: cameras by state; near: with place class, names and fields of view. */
export type Level = 'far' | 'middle' | 'near'

export function levelOf(metresPerPixel: number): Level {
  return metresPerPixel > 6 ? 'far' : metresPerPixel > 1.1 ? 'middle' : 'near'
}

export const RADIUS: Record<Level, number> = { far: 3, middle: 5, near: 9 }

/** What stands for a place class in a mark: one character of its Chinese name; English pages use the initial. */
export const GLYPHS: Record<PlaceClass, { zh: string; en: string }> = {
  key_road: { zh: '路', en: 'R' },
  key_unit: { zh: '单', en: 'U' },
  high_incidence: { zh: '案', en: 'H' },
  entrance: { zh: '口', en: 'E' },
  school: { zh: '校', en: 'S' },
  water: { zh: '水', en: 'W' },
  forest: { zh: '林', en: 'F' },
  field: { zh: '田', en: 'L' },
  square: { zh: '广', en: 'P' },
  other: { zh: '·', en: '·' },
}

export interface Spot {
  id: number
  x: number
  y: number
}
export interface Spread extends Spot {
  /** Where it really is, if it had to step aside. */
  from: { x: number; y: number } | null
}

/**
 * Marks at the same spot (cameras of one pole) are set around it on a ring, or on several rings, so that each can be seen and hit.
 * `near`: pixels within which two count as the same spot; `step`: pixels between neighbours on a ring. Stable: it depends on nothing but positions and ids.
 */
export function spread(spots: readonly Spot[], near: number, step: number): Spread[] {
  const cells = new Map<string, Spot[][]>()
  const key = (x: number, y: number): string => `${x},${y}`
  const groups: Spot[][] = []
  for (const spot of [...spots].sort((a, b) => a.id - b.id)) {
    const [cx, cy] = [Math.floor(spot.x / near), Math.floor(spot.y / near)]
    let group: Spot[] | undefined
    for (let dx = -1; dx <= 1 && !group; dx += 1) {
      for (let dy = -1; dy <= 1 && !group; dy += 1) {
        group = cells.get(key(cx + dx, cy + dy))?.find(([first]) => Math.hypot(first!.x - spot.x, first!.y - spot.y) <= near)
      }
    }
    if (group) group.push(spot)
    else {
      group = [spot]
      cells.set(key(cx, cy), [...(cells.get(key(cx, cy)) ?? []), group])
      groups.push(group)
    }
  }
  return groups.flatMap((group) => (group.length === 1 ? [{ ...group[0]!, from: null }] : ring(group, step)))
}

function ring(group: readonly Spot[], step: number): Spread[] {
  const [{ x, y }] = group as [Spot]
  const placed: Spread[] = []
  let radius = step * 0.75
  while (placed.length < group.length) {
    const room = Math.max(2, Math.floor((2 * Math.PI * radius) / step))
    const here = group.slice(placed.length, placed.length + room)
    here.forEach((spot, i) => {
      const angle = (2 * Math.PI * i) / here.length - Math.PI / 2
      placed.push({ id: spot.id, x: x + radius * Math.cos(angle), y: y + radius * Math.sin(angle), from: { x: spot.x, y: spot.y } })
    })
    radius += step
  }
  return placed
}

/** Finds marks by where they are, without looking at all of them. */
export class MarkGrid {
  private readonly cells = new Map<number, Spread[]>()

  constructor(
    marks: readonly Spread[],
    private readonly size = 32,
  ) {
    for (const mark of marks) {
      const cell = this.cell(mark.x, mark.y)
      const there = this.cells.get(cell)
      if (there) there.push(mark)
      else this.cells.set(cell, [mark])
    }
  }

  private cell(x: number, y: number): number {
    return (Math.floor(x / this.size) + 32_768) * 65_536 + Math.floor(y / this.size) + 32_768
  }

  /** Marks whose centre lies in the box. */
  in(left: number, top: number, right: number, bottom: number): Spread[] {
    const found: Spread[] = []
    for (let x = Math.floor(left / this.size); x <= Math.floor(right / this.size); x += 1) {
      for (let y = Math.floor(top / this.size); y <= Math.floor(bottom / this.size); y += 1) {
        for (const mark of this.cells.get((x + 32_768) * 65_536 + y + 32_768) ?? []) {
          if (mark.x >= left && mark.x <= right && mark.y >= top && mark.y <= bottom) found.push(mark)
        }
      }
    }
    return found
  }

  /** The mark next to a point, at most so many pixels away. */
  nearest(x: number, y: number, most: number): Spread | null {
    let best: Spread | null = null
    let least = most
    for (const mark of this.in(x - most, y - most, x + most, y + most)) {
      const away = Math.hypot(mark.x - x, mark.y - y)
      if (away <= least) [best, least] = [mark, away]
    }
    return best
  }
}

/** A box in pixels. */
export interface Room {
  left: number
  top: number
  width: number
  height: number
}

/** Chooses labels that overlap neither each other nor what is there already, in the order given: the important ones first. */
export function roomFor<T extends Room>(labels: readonly T[], there: readonly Room[] = []): T[] {
  const kept: T[] = []
  const meets = (one: Room) => (other: Room): boolean =>
    one.left < other.left + other.width && other.left < one.left + one.width && one.top < other.top + other.height && other.top < one.top + one.height
  for (const one of labels) if (!there.some(meets(one)) && !kept.some(meets(one))) kept.push(one)
  return kept
}
