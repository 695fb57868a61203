/** What the map shows: villages, places and positions of the hub's map, with the live states of the cameras. */
import { computed, onBeforeUnmount, ref, shallowRef, triggerRef } from 'vue'
import type { Camera, Topic } from '@/api/types'
import { t } from '@/i18n'
import { approvedCameras, live, villages } from '@/stores'
import { useLoad } from '../parts/useLoad'
import { area, boxOf, middle, within, withoutStray, type Box, type LngLat } from './geo'
import { hub, isPlaced, type CameraPosition, type PlacedCamera } from './mapApi'
import { countsOf, shapeOf, type Shape } from './marks'
import type { VillageMark } from './mapView'

/** How much wider than its cameras' positions a village is drawn that has no outline, in metres. */
const MARGIN = 70

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
      const topic = change.topic as Topic | 'map' | 'camera_position'
      if (topic === 'map' || topic === 'village') township.refresh()
      else if (topic === 'camera_position') {
        const data = change.data as unknown as CameraPosition | null
        if (data && 'longitude' in data) placed(Number(change.id), data)
        else void loadPositions()
      }
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
    const at: LngLat | null = own && own.longitude !== null && own.latitude !== null ? [own.longitude, own.latitude] : (middle(near) ?? middle(outline))
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
  const unplaced = computed(() => (loaded.data.value ? approvedCameras.value.filter((one) => !positions.value.has(one.id)) : []))
  const bounds = computed<Box | null>(() => boxOf(township.data.value?.bounds ?? []))
  const outside = computed(() => {
    const box = bounds.value
    return box ? approvedCameras.value.filter((one) => { const at = positions.value.get(one.id); return at && !within(box, [at.longitude, at.latitude]) }) : []
  }) // prettier-ignore

  /** All that there is to see; null where nothing has a place yet. */
  const whole = computed<Box | null>(() => {
    const cameras = withoutStray([...positions.value.values()].map((one) => [one.longitude, one.latitude] as const))
    const others = [...(township.data.value?.places ?? []).flatMap((one) => one.geometry), ...(township.data.value?.base?.corners ?? [])]
    const known = (township.data.value?.villages ?? []).flatMap((one) => (one.longitude !== null && one.latitude !== null ? [[one.longitude, one.latitude] as const] : []))
    return boxOf([...cameras, ...others, ...known]) ?? bounds.value
  })

  return { township, loaded, positions, version, shapes, byVillage, villageMarks, unplaced, outside, bounds, whole, load, placed, loadPositions }
}
export type TownshipData = ReturnType<typeof useTownship>
