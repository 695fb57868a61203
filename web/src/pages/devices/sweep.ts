/** A running search as the page keeps it: answers arrive over the WebSocket and by polling, in any order. */

import type { FoundDevice, Sweep } from '@/api/types'

const FINAL: ReadonlySet<Sweep['state']> = new Set(['done', 'cancelled', 'failed'])

export function isOver(sweep: Sweep): boolean {
  return FINAL.has(sweep.state)
}

/**
 * The newer of what is known and what has just arrived. A late poll never removes a found device, never moves the
 * progress bar back and never restarts a finished search. Rows keep their first place, so nothing moves under
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

function mergeFound(known: readonly FoundDevice[], arrived: readonly FoundDevice[], older: boolean): FoundDevice[] {
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

/**
 * What can be done with a row: registered ones are not offered again; those with a reason show what to do first, except
 * for a login that lacks, since it is asked for in the next step anyway.
 */
export function foundKind(row: FoundDevice): FoundKind {
  if (row.device_id !== null) return 'registered'
  if (row.other_village) return 'elsewhere'
  return row.reason === null || row.reason === 'login_needed' ? 'new' : 'needs_help'
}

/** Rows that can be ticked. A device with a reason may be tried too once its cause is mended. */
export function canRegister(row: FoundDevice): boolean {
  const kind = foundKind(row)
  return kind === 'new' || kind === 'needs_help'
}

/** A dotted address as a number, so that ranges can be compared; null where it is a name or IPv6. */
function numbered(host: string): number | null {
  const parts = host.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return null
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0)
}

/**
 * Whether an address belongs to what was asked for. A broadcast is answered by every village on the same network:
 * those outside the given ranges must never be registered into this village by a hasty click.
 */
export function within(host: string, ranges: readonly { first: string; last: string }[]): boolean {
  const at = numbered(host)
  return ranges.some((range) => {
    const [first, last] = [numbered(range.first), numbered(range.last)]
    if (at === null || first === null || last === null) return host === range.first || host === range.last
    return first <= at && at <= last
  })
}

/** Which rows are listed and preselected, and which are folded away. Without a range it is not known whose they are. */
export function divide(rows: readonly FoundDevice[], ranges: readonly { first: string; last: string }[]): { own: FoundDevice[]; others: FoundDevice[] } {
  if (ranges.length === 0) return { own: [...rows], others: [] }
  return { own: rows.filter((row) => within(row.host, ranges)), others: rows.filter((row) => !within(row.host, ranges)) }
}
