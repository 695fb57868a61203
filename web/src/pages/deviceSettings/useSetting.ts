/** One change on its way: the devices are asked, the preview is read, what is ticked is set, what failed is tried again. */
import { computed, reactive, ref } from 'vue'
import type { ApiError } from '@/api/client'
import type { Job } from '@/api/types'
import { applyPreview, readPreview, startPreview } from './calls'
import { merged, outcome, type ItemVerdict } from './preview'
import type { Change, Preview, PreviewItem, Targets } from './types'

export type Phase = 'starting' | 'asking' | 'preview' | 'applying' | 'over'

export function useSetting(targets: Targets, change: Change) {
  const phase = ref<Phase>('starting')
  const jobId = ref('')
  const preview = ref<Preview | null>(null)
  const error = ref<ApiError | null>(null)
  const busy = ref(false)
  /** The asking was cancelled, or did not come to its end: what was learnt by then is no preview. */
  const stopped = ref(false)
  const left = reactive(new Set<string>())
  const verdicts = ref<ReadonlyMap<string, ItemVerdict>>(new Map())
  const tried = ref<ReadonlySet<string>>(new Set())

  const items = computed(() => preview.value?.items ?? [])
  const changes = computed(() => items.value.filter((item) => item.verdict === 'change'))
  const ticked = computed(() => changes.value.filter((item) => !left.has(item.key)))
  const attempted = computed(() => changes.value.filter((item) => tried.value.has(item.key)))
  const failed = computed(() => attempted.value.filter((item) => outcome(verdicts.value.get(item.key), phase.value === 'applying') === 'failed'))
  const untried = computed(() => (phase.value === 'over' ? attempted.value.filter((item) => !verdicts.value.has(item.key)) : []))
  const again = computed(() => [...failed.value, ...untried.value])

  async function ask(): Promise<void> {
    error.value = null
    stopped.value = false
    phase.value = 'starting'
    const answer = await startPreview(targets, change)
    if (answer.ok) {
      jobId.value = answer.data.id
      phase.value = 'asking'
    } else if (!answer.aborted) error.value = answer.error
  }

  async function asked(job: Job): Promise<void> {
    if (job.state !== 'done') {
      stopped.value = true
      return
    }
    const answer = await readPreview(job.id)
    if (answer.ok) {
      preview.value = answer.data
      phase.value = 'preview'
    } else if (!answer.aborted) error.value = answer.error
  }

  async function apply(what: readonly PreviewItem[]): Promise<void> {
    if (!preview.value || busy.value || !what.length) return
    busy.value = true
    error.value = null
    const keys = what.map((item) => item.key)
    const answer = await applyPreview(preview.value.id, keys)
    busy.value = false
    if (answer.ok) {
      const others = new Map(verdicts.value)
      for (const key of keys) others.delete(key)
      verdicts.value = others
      tried.value = new Set([...tried.value, ...keys])
      jobId.value = answer.data.id
      phase.value = 'applying'
    } else if (!answer.aborted) error.value = answer.error
  }

  function moved(job: Job): void {
    if (phase.value === 'applying' && job.id === jobId.value) verdicts.value = merged(verdicts.value, job)
  }
  function applied(job: Job): void {
    moved(job)
    phase.value = 'over'
  }

  function tick(list: readonly PreviewItem[], on: boolean): void {
    for (const item of list) {
      if (on) left.delete(item.key)
      else left.add(item.key)
    }
  }

  return { phase, jobId, preview, error, busy, stopped, left, verdicts, tried, items, changes, ticked, attempted, failed, untried, again, ask, asked, apply, moved, applied, tick }
}
