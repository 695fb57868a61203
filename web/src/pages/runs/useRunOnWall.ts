/** A run on the wall: its newest state, however it arrived, and the wall kept on its current stop. */
import { computed, onBeforeUnmount, onMounted, ref, watch, type ComputedRef, type Ref } from 'vue'
import { api, type ApiError } from '@/api/client'
import { live, runs } from '@/stores'
import type { WallControl } from '@/wall/control'
import type { PlanStop, Run } from '@/api/types'
import { newerRun } from '../tours/countdown'
import { SeenCounter } from './seenCounter'

export interface RunOnWall {
  run: Ref<Run | null>
  /** The stops of its tour as they were when it started: they never change. Empty until they are read. */
  stops: Ref<PlanStop[]>
  stop: ComputedRef<PlanStop | null>
  error: Ref<ApiError | null>
  /** Fetches the run again: after a reconnect, or when somebody else has acted on it. */
  load(): Promise<void>
  accept(arrived: Run): void
}

/** Keeps the wall on the current stop of run `runId` (null: none); restores the operator's scene afterwards. */
export function useRunOnWall(wall: WallControl, runId: () => number | null): RunOnWall {
  const run = ref<Run | null>(null)
  const plan = ref<PlanStop[]>([])
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
    const path = { run_id: id }
    const [answer, stops] = await Promise.all([
      api.get('/api/runs/{run_id}', { path }),
      plan.value.length ? null : api.get('/api/runs/{run_id}/plan', { path }),
    ])
    if (id !== runId()) return
    if (stops?.ok) plan.value = stops.data.stops
    const failed = [answer, stops].find((one) => one && !one.ok)
    if (answer.ok) {
      accept(answer.data)
      runs.put(answer.data)
    }
    if (failed && !failed.ok && !failed.aborted) error.value = failed.error
  }

  watch(
    runId,
    (id) => {
      run.value = null
      plan.value = []
      error.value = null
      if (id === null) {
        if (before) wall.showScene(before.layout, before.cameras)
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

  const stop = computed<PlanStop | null>(() => {
    const current = run.value
    return current && current.state !== 'ended' ? (plan.value[current.position] ?? null) : null
  })
  // One string per picture on the wall, so that a pause or a new countdown does not touch the tiles.
  const shown = computed(() => (stop.value ? JSON.stringify([stop.value.layout, stop.value.cameras.map((camera) => camera?.id ?? null)]) : null))
  function show(): void {
    if (!stop.value) return
    before ??= wall.scene()
    wall.showScene(stop.value.layout, stop.value.cameras.map((camera) => camera?.id ?? null))
  }

  // What of the step was really seen here, for its record.
  const counter = new SeenCounter((message) => live.report(message), () => performance.now())
  watch(
    () => [run.value?.id ?? 0, stop.value ? (run.value?.step ?? null) : null] as const,
    ([id, step]) => counter.enter(id, step, stop.value?.cameras.flatMap((camera) => (camera ? [camera.id] : [])) ?? []),
  )
  const leavePage = (): void => counter.report()

  const ends: (() => void)[] = []
  onMounted(() => {
    const timer = setInterval(() => counter.tick(wall.visible(), document.hidden), 1_000)
    window.addEventListener('pagehide', leavePage)
    ends.push(() => clearInterval(timer), () => window.removeEventListener('pagehide', leavePage), leavePage)
    // After the wall page has put up its own scene.
    watch(shown, show, { immediate: true, flush: 'post' })
    ends.push(live.on('hello', () => void load()), live.on('reload', () => void load()))
  })
  onBeforeUnmount(() => {
    for (const end of ends.splice(0)) end()
  })
  return { run, stops: plan, stop, error, load, accept }
}
