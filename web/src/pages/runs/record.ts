/** The record of a run as a page keeps it: read in order, a page at a time; a running run's last lines are read again. */
import type { RunStep, RunSteps } from '@/api/types'

export interface RecordLines {
  lines: readonly RunStep[]
  /** Give it as `after` for the lines that follow; null: all are here. */
  next: number | null
  /** Lines before this sequence are sums; when it grows, what was read before is no longer what the hub has. */
  rolledUp: number
}

export const NO_LINES: RecordLines = { lines: [], next: -1, rolledUp: 0 }

/** Lines that follow were read. */
export function appended(known: RecordLines, page: RunSteps): RecordLines {
  const first = page.steps[0]?.sequence
  const before = first === undefined ? known.lines : known.lines.filter((line) => line.sequence < first)
  return { lines: [...before, ...page.steps], next: page.next, rolledUp: page.rolled_up }
}

/** Whether the record must be read from its beginning: old lines were summed since the page before was read. */
export function outdated(known: RecordLines, page: RunSteps): boolean {
  return known.lines.length > 0 && page.rolled_up > known.rolledUp
}

/** What to read after when the run has moved on: the last two lines once more, since they have been closed or seen meanwhile. */
export function afterChange(known: RecordLines): number {
  return (known.lines.at(-3)?.sequence ?? -1)
}

/** Seconds that the cameras of a line were seen: of several at once the longest; null where nobody measured. */
export function seenSeconds(line: RunStep): number | null {
  const measured = line.cameras.flatMap((camera) => (camera.visible_s === null ? [] : [camera.visible_s]))
  return measured.length ? Math.max(...measured) : null
}
