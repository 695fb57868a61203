/** A run on the wall: its newest state, however it arrived, and the wall kept on its current stop. */
import { computed, onBeforeUnmount, onMounted, ref, shallowRef, watch, type ComputedRef, type Ref } from 'vue'
import { api, type ApiError } from '@/api/client'
import { live, runs } from '@/stores'
import type { WallControl } from '@/wall/control'
import type { ItineraryStop, Run } from '@/api/types'
import { newerRun } from '../tours/countdown'
import { SeenMeter, type SeenStep } from './seen'

export interface RunOnWall {
  run: Ref<Run | null>
  /** The tour as it was when the run started; empty until it is here. It never changes, so it is fetched once. */
  itinerary: Ref<readonly ItineraryStop[]>
  stop: ComputedRef<ItineraryStop | null>
  error: Ref<ApiError | null>
  /** Fetches the run again: after a reconnect, or when somebody else has acted on it. */
  load(): Promise<void>
  accept(arrived: Run): void
}

/** Keeps the wall on the current stop of run `runId` (null: none); restores the operator's scene afterwards. */
export function useRunOnWall(wall: WallControl, runId: () => number | null): RunOnWall {
  const run = ref<Run | null>(null)
  const itinerary = shallowRef<readonly ItineraryStop[]>([])
  const error = ref<ApiError | null>(null)
  let before: ReturnType<WallControl['scene']> | null = null

  function accept(arrived: Run): void {
    if (arrived.id !== runId()) return
    run.value = newerRun(run.value, arrived)
    error.value = null
  }

  async function load(): Promise<void> {
    const id = runId()
    if (id === null) return
    void loadItinerary(id)
    const answer = await api.get('/api/runs/{run_id}', { path: { run_id: id } })
    if (id !== runId()) return
    if (answer.ok) {
      accept(answer.data)
      runs.put(answer.data)
    } else if (!answer.aborted) error.value = answer.error
  }

  async function loadItinerary(id: number): Promise<void> {
    if (itinerary.value.length) return
    const answer = await api.get('/api/runs/{run_id}/itinerary', { path: { run_id: id } })
    if (id !== runId()) return
    if (answer.ok) itinerary.value = answer.data.stops
    else if (!answer.aborted) error.value = answer.error
  }

  watch(
    runId,
    (id) => {
      run.value = null
      itinerary.value = []
      error.value = null
      if (id === null) {
        if (before) wall.show(before, false)
        before = null
        return
      }
      const known = runs.byId.get(id)
      if (known) run.value = known
      void load()
    },
    { immediate: true },
  )
  watch(
    () => runs.byId.get(runId() ?? 0),
    (known) => known && accept(known),
  )

  const stop = computed<ItineraryStop | null>(() => {
    const current = run.value
    return current && current.state !== 'ended' ? (itinerary.value[current.position] ?? null) : null
  })
  // One string per picture on the wall, so that a pause or a new countdown does not touch the tiles.
  const shown = computed(() => (stop.value ? JSON.stringify([stop.value.layout, stop.value.cameras.map((camera) => camera?.id ?? null)]) : null))
  function show(): void {
    if (!stop.value) return
    before ??= wall.scene()
    wall.showScene(stop.value.layout, stop.value.cameras.map((camera) => camera?.id ?? null))
  }
  // What was really seen goes into the record; a page that is closed or hidden sends what it has at once.
  const meter = new SeenMeter((message) => live.report(message))
  const step = computed<SeenStep | null>(() => {
    const current = run.value
    if (!current || !stop.value || current.step === null) return null
    const dead = new Set(current.dead.map((one) => one.id))
    const cameras = stop.value.cameras.flatMap((camera) => (camera && !dead.has(camera.id) ? [camera.id] : []))
    return { run: current.id, step: current.step, cameras: [...new Set(cameras)] }
  })
  watch(step, (now) => meter.enter(now, performance.now()), { immediate: true, flush: 'sync' })
  const measure = (): void => meter.tick(wall.moving(), !document.hidden, performance.now())
  const hidden = (): void => {
    if (document.hidden) meter.flush(performance.now())
  }

  const stops: (() => void)[] = []
  onMounted(() => {
    // After the wall page has put up its own scene.
    watch(shown, show, { immediate: true, flush: 'post' })
    stops.push(live.on('hello', () => void load()), live.on('reload', () => void load()))
    const timer = setInterval(measure, 500)
    document.addEventListener('visibilitychange', hidden)
    stops.push(
      () => clearInterval(timer),
      () => document.removeEventListener('visibilitychange', hidden),
      () => meter.enter(null, performance.now()),
    )
  })
  onBeforeUnmount(() => {
    for (const end of stops.splice(0)) end()
  })
  return { run, itinerary, stop, error, load, accept }
}
