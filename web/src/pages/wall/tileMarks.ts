/** What a running patrol says of the cameras on the wall; each tile shows the mark of its own. Empty while no patrol runs. */
import { shallowReactive } from 'vue'

export interface TileMark {
  /** `looking`: not seen for long enough yet; `seen`: it may be confirmed. */
  state: 'looking' | 'seen' | 'normal' | 'abnormal'
  /** 0…1 of the least time. */
  share: number
  /** Whole seconds that are missing. */
  missing: number
  /** Why they do not go down, in words; empty: they do. */
  why: string
}

export const tileMarks = shallowReactive(new Map<number, TileMark>())

/** Replaces all marks; those that stay the same are left alone. */
export function setTileMarks(marks: ReadonlyMap<number, TileMark>): void {
  for (const camera of [...tileMarks.keys()]) if (!marks.has(camera)) tileMarks.delete(camera)
  for (const [camera, mark] of marks) {
    const before = tileMarks.get(camera)
    if (!before || (Object.keys(mark) as (keyof TileMark)[]).some((key) => before[key] !== mark[key])) tileMarks.set(camera, mark)
  }
}
