/** The results of a patrol as the page keeps them: read when it starts, and again whenever the hub says that they changed. */
import { onBeforeUnmount, onMounted, ref, shallowRef, watch, type Ref } from 'vue'
import { api, type ApiError } from '@/api/client'
import type { Run, RunResult } from '@/api/types'
import { live } from '@/stores'

type ResultCounts = NonNullable<Run['counts']>
const STATES = ['open', 'normal', 'abnormal', 'excused'] as const

export interface Results {
  list: Ref<readonly RunResult[]>
  loaded: Ref<boolean>
  error: Ref<ApiError | null>
  /** Reads them again; overlapping calls share what follows. */
  load(): Promise<void>
  accept(results: readonly RunResult[]): void
}

/** `stopOn`: the position of the stop that is on, null when the stops are over. */
export function useResults(runId: () => number | null, stopOn: () => number | null): Results {
  const list = shallowRef<readonly RunResult[]>([])
  const loaded = ref(false)
  const error = ref<ApiError | null>(null)
  let reading: Promise<void> | null = null
  let again = false
  let asked = 0

  /** What changes while a stop is on is nearly always of that stop: the others are read only where the counts differ. */
  async function refresh(id: number, counts: ResultCounts | undefined): Promise<void> {
    const position = stopOn()
    if (position === null || !counts || reading) return load()
    const turn = ++asked
    const answer = await api.get('/api/runs/{run_id}/results', { path: { run_id: id }, query: { position } })
    if (id !== runId() || turn !== asked || reading) return
    if (!answer.ok) return load()
    accept(answer.data)
    if (STATES.some((state) => counts[state] !== list.value.filter((one) => one.result === state).length)) return load()
  }
  async function read(id: number): Promise<void> {
    do {
      again = false
      const answer = await api.get('/api/runs/{run_id}/results', { path: { run_id: id } })
      if (id !== runId()) return
      if (answer.ok) {
        list.value = answer.data
        loaded.value = true
        error.value = null
      } else if (!answer.aborted) error.value = answer.error
    } while (again)
  }
  function load(): Promise<void> {
    const id = runId()
    if (id === null) return Promise.resolve()
    if (reading) again = true
    else reading = read(id).finally(() => (reading = null))
    return reading
  }
  /** The rows that an answer brought take the place of those known. */
  function accept(results: readonly RunResult[]): void {
    const key = (one: RunResult): string => `${one.position}/${one.camera.id}`
    const fresh = new Map(results.map((one) => [key(one), one] as const))
    list.value = list.value.map((one) => fresh.get(key(one)) ?? one)
  }

  watch(
    runId,
    () => {
      list.value = []
      loaded.value = false
      error.value = null
      void load()
    },
    { immediate: true },
  )
  const stops: (() => void)[] = []
  onMounted(() => {
    stops.push(
      live.on('hello', () => void load()),
      live.on('reload', () => void load()),
      live.onChanged('result', (change) => {
        const id = runId()
        if (id !== null && Number(change.id) === id) void refresh(id, (change.data as { counts?: ResultCounts } | null)?.counts)
      }),
      // Leaving a stop counts the visit and excuses the cameras that could not be shown: that is a change of the run.
      live.onChanged('run', (change) => {
        if (Number(change.id) === runId()) void load()
      }),
    )
  })
  onBeforeUnmount(() => {
    for (const stop of stops.splice(0)) stop()
  })
  return { list, loaded, error, load, accept }
}
