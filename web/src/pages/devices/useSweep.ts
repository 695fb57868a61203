/** A search of the network as it runs: events keep it live, polling closes every gap they may leave. */
import { computed, onBeforeUnmount, onMounted, ref } from 'vue'
import { api, type ApiError } from '@/api/client'
import { live } from '@/stores'
import type { Sweep } from '@/api/types'
import { isOver, mergeSweep } from './sweep'

const POLL_MS = 2_000

export function useSweep() {
  const sweep = ref<Sweep | null>(null)
  const error = ref<ApiError | null>(null)
  const running = computed(() => sweep.value !== null && !isOver(sweep.value))
  let timer: ReturnType<typeof setTimeout> | undefined
  let stopListening: () => void = () => undefined

  onMounted(() => {
    stopListening = live.onChanged('sweep', (change) => {
      if (change.data && change.id === sweep.value?.id) accept(change.data as unknown as Sweep)
    })
  })
  onBeforeUnmount(() => {
    stopListening()
    clearTimeout(timer)
    // Leaving the page ends the search: nobody is left to read its result.
    if (running.value && sweep.value) void api.delete('/api/discovery/sweeps/{sweep_id}', { path: { sweep_id: sweep.value.id } })
  })

  function accept(arrived: Sweep): void {
    sweep.value = mergeSweep(sweep.value, arrived)
  }

  async function poll(): Promise<void> {
    const id = sweep.value?.id
    if (!id || !running.value) return
    const answer = await api.get('/api/discovery/sweeps/{sweep_id}', { path: { sweep_id: id } })
    if (sweep.value?.id !== id) return
    if (answer.ok) {
      accept(answer.data)
      error.value = null
    } else if (answer.error.status === 404) {
      sweep.value = { ...sweep.value, state: 'failed', detail: 'lost' } // the hub was restarted and forgot it
      return
    } else error.value = answer.error
    timer = setTimeout(() => void poll(), POLL_MS)
  }

  async function start(village_id: number, ranges: string[], multicast: boolean): Promise<boolean> {
    clearTimeout(timer)
    error.value = null
    const answer = await api.post('/api/discovery/sweeps', { body: { village_id, ranges, multicast, ports: [] } })
    if (!answer.ok) {
      error.value = answer.error
      return false
    }
    sweep.value = answer.data
    timer = setTimeout(() => void poll(), POLL_MS)
    return true
  }

  async function cancel(): Promise<void> {
    if (!sweep.value) return
    const answer = await api.delete('/api/discovery/sweeps/{sweep_id}', { path: { sweep_id: sweep.value.id } })
    if (answer.ok) accept(answer.data)
    else error.value = answer.error
  }

  function forget(): void {
    clearTimeout(timer)
    sweep.value = null
    error.value = null
  }

  return { sweep, error, running, start, cancel, forget }
}
