/** What is being changed on the map: one thing at a time, kept or thrown away as a whole. */
import { ElMessage } from 'element-plus/es/components/message/index'
import { computed, onBeforeUnmount, ref, shallowRef } from 'vue'
import type { ApiError } from '@/api/client'
import { api } from '@/api/client'
import type { PlaceClass } from '@/api/types'
import { t } from '@/i18n'
import { cameras, villages } from '@/stores'
import { confirmAction, showDone } from '../parts/messages'
import { added, closed, draftOf, inserted, middles, movedPoint, newDraft, problemOf, removed, undone, type Draft, type Kind } from './draft'
import { bearing, distance, fitted, moved, turn, type Box, type LngLat } from './geo'
import { hub, type Base, type CameraPosition, type KeyPlace, type PlacementWarning } from './mapApi'
import { pictureProblem, type PictureProblem } from './pictureFile'
import type { Handle } from './mapView'
import { lengthText } from './words'

export interface CameraEdit {
  what: 'camera'
  id: number
  at: LngLat | null
  direction: number | null
  angle: number | null
  reach: number | null
}
export interface VillageEdit {
  what: 'village'
  id: number
  at: LngLat | null
}
export interface PlaceEdit {
  what: 'place'
  id: number | null
  draft: Draft
  name: string
  place_class: PlaceClass
  village_id: number | null
  reach: number | null
}
export interface BaseEdit {
  what: 'base'
  /** A new picture, or null: the one that is there gets another place. */
  file: File | null
  url: string | null
  box: Box
  opacity: number
  /** Percent sent; null: nothing is being sent. */
  sent: number | null
}
export type Edit = CameraEdit | VillageEdit | PlaceEdit | BaseEdit

const DEGREE_DIGITS = 7
/** Metres: what the hub takes. */
const MOST_REACH = 2_000

const round = ([lng, lat]: LngLat): LngLat => [Number(lng.toFixed(DEGREE_DIGITS)), Number(lat.toFixed(DEGREE_DIGITS))]

