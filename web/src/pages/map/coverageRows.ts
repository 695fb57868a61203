/** The coverage table: its rows in the order that was asked for, and which places it is about. Pure. */
import { PLACE_CLASSES } from '@/api/types'
import type { CoverageTotal, KeyPlace, PlaceCoverage } from './mapApi'

export type Column = 'place_class' | 'count' | 'covered' | 'partly' | 'uncovered' | 'share'
export interface Order {
  by: Column
  down: boolean
}
const KINDS = ['point', 'line', 'area'] as const

export function sorted(rows: readonly CoverageTotal[], order: Order): CoverageTotal[] {
  const official = (row: CoverageTotal): number => PLACE_CLASSES.indexOf(row.place_class) * KINDS.length + KINDS.indexOf(row.kind)
  const value = (row: CoverageTotal): number => (order.by === 'place_class' ? official(row) : row[order.by])
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
export function worstFirst(places: readonly KeyPlace[], coverage: readonly PlaceCoverage[], only: Pick<CoverageTotal, 'place_class' | 'kind'> | null): PlaceRow[] {
  const byId = new Map(coverage.map((one) => [one.id, one]))
  return places
    .filter((one) => !only || (one.place_class === only.place_class && one.kind === only.kind))
    .flatMap((place) => {
      const figure = byId.get(place.id)
      return figure ? [{ place, coverage: figure }] : []
    })
    .sort((a, b) => a.coverage.share - b.coverage.share || a.place.id - b.place.id)
}

/** Never 100 % while something is missing, never 0 % while something is covered. */
export function percentOf(share: number): number {
  const rounded = Math.round(share * 100)
  return share < 1 && rounded === 100 ? 99 : share > 0 && rounded === 0 ? 1 : rounded
}
