/** Which cameras are excluded now, and why: read from the hub's list of exclusions, spread over the cameras below them. */
import { computed, onBeforeUnmount, onMounted, type ComputedRef } from 'vue'
import { api, type Result } from '@/api/client'
import type { components } from '@/api/schema'
import { approvedCameras, live } from '@/stores'
import type { Camera } from '@/api/types'
import { useLoad } from '../parts/useLoad'

export type Exclusion = components['schemas']['ExclusionAnswer']

const PAGE = 500
const PAGES = 8
const PAUSE_MS = 1_500

/** Camera id → the reason that was given. Of several the one nearest to the camera counts. */
export function excludedCameras(exclusions: readonly Exclusion[], cameras: readonly Pick<Camera, 'id' | 'device_id' | 'village_id'>[]): Map<number, string> {
  const subject = (level: Exclusion['level'], one: Exclusion): number | null => (level === 'camera' ? one.camera_id : level === 'device' ? one.device_id : one.village_id)
  const by = { camera: new Map<number, string>(), device: new Map<number, string>(), village: new Map<number, string>() }
  for (const one of exclusions) {
    const id = subject(one.level, one)
    if (one.holds && id !== null) by[one.level].set(id, one.reason)
  }
  const found = new Map<number, string>()
  for (const camera of cameras) {
    const reason = by.camera.get(camera.id) ?? by.device.get(camera.device_id) ?? by.village.get(camera.village_id)
    if (reason !== undefined) found.set(camera.id, reason)
  }
  return found
}

async function readInForce(signal: AbortSignal): Promise<Result<Exclusion[]>> {
  const all: Exclusion[] = []
  for (let page = 0; page < PAGES; page += 1) {
    const answer = await api.get('/api/exclusions', { query: { state: ['in_force'], limit: PAGE, before: all.at(-1)?.id }, signal })
    if (!answer.ok) return answer
    all.push(...answer.data)
    if (answer.data.length < PAGE) break
  }
  return { ok: true, data: all }
}

export function useExcluded(): ComputedRef<ReadonlyMap<number, string>> {
  const list = useLoad(readInForce)
  let timer: ReturnType<typeof setTimeout> | undefined
  const stops: (() => void)[] = []
  function read(): void {
    clearTimeout(timer)
    timer = undefined
    list.refresh()
  }
  onMounted(() => {
    read()
    // An exclusion changes the figures of its village.
    stops.push(live.onChanged('village', () => (timer ??= setTimeout(read, PAUSE_MS))), live.on('hello', read), live.on('reload', read))
  })
  onBeforeUnmount(() => {
    clearTimeout(timer)
    for (const stop of stops.splice(0)) stop()
  })
  return computed(() => excludedCameras(list.data.value ?? [], approvedCameras.value))
}
