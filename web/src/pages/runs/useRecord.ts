/** All that the page of a patrol's record and its printed page show, read from the hub. */
import { computed, onBeforeUnmount, onMounted, watch, type Ref } from 'vue'
import { api, type ApiError, type Result } from '@/api/client'
import type { RunStep } from '@/api/types'
import { live } from '@/stores'
import { useLoad } from '../parts/useLoad'
import type { PatrolEvent, PatrolFinding } from './patrolRecord'

const MOST_PAGES = 25

/** Every page of a list, one after the other; at most MOST_PAGES of them. */
async function pages<A, T>(read: (after: number | undefined) => Promise<Result<A>>, rows: (answer: A) => T[], next: (answer: A) => number | null): Promise<Result<T[]>> {
  const found: T[] = []
  let after: number | undefined
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const answer = await read(after)
    if (!answer.ok) return answer
    found.push(...rows(answer.data))
    const following = next(answer.data)
    if (following === null) break
    after = following
  }
  return { ok: true, data: found }
}

export function useRecord(id: Ref<number>) {
  const path = computed(() => ({ run_id: id.value }))
  const run = useLoad((signal) => api.get('/api/runs/{run_id}', { path: path.value, signal }))
  const itinerary = useLoad((signal) => api.get('/api/runs/{run_id}/itinerary', { path: path.value, signal }))
  const results = useLoad((signal) => api.get('/api/runs/{run_id}/results', { path: path.value, signal }))
  const record = useLoad((signal) => api.get('/api/runs/{run_id}/record', { path: path.value, signal }))
  const steps = useLoad<RunStep[]>(async (signal) =>
    run.data.value?.loop // a presentation's lines, of weeks perhaps, are read page by page (RecordSteps)
      ? { ok: true, data: [] }
      : pages(
          (after) => api.get('/api/runs/{run_id}/steps', { path: path.value, query: { after }, signal }),
          (answer) => answer.steps,
          (answer) => answer.next,
        ),
  )
  const events = useLoad<PatrolEvent[]>((signal) =>
    pages(
      (after) => api.get('/api/runs/{run_id}/events', { path: path.value, query: { after }, signal }),
      (answer) => answer,
      (answer) => (answer.length === 200 ? answer.at(-1)!.id : null),
    ),
  )
  const findings = useLoad<PatrolFinding[]>((signal) =>
    pages(
      (before) => api.get('/api/findings', { query: { run_id: id.value, before, limit: 200 }, signal }),
      (answer) => answer.findings,
      (answer) => answer.next,
    ),
  )
  const patrol = [itinerary, results, record, steps, events, findings]

  function load(): void {
    void run.load().then(() => steps.load())
    for (const one of patrol) if (one !== steps) void one.load()
  }
  function refresh(): void {
    run.refresh()
    for (const one of patrol.slice(1)) one.refresh()
  }
  watch(id, load, { immediate: true })
  const stops: (() => void)[] = []
  onMounted(() => {
    stops.push(
      live.on('hello', refresh),
      live.on('reload', refresh),
      live.onChanged('run', (change) => {
        if (change.id === id.value) refresh()
      }),
    )
  })
  onBeforeUnmount(() => {
    for (const stop of stops.splice(0)) stop()
  })
  const error = computed<ApiError | null>(() => run.error.value ?? patrol.map((one) => one.error.value).find((one) => one !== null) ?? null)
  const ready = computed(() => run.data.value !== null && patrol.every((one) => one.data.value !== null))
  return { run: run.data, itinerary: itinerary.data, results: results.data, record: record.data, steps: steps.data, events: events.data, findings: findings.data, error, ready, load, refresh }
}
