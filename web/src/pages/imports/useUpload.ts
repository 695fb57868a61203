/** One file on its way to the hub. Leaving the page ends it. */
import { computed, onBeforeUnmount, ref } from 'vue'
import { api, type ApiError } from '@/api/client'
import type { SheetImport } from '@/api/types'
import { fileProblem, type FileProblem } from './file'

export function useUpload(done: (made: SheetImport) => void) {
  const file = ref<File | null>(null)
  const sent = ref(0)
  const problem = ref<FileProblem | 'many' | null>(null)
  const error = ref<ApiError | null>(null)
  let current: AbortController | null = null

  const busy = ref(false)
  const percent = computed(() => (file.value?.size ? Math.min(100, Math.round((sent.value / file.value.size) * 100)) : 0))

  /** `villageId` null: the sheet's village column says whose rows they are. */
  async function send(files: readonly File[], villageId: number | null): Promise<void> {
    const [one] = files
    if (!one || busy.value) return
    file.value = one
    error.value = null
    sent.value = 0
    problem.value = files.length > 1 ? 'many' : fileProblem(one)
    if (problem.value) return
    busy.value = true
    const mine = (current = new AbortController())
    const answer = await api.upload('/api/imports', {
      query: { village_id: villageId, name: one.name },
      file: one,
      signal: mine.signal,
      onSent: (bytes) => (sent.value = bytes),
    })
    if (current !== mine) return
    busy.value = false
    current = null
    if (answer.ok) done(answer.data)
    else if (!answer.aborted) error.value = answer.error
  }

  function cancel(): void {
    current?.abort()
    current = null
    busy.value = false
    file.value = null
  }
  onBeforeUnmount(cancel)

  return { file, sent, percent, busy, problem, error, send, cancel }
}
