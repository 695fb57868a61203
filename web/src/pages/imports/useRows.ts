/** The rows of an import with one verdict: read page by page as they are scrolled to, and changed one by one. */
import { onBeforeUnmount, ref, shallowRef, triggerRef } from 'vue'
import { api, type ApiError } from '@/api/client'
import { onLeave } from '@/stores'
import type { ImportCounts, ImportRow } from '@/api/types'
import type { VerdictFilter } from './verdicts'

const PAGE = 200

export function useRows(importId: () => number, filter: () => VerdictFilter, onCounts: (counts: ImportCounts) => void) {
  const rows = shallowRef<ImportRow[]>([])
  const error = ref<ApiError | null>(null)
  const busy = ref(false)
  const loaded = ref(false)
  const end = ref(false)
  let current: AbortController | null = null

  async function read(fresh: boolean): Promise<void> {
    if (!fresh && (busy.value || end.value)) return
    current?.abort()
    const mine = (current = new AbortController())
    busy.value = true
    const wanted = filter()
    const answer = await api.get('/api/imports/{import_id}/rows', {
      path: { import_id: importId() },
      query: { verdict: wanted === 'all' ? undefined : wanted, after: fresh ? 0 : (rows.value.at(-1)?.number ?? 0), limit: PAGE },
      signal: mine.signal,
    })
    if (current !== mine) return
    busy.value = false
    if (!answer.ok) {
      if (!answer.aborted) error.value = answer.error
      return
    }
    error.value = null
    loaded.value = true
    rows.value = fresh ? answer.data.rows : [...rows.value, ...answer.data.rows]
    end.value = answer.data.rows.length < PAGE
    onCounts(answer.data.counts)
  }

  /** Sends one changed cell. The row stays where it is, whatever its verdict is now: it must not vanish under the hand. */
  async function change(row: ImportRow, field: string, text: string): Promise<ApiError | null> {
    const answer = await api.patch('/api/imports/{import_id}/rows/{number}', { path: { import_id: importId(), number: row.number }, body: { values: { [field]: text } } })
    if (!answer.ok) return answer.error
    const at = rows.value.findIndex((one) => one.number === row.number)
    if (at >= 0) {
      rows.value[at] = answer.data
      triggerRef(rows)
    }
    await others()
    return null
  }

  /** One row's change may settle another's ("the same as row 7"): those on the page are read again, none is taken away. */
  async function others(): Promise<void> {
    const first = rows.value[0]
    const last = rows.value.at(-1)
    if (!first || !last) return
    const answer = await api.get('/api/imports/{import_id}/rows', { path: { import_id: importId() }, query: { after: first.number - 1, limit: Math.min(1_000, last.number - first.number + 1) } })
    if (!answer.ok) return
    const fresh = new Map(answer.data.rows.map((row) => [row.number, row]))
    rows.value = rows.value.map((row) => fresh.get(row.number) ?? row)
    onCounts(answer.data.counts)
  }

  function reload(): Promise<void> {
    loaded.value = false
    end.value = false
    rows.value = []
    return read(true)
  }
  function forget(): void {
    current?.abort()
    current = null
    busy.value = false
    rows.value = []
    loaded.value = false
  }
  const stop = onLeave(forget)
  onBeforeUnmount(() => {
    stop()
    forget()
  })

  return { rows, error, busy, loaded, end, more: () => read(false), reload, change }
}