export function useEditing(heard: { placed(id: number, one: CameraPosition): void; changed(): void; view(): Box; defaults(): { angle: number; reach: number } }) {
  const edit = shallowRef<Edit | null>(null)
  const busy = ref(false)
  const error = ref<ApiError | null>(null)
  const problem = ref<PictureProblem | null>(null)
  const dirty = ref(false)
  let sending: AbortController | null = null

  function begin(next: Edit | null): void {
    sending?.abort()
    if (edit.value?.what === 'base' && edit.value.url && (next?.what !== 'base' || next.url !== edit.value.url)) URL.revokeObjectURL(edit.value.url)
    edit.value = next
    error.value = problem.value = null
    dirty.value = false
    busy.value = false
  }
  /** Changes some of what is being edited. */
  function set(change: Partial<CameraEdit> | Partial<VillageEdit> | Partial<PlaceEdit> | Partial<BaseEdit>): void {
    if (!edit.value) return
    edit.value = { ...edit.value, ...change } as Edit
    dirty.value = true
  }
  onBeforeUnmount(() => begin(null))

  function editCamera(id: number, known: CameraPosition | undefined): void {
    const at = known && known.longitude !== null && known.latitude !== null ? ([known.longitude, known.latitude] as const) : null
    begin({ what: 'camera', id, at, direction: known?.direction_deg ?? null, angle: known?.angle_deg ?? null, reach: known?.reach_m ?? null })
  }
  function drawPlace(kind: Kind): void {
    begin({ what: 'place', id: null, draft: newDraft(kind), name: '', place_class: 'key_road', village_id: null, reach: null })
  }
  function editPlace(place: KeyPlace): void {
    begin({ what: 'place', id: place.id, draft: draftOf(place.kind, place.geometry), name: place.name, place_class: place.place_class, village_id: place.village_id, reach: place.reach_m })
  }
  function editBase(base: Base): void {
    const [[west, south], [east, north]] = base.corners
    begin({ what: 'base', file: null, url: null, box: { west, south, east, north }, opacity: base.opacity, sent: null })
  }
  /** A new picture, proposed where the map is now; it can be moved before it is sent. */
  async function newBase(file: File, old: Base | null): Promise<void> {
    problem.value = pictureProblem(file)
    if (problem.value) return
    const url = URL.createObjectURL(file)
    const size = await sizeOf(url)
    if (!size) {
      URL.revokeObjectURL(url)
      problem.value = 'broken'
      return
    }
    const [[west, south], [east, north]] = old?.corners ?? [[0, 0], [0, 0]]
    const box = old ? { west, south, east, north } : fitted(heard.view(), ...size)
    begin({ what: 'base', file, url, box, opacity: old?.opacity ?? 1, sent: null })
    dirty.value = true
  }

  /** A click on the map. True: it was taken. */
  function click(at: LngLat): boolean {
    const now = edit.value
    if (!now || busy.value) return now !== null
    if (now.what === 'camera' || now.what === 'village') set({ at: round(at) })
    else if (now.what === 'place' && (now.draft.open || now.draft.kind === 'point')) set({ draft: added(now.draft, round(at)) })
    return true
  }

  async function saved<T>(call: Promise<{ ok: true; data: T } | { ok: false; aborted: boolean; error: ApiError }>): Promise<T | null> {
    busy.value = true
    error.value = null
    const result = await call
    busy.value = false
    if (result.ok) return result.data
    if (!result.aborted) error.value = result.error
    return null
  }

  /** Keeps what was changed. True: the hub has it. */
  async function save(): Promise<boolean> {
    const now = edit.value
    if (!now || busy.value) return false
    if (now.what === 'camera') {
      if (!now.at) return false
      const body = { longitude: now.at[0], latitude: now.at[1], direction_deg: now.direction, angle_deg: now.angle, reach_m: now.reach }
      const answer = await saved(hub.placeCamera(now.id, body))
      if (!answer) return false
      if (answer.position) heard.placed(now.id, answer.position)
      if (answer.warning && !(await accepted(now, answer.warning))) return false
    } else if (now.what === 'village') {
      if (!now.at || (await saved(hub.placeVillage(now.id, now.at))) === null) return false
    } else if (now.what === 'place') {
      if (problemOf(now.draft) || !now.name.trim()) return false
      const body = { village_id: now.village_id, name: now.name.trim(), place_class: now.place_class, kind: now.draft.kind, geometry: [...now.draft.points], reach_m: now.reach }
      const answer = await saved(now.id === null ? hub.addPlace(body) : hub.changePlace(now.id, body))
      if (!answer) return false
    } else if (!(await saveBase(now))) return false
    showDone(t('common.saved'))
    begin(null)
    heard.changed()
    return true
  }

  /** The hub has kept the position, and doubts it: where another datum explains it, it is converted on request. */
  async function accepted(now: CameraEdit, warning: PlacementWarning): Promise<boolean> {
    const far = { name: cameras.byId.get(now.id)?.name ?? '', n: lengthText(warning.distance_m) }
    if (!warning.converted || !warning.datum) {
      ElMessage({ message: t(`map.warn_${warning.why}`, far), type: 'warning', duration: 8_000, showClose: true })
      return true
    }
    const datum = t(`map.datum_${warning.datum}`)
    if (!(await confirmAction(t('map.convert_title', { datum }), t('map.convert', { ...far, datum }), t('map.convert_yes')))) return true
    if (edit.value?.what !== 'camera' || edit.value.id !== now.id) return false
    set({ at: round(warning.converted) })
    return save()
  }

  async function saveBase(now: BaseEdit): Promise<boolean> {
    if (!now.file) return (await saved(hub.changeBase(now.box, now.opacity))) !== null
    const { file, box } = now
    const mine = (sending = new AbortController())
    set({ sent: 0 })
    const onSent = (bytes: number): void => {
      if (edit.value?.what === 'base' && sending === mine) set({ sent: Math.min(100, Math.round((bytes / file.size) * 100)) })
    }
    const answer = await saved(api.putBase(box, { file, signal: mine.signal, onSent }))
    if (sending === mine) sending = null
    if (edit.value?.what === 'base') set({ sent: null })
    if (answer === null) return false
    return (answer as Base).opacity === now.opacity || (await saved(hub.changeBase(box, now.opacity))) !== null
  }

  /** Ends editing without keeping; asks where something would be lost. */
  async function cancel(): Promise<boolean> {
    const now = edit.value
    if (!now) return true
    const much = now.what === 'base' ? now.file !== null && now.sent !== null : now.what === 'place' && dirty.value && now.draft.points.length > 2
    if (much && !(await confirmAction(t('map.discard_title'), t('map.discard'), t('map.discard_yes')))) return false
    if (edit.value === now || edit.value?.what === now.what) begin(null)
    return true
  }

  async function removePlace(): Promise<void> {
    const now = edit.value
    if (now?.what !== 'place' || now.id === null) return
    if (!(await confirmAction(t('map.place_remove_title', { name: now.name }), t('map.place_remove'), t('common.remove')))) return
    if ((await saved(hub.removePlace(now.id))) === null) return
    begin(null)
    heard.changed()
  }
  async function removeBase(): Promise<void> {
    if (!(await confirmAction(t('map.base_remove_title'), t('map.base_remove'), t('common.remove')))) return
    if ((await saved(hub.removeBase())) === null) return
    begin(null)
    heard.changed()
  }

  function undo(): void {
    if (edit.value?.what === 'place') set({ draft: undone(edit.value.draft) })
  }
  function finish(): void {
    if (edit.value?.what === 'place' && !problemOf(edit.value.draft)) set({ draft: closed(edit.value.draft) })
  }

  const handles = computed<Handle[]>(() => {
    const now = edit.value
    if (!now || busy.value) return []
    if (now.what === 'camera') return now.at ? cameraHandles(now, now.at) : []
    if (now.what === 'village') return now.at ? [{ key: 'village', at: now.at, kind: 'camera', label: villages.byId.get(now.id)?.name ?? '', onEnd: (to) => set({ at: round(to) }) }] : []
    return now.what === 'place' ? placeHandles(now) : baseHandles(now)
  })

  function cameraHandles(now: CameraEdit, at: LngLat): Handle[] {
    const direction = now.direction ?? 0
    const defaults = heard.defaults()
    const [reach, angle] = [now.reach ?? defaults.reach, now.angle ?? defaults.angle]
    const end = (to: number, far: number): LngLat => moved(at, far * Math.sin((to * Math.PI) / 180), far * Math.cos((to * Math.PI) / 180))
    const list: Handle[] = [
      { key: 'at', at, kind: 'camera', label: t('map.handle_camera'), onMove: (to) => set({ at: round(to) }), onEnd: (to) => set({ at: round(to) }) },
      {
        key: 'turn', at: end(direction, reach), kind: 'turn', label: t('map.handle_turn'),
        onMove: (to) => set({ direction: Math.round(bearing(at, to)) % 360, reach: Math.max(5, Math.min(MOST_REACH, Math.round(distance(at, to)))), angle }),
      },
    ] // prettier-ignore
    if (now.direction === null) return list
    const side = (key: string, sign: 1 | -1): Handle => ({
      key, at: end(direction + (sign * angle) / 2, reach * 0.75), kind: 'middle', label: t('map.handle_angle'),
      onMove: (to) => set({ angle: Math.max(10, Math.min(360, Math.round(turn(bearing(at, to), direction) * 2))) }),
    }) // prettier-ignore
    return [...list, side('left', -1), side('right', 1)]
  }

  function placeHandles(now: PlaceEdit): Handle[] {
    const { draft } = now
    const corners = draft.points.map((at, i): Handle => ({
      key: `p${i}`, at, kind: 'corner', label: t('map.handle_corner', { n: i + 1 }),
      onEnd: (to) => edit.value?.what === 'place' && set({ draft: movedPoint(edit.value.draft, i, round(to)) }),
      onClick: () => (edit.value?.what === 'place' && edit.value.draft.open && (i === 0 || i === draft.points.length - 1) ? finish() : undefined),
      onRemove: () => edit.value?.what === 'place' && set({ draft: removed(edit.value.draft, i) }),
    })) // prettier-ignore
    const between = middles(draft).map(({ index, at }): Handle => ({
      key: `m${index}/${draft.points.length}`, at, kind: 'middle', label: t('map.handle_middle'),
      onEnd: (to) => edit.value?.what === 'place' && set({ draft: inserted(edit.value.draft, index, round(to)) }),
    })) // prettier-ignore
    return [...between, ...corners]
  }

  function baseHandles(now: BaseEdit): Handle[] {
    const { west, south, east, north } = now.box
    const corner = (key: string, at: LngLat, change: (to: LngLat) => Partial<Box>): Handle => {
      const move = (to: LngLat): void => {
        if (edit.value?.what !== 'base') return
        const box = { ...edit.value.box, ...change(round(to)) }
        if (box.east > box.west && box.north > box.south) set({ box })
      }
      return { key, at, kind: 'corner', label: t(`map.corner_${key}`), onMove: move, onEnd: (to) => (move(to), set({})) }
    }
    return [
      corner('nw', [west, north], ([lng, lat]) => ({ west: lng, north: lat })),
      corner('ne', [east, north], ([lng, lat]) => ({ east: lng, north: lat })),
      corner('se', [east, south], ([lng, lat]) => ({ east: lng, south: lat })),
      corner('sw', [west, south], ([lng, lat]) => ({ west: lng, south: lat })),
      {
        key: 'whole', at: [(west + east) / 2, (south + north) / 2], kind: 'place', label: t('map.corner_whole'),
        onMove: ([lng, lat]) => {
          const [dx, dy] = [lng - (west + east) / 2, lat - (south + north) / 2]
          set({ box: { west: west + dx, east: east + dx, south: south + dy, north: north + dy } })
        },
      },
    ] // prettier-ignore
  }

  return { edit, busy, error, problem, dirty, begin, set, click, save, cancel, undo, finish, handles, editCamera, drawPlace, editPlace, editBase, newBase, removePlace, removeBase }
}
export type Editing = ReturnType<typeof useEditing>

/** The picture's size as the browser shows it (EXIF orientation obeyed); null: no picture. */
function sizeOf(url: string): Promise<[number, number] | null> {
  return new Promise((resolve) => {
    const image = new Image()
    image.onload = () => resolve(image.naturalWidth && image.naturalHeight ? [image.naturalWidth, image.naturalHeight] : null)
    image.onerror = () => resolve(null)
    image.src = url
  })
}
