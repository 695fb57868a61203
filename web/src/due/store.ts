/** The occurrences around today, for the shell and every page: fetched, kept up to date by events, and fetched again as days pass. */
import { computed, ref } from 'vue'
import { api, type ApiError } from '@/api/client'
import { activeRuns, can, live, me, now, runs } from '@/stores'
import { collection } from '@/stores/collection'
import { dateText, momentOfInput } from '@/siteTime'
import { isStored, LATER_MS, promptsFor, type DueOccurrence } from './due'

const HOUR_MS = 3_600_000
const BEFORE_MS = 26 * HOUR_MS
const AFTER_MS = 34 * HOUR_MS
const AGAIN_MS = 30 * 60_000

/** Over this many the list of the day is cut. */
export const MOST = 200

export const occurrences = collection<DueOccurrence>(
  'occurrence',
  async () => {
    const at = now.value
    const query = { from: new Date(at - BEFORE_MS).toISOString(), to: new Date(at + AFTER_MS).toISOString() }
    const result = await api.get('/api/occurrences', { query })
    return result.ok ? { ok: true, data: result.data.occurrences.filter(isStored) } : result
  },
  (a, b) => Date.parse(a.due_at) - Date.parse(b.due_at) || a.id - b.id,
)

/** Occurrence → until when (ms) this person has put it off on this page. */
const later = ref(new Map<number, number>())

/** Who may see plans: those of the whole township. */
export const sees = computed(() => can('view') && me.value !== null && me.value.villages === null)

/** What belongs to today, and what of yesterday is still open. */
export const today = computed(() => {
  const begin = momentOfInput(`${dateText(now.value)}T00:00`)
  const end = begin + 24 * HOUR_MS
  return occurrences.list.value.filter((one) => {
    const due = Date.parse(one.due_at)
    return (due >= begin && due < end) || (due < begin && ['late', 'running', 'due'].includes(one.state))
  })
})

/** The next one that is to come, today or tomorrow. */
export const coming = computed(() => occurrences.list.value.find((one) => one.state === 'due' && Date.parse(one.due_at) > now.value) ?? null)

export const prompts = computed(() => {
  const who = me.value
  if (!who || !can('run_tours')) return []
  const busy = activeRuns.value.some((run) => run.operator.id === who.id && !run.loop)
  return promptsFor(occurrences.list.value, { id: who.id, busy }, now.value, later.value)
})

export function putOff(id: number): void {
  later.value = new Map(later.value).set(id, now.value + LATER_MS)
}

/** Keeps the list while the shell is there. */
export function keepDue(): () => void {
  if (!sees.value) return () => undefined
  const load = (): void => void occurrences.load()
  load()
  const timer = setInterval(load, AGAIN_MS)
  // A list that is on its way may be older than the plan: it is read once more.
  const again = (): void => void occurrences.load().then(load)
  const stops = [occurrences.listen(live), live.on('hello', load), live.on('reload', load), live.onChanged('plan', again)]
  return () => {
    clearInterval(timer)
    later.value = new Map()
    for (const stop of stops) stop()
  }
}

/** Asks to take one over: the run's id, or null when that failed. What came of it is in the list either way. */
export async function startOccurrence(id: number): Promise<{ run: number | null; error: ApiError | null }> {
  const result = await api.post('/api/occurrences/{occurrence_id}/start', { path: { occurrence_id: id } })
  if (result.ok) {
    if (isStored(result.data)) occurrences.put(result.data)
    void runs.load()
    return { run: result.data.run_id, error: null }
  }
  const taken = result.error.params.occurrence as DueOccurrence | undefined
  if (taken && isStored(taken)) occurrences.put(taken)
  else void occurrences.load()
  return { run: null, error: result.error }
}

export async function decline(id: number): Promise<ApiError | null> {
  const result = await api.post('/api/occurrences/{occurrence_id}/decline', { path: { occurrence_id: id } })
  if (!result.ok) return result.error
  if (isStored(result.data)) occurrences.put(result.data)
  return null
}
