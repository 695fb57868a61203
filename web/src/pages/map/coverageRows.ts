/** The coverage table: its rows in the order that was asked for, and which places it is about. Pure. */
import { PLACE_CLASSES } from '@/api/types'
import type { CoverageCount, CoverageRow, KeyPlace, PlaceCoverage } from './mapApi'

export type Column = 'place_class' | 'count' | 'covered' | 'partly' | 'uncovered' | 'share'
export interface Order {
  by: Column
  down: boolean
}
const KINDS = ['point', 'line', 'area'] as const

/** By all cameras, or by those that work now. */
export type Basis = 'installed' | 'working'
export type Row = Pick<CoverageRow, 'place_class' | 'kind' | 'count'> & CoverageCount

export function rowsOf(rows: readonly CoverageRow[], basis: Basis): Row[] {
  return rows.map((one) => ({ place_class: one.place_class, kind: one.kind, count: one.count, ...one[basis] }))
}

export function shareOf(place: PlaceCoverage, basis: Basis): number {
  return basis === 'working' ? place.working_share : place.share
}

export function sorted(rows: readonly Row[], order: Order): Row[] {
  const official = (row: Row): number => PLACE_CLASSES.indexOf(row.place_class) * KINDS.length + KINDS.indexOf(row.kind)
  const value = (row: Row): number => (order.by === 'place_class' ? official(row) : row[order.by])
  return [...rows].filter((row) => row.count > 0).sort((a, b) => (order.down ? value(b) - value(a) : value(a) - value(b)) || official(a) - official(b))
}

/** The column that was clicked: the same one turns round, another begins with its most telling end. */
export function ordered(order: Order, by: Column): Order {
  return order.by === by ? { by, down: !order.down } : { by, down: by !== 'place_class' && by !== 'share' }
}

export interface PlaceRow {
  place: KeyPlace
  coverage: PlaceCoverage
}

/** Places with a figure, the worst first. */
export function worstFirst(places: readonly KeyPlace[], coverage: readonly PlaceCoverage[], only: Pick<Row, 'place_class' | 'kind'> | null, basis: Basis): PlaceRow[] {
  const byId = new Map(coverage.map((one) => [one.id, one]))
  return places
    .filter((one) => !only || (one.place_class === only.place_class && one.kind === only.kind))
    .flatMap((place) => {
      const figure = byId.get(place.id)
      return figure ? [{ place, coverage: figure }] : []
    })
    .sort((a, b) => shareOf(a.coverage, basis) - shareOf(b.coverage, basis) || a.place.id - b.place.id)
}

/** Never 100 % while something is missing, never 0 % while something is covered. */
export function percentOf(share: number): number {
  const rounded = Math.round(share * 100)
  return share < 1 && rounded === 100 ? 99 : share > 0 && rounded === 0 ? 1 : rounded
}
