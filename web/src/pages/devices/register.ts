/** The register as rows: what is shown of villages, devices and cameras under the chosen filters. */
import type { Camera, Device, PlaceClass, Village } from '@/api/types'

export interface Filters {
  text: string
  village: number | null
  state: 'all' | 'fault' | 'waiting' | 'approved' | 'retired'
  place: PlaceClass | null
}

export type Grouping = 'village' | 'device'

export type Row =
  | { type: 'village'; key: string; village: Village; count: number; folded: boolean }
  | { type: 'device'; key: string; device: Device | null; deviceId: number; count: number }
  | { type: 'camera'; key: string; camera: Camera; device: Device | null; index: number }

export const NO_FILTERS: Filters = { text: '', village: null, state: 'all', place: null }

export function isFiltered(filters: Filters): boolean {
  return filters.text.trim() !== '' || filters.village !== null || filters.state !== 'all' || filters.place !== null
}

/** All words must be in the name, its pinyin or initials, the village or the device's address. */
export function matchesText(text: string, camera: Camera, device: Device | null, village: Village | undefined): boolean {
  const words = text.toLowerCase().split(/\s+/u).filter(Boolean)
  if (words.length === 0) return true
  const fields = [
    camera.name.toLowerCase(),
    camera.initials,
    camera.pinyin,
    village?.name.toLowerCase() ?? '',
    village?.initials ?? '',
    device?.host ?? '',
    device?.name.toLowerCase() ?? '',
  ]
  return words.every((word) => fields.some((field) => field.includes(word)))
}

function matchesState(camera: Camera, state: Filters['state']): boolean {
  switch (state) {
    case 'all':
      return camera.state !== 'retired'
    case 'fault':
      return camera.state === 'approved' && camera.health === 'fault'
    case 'waiting':
      return camera.state === 'waiting' || camera.state === 'found'
    default:
      return camera.state === state
  }
}

/** Retired cameras are shown only when asked for. */
export function filtered(
  cameras: readonly Camera[],
  filters: Filters,
  devices: ReadonlyMap<number, Device>,
  villages: ReadonlyMap<number, Village>,
): Camera[] {
  return cameras.filter(
    (camera) =>
      (filters.village === null || camera.village_id === filters.village) &&
      (filters.place === null || camera.place_class === filters.place) &&
      matchesState(camera, filters.state) &&
      matchesText(filters.text, camera, devices.get(camera.device_id) ?? null, villages.get(camera.village_id)),
  )
}

/** `cameras` come in the official order; villages without a camera in sight are left out. */
export function registerRows(
  cameras: readonly Camera[],
  devices: ReadonlyMap<number, Device>,
  villages: readonly Village[],
  grouping: Grouping,
  folded: ReadonlySet<number>,
): Row[] {
  const ofVillage = new Map<number, Camera[]>()
  for (const camera of cameras) {
    const list = ofVillage.get(camera.village_id)
    if (list) list.push(camera)
    else ofVillage.set(camera.village_id, [camera])
  }
  const rows: Row[] = []
  for (const village of villages) {
    const own = ofVillage.get(village.id)
    if (!own) continue
    const isFolded = folded.has(village.id)
    rows.push({ type: 'village', key: `v${village.id}`, village, count: own.length, folded: isFolded })
    if (isFolded) continue
    if (grouping === 'village') rows.push(...cameraRows(own, devices))
    else rows.push(...deviceRows(own, devices))
  }
  return rows
}

function cameraRows(cameras: readonly Camera[], devices: ReadonlyMap<number, Device>): Row[] {
  return cameras.map((camera, index) => ({
    type: 'camera',
    key: `c${camera.id}`,
    camera,
    device: devices.get(camera.device_id) ?? null,
    index,
  }))
}

function deviceRows(cameras: readonly Camera[], devices: ReadonlyMap<number, Device>): Row[] {
  const groups = new Map<number, Camera[]>()
  for (const camera of cameras) groups.set(camera.device_id, [...(groups.get(camera.device_id) ?? []), camera])
  return [...groups].flatMap(([deviceId, own]): Row[] => [
    { type: 'device', key: `d${deviceId}`, device: devices.get(deviceId) ?? null, deviceId, count: own.length },
    ...cameraRows(own, devices),
  ])
}

export interface Tally {
  total: number
  ok: number
  fault: number
  unknown: number
  waiting: number
}

export function tally(cameras: readonly Camera[]): Tally {
  const result = { total: 0, ok: 0, fault: 0, unknown: 0, waiting: 0 }
  for (const camera of cameras) {
    if (camera.state === 'retired') continue
    result.total += 1
    if (camera.state === 'approved') result[camera.health] += 1
    else result.waiting += 1
  }
  return result
}
