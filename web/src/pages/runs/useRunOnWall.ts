/** A run on the wall: its newest state, however it arrived, the wall kept on what it shows, and what of that is really seen. */
import { computed, onBeforeUnmount, onMounted, ref, shallowRef, watch, type ComputedRef, type Ref } from 'vue'
import { api, pictureUrl, type ApiError } from '@/api/client'
import { cameras as knownCameras, live, me, runs } from '@/stores'
import type { WallControl } from '@/wall/control'
import type { ItineraryStop, LayoutName, Run } from '@/api/types'
import { fitted, layoutFor } from '@/wall/layout'
import { newerRun } from '../tours/countdown'
import { Looking } from './looking'
import { SeenMeter, type SeenOfCamera, type SeenStep } from './seen'

export interface RunOnWall {
  run: Ref<Run | null>
  /** The tour as it was when the run started; empty until it is here. It never changes, so it is fetched once. */
  itinerary: Ref<readonly ItineraryStop[]>
  /** The stop that is on; null while the run is closing or has ended. */
  stop: ComputedRef<ItineraryStop | null>
  error: Ref<ApiError | null>
  /** What of the present stop has been seen on this page. */
  seen: Ref<ReadonlyMap<number, SeenOfCamera>>
  /** Whether the wall shows other cameras than the run's: somebody has put them there by hand. */
  changed: ComputedRef<boolean>
  /** Puts the run's cameras back on the wall. */
  show(): void
  /** Fetches the run again: after a reconnect, or when somebody else has acted on it. */
  load(): Promise<void>
  accept(arrived: Run): void
  /** Sends what was seen, for the hub to know it before it is asked to believe a confirmation. */
  report(): void
}

interface Shown {
  layout: LayoutName
  cameras: (number | null)[]
}

const MEASURE_EVERY_MS = 500
const NOTHING: Shown = { layout: '1', cameras: [null] }

/** What the run wants on the wall: the alarm's cameras while one interrupts, nothing once its stops are over. */
function shownBy(run: Run | null, stop: ItineraryStop | null): Shown | null {
  if (!run || run.state === 'ended') return null
  if (run.state === 'closing') return NOTHING
  const alarm = run.state === 'paused' && run.pause_reason === 'alarm' ? run.interrupt : null
  if (alarm?.cameras.length) {
    const ids = alarm.cameras.slice(0, 16).map((camera) => camera.id)
    return { layout: layoutFor(ids.length), cameras: fitted(layoutFor(ids.length), ids) }
  }
  return stop && { layout: stop.layout, cameras: fitted(stop.layout, stop.cameras.map((camera) => camera?.id ?? null)) }
}

/** Keeps the wall on the current stop of run `runId` (null: none); restores the operator's scene afterwards. */
export function useRunOnWall(wall: WallControl, runId: () => number | null): RunOnWall {
  const run = ref<Run | null>(null)
  const itinerary = shallowRef<readonly ItineraryStop[]>([])
  const error = ref<ApiError | null>(null)
  const seen = shallowRef<ReadonlyMap<number, SeenOfCamera>>(new Map())
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
        if (before) wall.show(before)
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
    return current && (current.state === 'running' || current.state === 'paused') ? (itinerary.value[current.position] ?? null) : null
  })
  // One string per picture on the wall, so that a pause or a new countdown does not touch the tiles.
  const wanted = computed(() => {
    const shown = shownBy(run.value, stop.value)
    return shown && JSON.stringify([shown.layout, shown.cameras])
  })
  function show(): void {
    const shown = shownBy(run.value, stop.value)
    if (!shown) return
    before ??= wall.scene()
    wall.showScene(shown.layout, shown.cameras)
  }
  const changed = computed(() => {
    const { layout, cameras } = wall.scene()
    return wanted.value !== null && run.value?.state !== 'closing' && wanted.value !== JSON.stringify([layout, cameras])
  })

  // What was really seen goes into the record: of a patrol what its operator saw, from when it became theirs. A page that is closed or hidden sends what it has at once.
  const meter = new SeenMeter((message) => live.report(message))
  const looking = new Looking(wall)
  const step = computed<SeenStep | null>(() => {
    const current = run.value
    if (!current || !stop.value || current.step === null || current.pause_reason === 'alarm') return null
    if (!current.loop && current.operator?.id !== me.value?.id) return null
    const dead = new Set(current.dead.map((one) => one.id))
    const cameras = stop.value.cameras.flatMap((camera) => (camera && !dead.has(camera.id) ? [camera.id] : []))
    return { run: current.id, step: current.step, cameras: [...new Set(cameras)], least: current.least_s }
  })
  const measure = (): void => {
    const now = performance.now()
    meter.tick(looking.sights(now), now)
    seen.value = meter.seen()
  }
  watch(
    step,
    (now, last) => {
      if (last) measure() // the wall still shows it
      meter.enter(now, performance.now())
      if (now?.step !== last?.step || now?.run !== last?.run) looking.begin()
      seen.value = meter.seen()
    },
    { immediate: true, flush: 'sync' },
  )
  const hidden = (): void => {
    if (document.hidden) meter.flush(performance.now(), false)
  }

  // The stored pictures of the next stop are there before its tiles are: a new tile never begins black.
  watch(
    () => itinerary.value[run.value?.next_position ?? -1],
    (next) => {
      for (const camera of next?.cameras ?? []) {
        const at = camera && knownCameras.byId.get(camera.id)?.picture_at
        if (at) new Image().src = pictureUrl(camera.id, at)
      }
    },
  )

  const stops: (() => void)[] = []
  onMounted(() => {
    // After the wall page has put up its own scene.
    watch(wanted, show, { immediate: true, flush: 'post' })
    watch(
      () => run.value?.state,
      (state, last) => {
        if (state !== 'ended' || last === undefined || !before) return
        wall.show(before)
        before = null
      },
    )
    stops.push(live.on('hello', () => void load()), live.on('reload', () => void load()))
    const timer = setInterval(measure, MEASURE_EVERY_MS)
    document.addEventListener('visibilitychange', hidden)
    // Browser journeys read what the looking costs; nothing can be steered by it.
    Object.defineProperty(window, '__seen', { configurable: true, get: () => ({ taken: looking.glimpses.taken, ms: looking.glimpses.ms, seen: Object.fromEntries(seen.value) }) })
    stops.push(
      () => clearInterval(timer),
      () => document.removeEventListener('visibilitychange', hidden),
      () => meter.enter(null, performance.now()),
    )
  })
  onBeforeUnmount(() => {
    for (const end of stops.splice(0)) end()
  })
  return { run, itinerary, stop, error, seen, changed, show, load, accept, report: () => meter.flush(performance.now(), false) }
}
