/** A tour as it is being edited: a value, from the hub's tour and back to a request. */
import type { Camera, Role, Tour, TourBody, TourSource, TourTemplate } from '@/api/types'
import { camerasOf, fromTour, toBody, type Stop } from './stops'
import type { Scene } from '@/api/types'

export interface TourDraft {
  readonly name: string
  readonly note: string
  readonly kind: string | null
  readonly confirm: Tour['confirm']
  readonly least: number
  readonly interrupt: Tour['interrupt']
  readonly roles: readonly Role[]
  readonly editRoles: readonly Role[]
  readonly source: TourSource | null
  readonly stops: readonly Stop[]
}

export const EMPTY: TourDraft = { name: '', note: '', kind: null, confirm: 'screen', least: 3, interrupt: 'none', roles: [], editRoles: [], source: null, stops: [] }

export const CONFIRM = ['screen', 'camera', 'end'] as const satisfies readonly Tour['confirm'][]
export const INTERRUPT = ['none', 'critical', 'major'] as const satisfies readonly Tour['interrupt'][]

export function draftOf(tour: Tour): TourDraft {
  return {
    name: tour.name,
    note: tour.note,
    kind: tour.kind,
    confirm: tour.confirm,
    least: tour.least_s,
    interrupt: tour.interrupt,
    roles: tour.roles,
    editRoles: tour.edit_roles,
    source: tour.source,
    stops: fromTour(tour),
  }
}

export function bodyOf(draft: TourDraft): TourBody {
  return {
    name: draft.name.trim(),
    note: draft.note.trim(),
    kind: draft.kind,
    confirm: draft.confirm,
    least_s: draft.least,
    interrupt: draft.interrupt,
    roles: [...draft.roles],
    edit_roles: [...draft.editRoles],
    source: draft.source,
    stops: toBody(draft.stops),
  }
}

/** Whether two drafts would be saved as the same tour. */
export function sameTour(one: TourDraft, other: TourDraft): boolean {
  return one === other || JSON.stringify(bodyOf(one)) === JSON.stringify(bodyOf(other))
}

/** The settings of a template; its stops come from the places. */
export function templated(draft: TourDraft, template: TourTemplate, name: string): TourDraft {
  return {
    ...draft,
    name,
    kind: template.kind,
    confirm: template.confirm,
    least: template.least_s,
    interrupt: template.interrupt,
    source: { place_classes: template.place_classes, village_ids: [], per_stop: template.per_stop, dwell_s: template.dwell_s, left_out: [] },
  }
}

type Placed = Pick<Camera, 'id' | 'place_class' | 'village_id' | 'state'>

/** Approved cameras of the places that the tour was built from which it does not show, in the order given. */
export function newCameras(draft: TourDraft, cameras: readonly Placed[], scenes: ReadonlyMap<number, Pick<Scene, 'cameras'>>): number[] {
  const { source } = draft
  if (!source) return []
  const known = new Set([...draft.stops.flatMap((stop) => camerasOf(stop, scenes)), ...source.left_out])
  return cameras.filter((camera) => camera.state === 'approved' && !known.has(camera.id) && isThere(camera, source)).map((camera) => camera.id)
}

function isThere(camera: Placed, source: TourSource): boolean {
  return (!source.place_classes.length || source.place_classes.includes(camera.place_class)) && (!source.village_ids.length || source.village_ids.includes(camera.village_id))
}

/** Cameras of those places that were taken out of the tour are not wanted there: they are not offered as new ones. */
export function withLeftOut(draft: TourDraft, removed: readonly number[], cameras: ReadonlyMap<number, Placed>): TourDraft {
  const { source } = draft
  if (!source) return draft
  const more = removed.filter((id) => {
    const camera = cameras.get(id)
    return camera !== undefined && isThere(camera, source) && !source.left_out.includes(id)
  })
  return more.length ? { ...draft, source: { ...source, left_out: [...source.left_out, ...more] } } : draft
}
