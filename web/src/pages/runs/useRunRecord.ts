/** The record of one run, read page by page: a tour that is repeated all day has thousands of lines. */
import { computed, onBeforeUnmount, ref, shallowRef, type ComputedRef, type Ref } from 'vue'
import { api, type ApiError, type Result } from '@/api/client'
import { onLeave } from '@/stores'
import type { PlanStop, Run, RunSteps, RunStep } from '@/api/types'

const PAGE = 200
/** Lines before the last one that may still change: the one that was on, and the one that follows it. */
const UNSETTLED = 2

export interface RunRecord {
  run: Ref<Run | null>
  plan: Ref<PlanStop[]>
  steps: ComputedRef<RunStep[]>
  /** Whether the newest line is here. */
  end: Ref<boolean>
  busy: Ref<boolean>
  error: Ref<ApiError | null>
  load(): Promise<void>
  more(): Promise<void>
  /** The run has moved: reads what may have changed, and nothing that is settled. */
  refresh(): Promise<void>
}

export function useRunRecord(runId: () => number): RunRecord {
  const run = shallowRef<Run | null>(null)
  const plan = shallowRef<PlanStop[]>([])
  const lines = shallowRef(new Map<number, RunStep>())
  const end = ref(false)
  const busy = ref(false)
  const error = ref<ApiError | null>(null)
  let current: AbortController | null = null
  let rolledUp = 0
  let again = false

  function reset(): void {
    current?.abort()
    current = null
    busy.value = false
    again = false
    run.value = null
    plan.value = []
    lines.value = new Map()
    end.value = false
    error.value = null
    rolledUp = 0
  }

  /** Does one thing at a time; what was begun for another run or person is void. */
  async function work(todo: (path: { run_id: number }, signal: AbortSignal) => Promise<Result<unknown>>): Promise<void> {
    current?.abort()
    const mine = new AbortController()
    current = mine
    busy.value = true
    const result = await todo({ run_id: runId() }, mine.signal)
    if (current !== mine) return
    current = null
    busy.value = false
    if (result.ok) error.value = null
    else if (!result.aborted) error.value = result.error
    if (again) await refresh()
  }

  async function read(path: { run_id: number }, after: number, signal: AbortSignal): Promise<Result<RunSteps>> {
    const answer = await api.get('/api/runs/{run_id}/steps', { path, query: { after, limit: PAGE }, signal })
    if (!answer.ok || signal.aborted) return answer
    if (answer.data.rolled_up > rolledUp && lines.value.size && after >= 0) {
      // Old lines were summed up since: those that are here stand for others now.
      lines.value = new Map()
      rolledUp = answer.data.rolled_up
      return read(path, -1, signal)
    }
    rolledUp = answer.data.rolled_up
    const merged = new Map(lines.value)
    for (const step of answer.data.steps) merged.set(step.sequence, step)
    lines.value = merged
    end.value = answer.data.next === null
    return answer
  }

  const last = (): number => Math.max(-1, ...lines.value.keys())
  const steps = computed(() => [...lines.value.values()].sort((a, b) => a.sequence - b.sequence))

  async function load(): Promise<void> {
    reset()
    await work(async (path, signal) => {
      const [state, stops, first] = await Promise.all([api.get('/api/runs/{run_id}', { path, signal }), api.get('/api/runs/{run_id}/plan', { path, signal }), read(path, -1, signal)])
      if (!state.ok) return state
      if (!stops.ok) return stops
      plan.value = stops.data.stops
      run.value = state.data
      return first
    })
  }

  async function refresh(): Promise<void> {
    if (busy.value) {
      again = true
      return
    }
    again = false
    if (!run.value) return load()
    await work(async (path, signal) => {
      const state = await api.get('/api/runs/{run_id}', { path, signal })
      if (!state.ok) return state
      run.value = state.data
      return end.value ? read(path, Math.max(-1, last() - UNSETTLED), signal) : state
    })
  }

  const stop = onLeave(reset)
  onBeforeUnmount(() => {
    stop()
    reset()
  })
  return { run, plan, steps, end, busy, error, load, more: () => work((path, signal) => read(path, last(), signal)), refresh }
}
