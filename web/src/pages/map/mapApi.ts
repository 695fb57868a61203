/** The hub's map, as the page uses it: the one place that knows its addresses. */
import { api, type Result } from '@/api/client'
import type { PlaceClass } from '@/api/types'
import { sheetUrl } from '@/sheets'
import type { Box, LngLat } from './geo'
import type { Kind } from './draft'

export interface Base {
  id: number | string
  /** South-west, north-east. */
  corners: [LngLat, LngLat]
  width: number
  height: number
  /** 0–1 */
  opacity: number
}
export interface KeyPlace {
  id: number
  village_id: number | null
  name: string
  place_class: PlaceClass
  kind: Kind
  geometry: LngLat[]
  /** How near a camera must be to count for it, in metres; null: as far as it sees. */
  reach_m: number | null
}
export interface MapVillage {
  id: number
  name: string
  longitude: number | null
  latitude: number | null
  outline: LngLat[] | null
}
export interface Township {
  base: Base | null
  /** South-west, north-east of the township; null: not known. */
  bounds: [LngLat, LngLat] | null
  villages: MapVillage[]
  places: KeyPlace[]
  /** What counts for cameras whose own are not known. */
  reach_m: number
  angle_deg: number
}
export interface CameraPosition {
  id: number
  village_id: number
  longitude: number | null
  latitude: number | null
  direction_deg: number | null
  angle_deg: number | null
  reach_m: number | null
}
export type PlacedCamera = CameraPosition & { longitude: number; latitude: number }
/** A place that may be wrong, which was kept nevertheless; `converted`: where it would be if it came from a map of that datum. */
export interface PlacementWarning {
  why: 'township' | 'village'
  distance_m: number
  datum: 'gcj02' | 'bd09' | null
  converted: LngLat | null
}
export interface CoverageCount {
  covered: number
  partly: number
  uncovered: number
  /** 0–1: points by number, lines by metres, areas by square metres. */
  share: number
}
export interface CoverageRow {
  place_class: PlaceClass
  kind: Kind
  count: number
  /** By all cameras that count, and by those that work now. */
  installed: CoverageCount
  working: CoverageCount
}
export interface PlaceCoverage {
  id: number
  share: number
  working_share: number
  camera_ids: number[]
  gaps: LngLat[][]
}
export interface Coverage {
  rows: CoverageRow[]
  places: PlaceCoverage[]
  cameras: number
  cameras_without_position: number
  cameras_without_direction: number
  gaps_left_out: number
  formula: { reach_m: number; angle_deg: number; covered_from: number; uncovered_until: number; area_error: number }
}

type Call = <T>(path: string, options?: { path?: object; query?: object; body?: unknown; signal?: AbortSignal }) => Promise<Result<T>>
const { get, put, post, patch, delete: remove } = api as unknown as Record<'get' | 'put' | 'post' | 'patch' | 'delete', Call>

export const BASE_MB = 20
export const BASE_KINDS = ['image/jpeg', 'image/png', 'image/webp']

export const hub = {
  township: (signal?: AbortSignal) => get<Township>('/api/map', { signal }),
  cameras: (signal?: AbortSignal) => get<CameraPosition[]>('/api/map/cameras', { signal }),
  coverage: (village: number | null, signal?: AbortSignal) => get<Coverage>('/api/map/coverage', { query: { village_id: village }, signal }),
  placeCamera: (id: number, body: Pick<CameraPosition, 'longitude' | 'latitude' | 'direction_deg' | 'angle_deg' | 'reach_m'>) =>
    put<{ position: CameraPosition | null; warning: PlacementWarning | null }>('/api/map/cameras/{camera_id}', { path: { camera_id: id }, body }),
  placeVillage: (id: number, [longitude, latitude]: LngLat) => patch<unknown>('/api/villages/{village_id}', { path: { village_id: id }, body: { longitude, latitude } }),
  addPlace: (body: Omit<KeyPlace, 'id'>) => post<KeyPlace>('/api/map/places', { body }),
  changePlace: (id: number, body: Partial<Omit<KeyPlace, 'id'>>) => patch<KeyPlace>('/api/map/places/{place_id}', { path: { place_id: id }, body }),
  removePlace: (id: number) => remove<unknown>('/api/map/places/{place_id}', { path: { place_id: id } }),
  changeBase: (box: Box, opacity: number) => patch<unknown>('/api/map/base', { body: { corners: [[box.west, box.south], [box.east, box.north]], opacity } }),
  removeBase: () => remove<unknown>('/api/map/base'),
}

/** A new picture is a new address. */
export function baseUrl(base: Base): string {
  return `/api/map/base.jpg?id=${encodeURIComponent(base.id)}`
}
export function coverageSheetUrl(village: number | null): string {
  return sheetUrl('/api/map/coverage.xlsx', { village_id: village })
}

/** Cameras of the hub's own answer that have a position on the earth. */
export function isPlaced(one: CameraPosition): one is PlacedCamera {
  return one.longitude !== null && one.latitude !== null && Math.abs(one.longitude) <= 180 && Math.abs(one.latitude) < 85
}
