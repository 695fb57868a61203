/** What the map shows: villages, places and positions of the hub's map, with the live states of the cameras. */
import { computed, onBeforeUnmount, ref, shallowRef, triggerRef } from 'vue'
import type { Camera } from '@/api/types'
import { t } from '@/i18n'
import { approvedCameras, live, villages } from '@/stores'
import { useLoad } from '../parts/useLoad'
import { area, boxOf, middle, within, withoutStray, type Box, type LngLat } from './geo'
import { hub, isPlaced, type CameraPosition, type PlacedCamera } from './mapApi'
import { countsOf, shapeOf, type Shape } from './marks'
import type { VillageMark } from './mapView'

/** How much wider than its cameras' positions a village is drawn that has no outline, in metres. */
const MARGIN = 70

/** Where a village's name stands that has no place of its own: at the upper edge, where it covers no camera. */
function nameOf(points: readonly LngLat[], outline: readonly LngLat[]): LngLat | null {
  const centre = middle(points) ?? middle(outline)
  const box = boxOf(outline)
  return centre && box ? [centre[0], box.north] : centre
}

export function useTownship() {
  const township = useLoad((signal) => hub.township(signal))
  const loaded = useLoad((signal) => hub.cameras(signal))
  const positions = shallowRef(new Map<number, PlacedCamera>())
  /** Counts the changes of positions. */
  const version = ref(0)
  /** Changes that came while the list was on its way are newer than it. */
  let meanwhile = new Map<number, CameraPosition | null>()

  function put(id: number, one: CameraPosition | null): void {
    if (one && isPlaced(one)) positions.value.set(id, one)
    else positions.value.delete(id)
  }
  async function loadPositions(): Promise<void> {
    meanwhile = new Map()
    await loaded.load()
    if (!loaded.data.value) return
    positions.value = new Map(loaded.data.value.filter(isPlaced).map((one) => [one.id, one]))
    for (const [id, one] of meanwhile) put(id, one)
    changed()
  }
  function changed(): void {
    version.value += 1
    triggerRef(positions)
  }
  /** A new position, from an answer or an event. */
  function placed(id: number, one: CameraPosition | null): void {
    meanwhile.set(id, one)
    put(id, one)
    changed()
  }
  function load(): void {
    void township.load()
    void loadPositions()
  }
  const stops = [
    live.on('changed', (change) => {
      const { topic } = change
      if (topic === 'map') township.refresh()
      else if (topic === 'camera_position') placed(Number(change.id), change.data as unknown as CameraPosition | null)
    }),
    live.on('hello', load),
    live.on('reload', load),
  ]
  onBeforeUnmount(() => {
    for (const stop of stops) stop()
  })
  load()

  const shapes = computed(() => new Map<number, Shape>(approvedCameras.value.map((one) => [one.id, shapeOf(one, villages.byId.get(one.village_id))])))
  const byVillage = computed(() => {
    const found = new Map<number, Camera[]>()
    for (const one of approvedCameras.value) {
      const there = found.get(one.village_id)
      if (there) there.push(one)
      else found.set(one.village_id, [one])
    }
    return found
  })

  /** Outlines and places of villages: they depend on positions alone, and stay the same objects while only states change. */
  let remembered = new Map<number, { key: string; outline: LngLat[]; drawn: boolean; at: LngLat | null }>()
  function groundOf(id: number, points: readonly LngLat[]): { outline: LngLat[]; drawn: boolean; at: LngLat | null } {
    const own = township.data.value?.villages.find((one) => one.id === id)
    const key = JSON.stringify([points, own?.outline, own?.longitude, own?.latitude])
    const known = remembered.get(id)
    if (known?.key === key) return known
    const near = withoutStray(points)
    const drawn = (own?.outline?.length ?? 0) >= 3
    const outline = drawn ? own!.outline! : near.length ? area(near, MARGIN) : []
    const at: LngLat | null = own && own.longitude !== null && own.latitude !== null ? [own.longitude, own.latitude] : nameOf(near, outline)
    const made = { key, outline, drawn, at }
    remembered = new Map(remembered).set(id, made)
    return made
  }
  const villageMarks = computed<VillageMark[]>(() =>
    villages.list.value.flatMap((village) => {
      const own = byVillage.value.get(village.id) ?? []
      const points = own.flatMap((one) => {
        const position = positions.value.get(one.id)
        return position ? [[position.longitude, position.latitude] as const] : []
      })
      const { outline, drawn, at } = groundOf(village.id, points)
      if (!at) return []
      const counts = countsOf(own.map((one) => shapes.value.get(one.id)!), !!village.down_since)
      const words = t(village.down_since ? 'map.village_down' : 'map.village_words', { name: village.name, ...counts })
      return [{ id: village.id, name: village.name, at, outline, drawn, shape: counts.shape, chosen: false, counts, words }]
    }),
  )
  /** Whether the positions have been read once. */
  const known = computed(() => version.value > 0)
  const unplaced = computed(() => (known.value ? approvedCameras.value.filter((one) => !positions.value.has(one.id)) : []))
  const bounds = computed<Box | null>(() => boxOf(township.data.value?.bounds ?? []))
  const outside = computed(() => {
    const box = bounds.value
    return box ? approvedCameras.value.filter((one) => { const at = positions.value.get(one.id); return at && !within(box, [at.longitude, at.latitude]) }) : []
  }) // prettier-ignore

  /** All that there is to see; null where nothing has a place yet. */
  const whole = computed<Box | null>(() => {
    const cameras = withoutStray([...positions.value.values()].map((one) => [one.longitude, one.latitude] as const))
    const others = [...(township.data.value?.places ?? []).flatMap((one) => one.geometry), ...(township.data.value?.base?.corners ?? [])]
    const names = (township.data.value?.villages ?? []).flatMap((one) => (one.longitude !== null && one.latitude !== null ? [[one.longitude, one.latitude] as const] : []))
    return boxOf([...cameras, ...others, ...names]) ?? bounds.value
  })

  return { township, loaded, known, positions, version, shapes, byVillage, villageMarks, unplaced, outside, bounds, whole, load, placed, loadPositions }
}
export type TownshipData = ReturnType<typeof useTownship>
