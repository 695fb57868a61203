/** A running search as the page keeps it: answers arrive over the WebSocket and by polling, in any order. */

import type { Found, Sweep } from '../parts/shapes'

const FINAL: ReadonlySet<Sweep['state']> = new Set(['done', 'cancelled', 'failed'])

export function isOver(sweep: Sweep): boolean {
  return FINAL.has(sweep.state)
}

/**
 * The newer of what is known and what has just arrived. A late poll never takes a found device away again, never turns
 * the bar back and never wakes a finished search. Rows keep the place where they first stood, so nothing moves under
 * the pointer while the search runs.
 */
export function mergeSweep(known: Sweep | null, arrived: Sweep): Sweep {
  if (known === null || known.id !== arrived.id) return arrived
  const older = arrived.done < known.done || (isOver(known) && !isOver(arrived))
  const newest = older ? known : arrived
  return {
    ...newest,
    state: isOver(known) ? known.state : arrived.state,
    done: Math.max(known.done, arrived.done),
    total: Math.max(known.total, arrived.total),
    found: mergeFound(known.found, arrived.found, older),
  }
}

function mergeFound(known: readonly Found[], arrived: readonly Found[], older: boolean): Found[] {
  const fresh = new Map(arrived.map((row) => [row.key, row]))
  const rows = known.map((row) => {
    const again = fresh.get(row.key)
    fresh.delete(row.key)
    return again === undefined || older ? row : again
  })
  return [...rows, ...fresh.values()]
}

/** Percent of the bar; a search without a known total shows no false progress. */
export function percent(sweep: Sweep): number {
  if (sweep.state === 'done') return 100
  return sweep.total > 0 ? Math.min(99, Math.floor((sweep.done / sweep.total) * 100)) : 0
}

export type FoundKind = 'new' | 'registered' | 'elsewhere' | 'needs_help'

/** What can be done with a row: registered ones are not offered again; those with a reason show what to do first. */
export function foundKind(row: Found): FoundKind {
  if (row.device_id !== null) return 'registered'
  if (row.other_village) return 'elsewhere'
  return row.reason === null ? 'new' : 'needs_help'
}

/** Rows that can be ticked. A device with a reason may be tried too once its cause is mended. */
export function canRegister(row: Found): boolean {
  const kind = foundKind(row)
  return kind === 'new' || kind === 'needs_help'
}
