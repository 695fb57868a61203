/** A job as it runs: events keep it live, polling closes every gap they may leave. Leaving the page does not end it. */
import { computed, onBeforeUnmount, onMounted, ref, watch } from 'vue'
import { api, type ApiError } from '@/api/client'
import { live } from '@/stores'
import type { Job, JobProgress } from '@/api/types'
import { isOver, newer } from './job'

const POLL_MS = 2_000

export function useJob(id: () => string) {
  const job = ref<Job | null>(null)
  const error = ref<ApiError | null>(null)
  /** The hub knows no such job (any more): it was restarted, or more than an hour has passed. */
  const lost = ref(false)
  const cancelling = ref(false)
  const running = computed(() => job.value !== null && !isOver(job.value) && !lost.value)
  let timer: ReturnType<typeof setTimeout> | undefined
  let stopListening: () => void = () => undefined
  let mounted = false

  onMounted(() => {
    mounted = true
    stopListening = live.onChanged('job', (change) => {
      if (!change.data || change.id !== id() || job.value === null) return
      const arrived = change.data as unknown as JobProgress
      job.value = newer(job.value, arrived)
      // Its verdicts are not in the message: the last ones must not wait for the next poll.
      if (isOver(arrived)) void read()
    })
    void read()
  })
  onBeforeUnmount(() => {
    mounted = false
    stopListening()
    clearTimeout(timer)
  })
  watch(id, () => {
    job.value = error.value = null
    lost.value = cancelling.value = false
    if (mounted) void read()
  })

  async function read(): Promise<void> {
    clearTimeout(timer)
    const mine = id()
    const answer = await api.get('/api/jobs/{job_id}', { path: { job_id: mine } })
    if (!mounted || id() !== mine) return
    if (answer.ok) accept(answer.data)
    else if (answer.error.status === 404) {
      lost.value = true
      return
    } else if (!answer.aborted) error.value = answer.error
    if (job.value === null || running.value) {
      clearTimeout(timer)
      timer = setTimeout(() => void read(), POLL_MS)
    }
  }

  function accept(arrived: Job): void {
    job.value = job.value === null ? arrived : newer(job.value, arrived)
    error.value = null
  }

  async function cancel(): Promise<void> {
    const mine = id()
    cancelling.value = true
    const answer = await api.delete('/api/jobs/{job_id}', { path: { job_id: mine } })
    if (id() !== mine) return
    cancelling.value = false
    if (answer.ok) accept(answer.data)
    else if (!answer.aborted) error.value = answer.error
  }

  return { job, error, lost, running, cancelling, cancel }
}
