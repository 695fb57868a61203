/** Which cameras the map and its tree show. Pure. */
import type { Camera, PlaceClass, Village } from '@/api/types'
import { score } from '@/search/rank'
import type { Shape } from './marks'

export interface Filters {
  text: string
  village: number | null
  place: PlaceClass | null
  /** Shapes that are shown; empty: all of them. */
  shapes: readonly Shape[]
}

export const NO_FILTERS: Filters = { text: '', village: null, place: null, shapes: [] }

export function isFiltered(filters: Filters): boolean {
  return filters.text.trim() !== '' || filters.village !== null || filters.place !== null || filters.shapes.length > 0
}

export function filtered(
  cameras: readonly Camera[],
  filters: Filters,
  shapeOf: (camera: Camera) => Shape,
  villageOf: (id: number) => Village | undefined,
): Camera[] {
  const text = filters.text.trim()
  return cameras.filter(
    (one) =>
      (filters.village === null || one.village_id === filters.village) &&
      (filters.place === null || one.place_class === filters.place) &&
      (!filters.shapes.length || filters.shapes.includes(shapeOf(one))) &&
      (!text || score(text, one, villageOf(one.village_id)) !== null),
  )
}

/** One shape more or less among those that are shown. */
export function toggled(shapes: readonly Shape[], shape: Shape): Shape[] {
  return shapes.includes(shape) ? shapes.filter((one) => one !== shape) : [...shapes, shape]
}
