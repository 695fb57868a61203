/**
 * A list that the hub gives page by page, the newest first, and that events keep up to date.
 *
 * The next page starts after the last row of the last *page* read. Rows put in by events do not move that cursor: otherwise an
 * old alarm that closes now would move it down, and everything in between would be skipped.
 */
import { onBeforeUnmount, reactive, ref, type Ref } from 'vue'
import type { ApiError, Result } from '@/api/client'
import { onLeave } from '@/stores'

interface Options<T> {
  /** Rows per page, and the most that the hub gives at once. */
  page: number
  most: number
  /** Asks for at most `limit` rows with an id below `before`. */
  fetch(limit: number, before: number | undefined, signal: AbortSignal): Promise<Result<T[]>>
}

export interface PagedList<T> {
  readonly rows: Map<number, T>
  /** Whether the first page has come. */
  readonly loaded: Ref<boolean>
  readonly busy: Ref<boolean>
  /** Whether the oldest row is here. */
  readonly end: Ref<boolean>
  readonly error: Ref<ApiError | null>
  /** The next page. */
  more(): Promise<void>
  /** Reads as many rows as there are again, from the newest on. `clear`: drop them first, since another list is shown now. */
  reload(clear?: boolean): Promise<void>
  /** Puts in a row from an event or an answer; it is newer than what a page under way brings. */
  put(row: T): void
}

export function usePagedList<T extends { id: number }>(options: Options<T>): PagedList<T> {
  const rows = reactive(new Map<number, T>()) as Map<number, T>
  const loaded = ref(false)
  const busy = ref(false)
  const end = ref(false)
  const error = ref<ApiError | null>(null)
  let next: number | undefined
  let read = 0
  let current: AbortController | null = null
  let changedMeanwhile = new Map<number, T>()

  async function load(fresh: boolean): Promise<void> {
    current?.abort()
    const mine = new AbortController()
    current = mine
    changedMeanwhile = new Map()
    busy.value = true
    const limit = fresh ? Math.min(options.most, Math.max(options.page, read)) : options.page
    const answer = await options.fetch(limit, fresh ? undefined : next, mine.signal)
    if (current !== mine) return
    current = null
    busy.value = false
    if (!answer.ok) {
      if (!answer.aborted) error.value = answer.error
      return
    }
    error.value = null
    if (fresh) {
      rows.clear()
      read = 0
    }
    for (const row of answer.data) rows.set(row.id, row)
    for (const [id, row] of changedMeanwhile) rows.set(id, row)
    read += answer.data.length
    next = answer.data.at(-1)?.id ?? next
    end.value = answer.data.length < limit
    loaded.value = true
  }

  function reset(): void {
    current?.abort()
    current = null
    busy.value = false
    rows.clear()
    next = undefined
    read = 0
    end.value = false
    error.value = null
    loaded.value = false
  }

  const forgetOnLeave = onLeave(reset)
  onBeforeUnmount(() => {
    forgetOnLeave()
    current?.abort()
    current = null
  })

  return {
    rows,
    loaded,
    busy,
    end,
    error,
    more: () => (busy.value ? Promise.resolve() : load(!loaded.value)),
    reload(clear = false) {
      if (clear) reset()
      return load(true)
    },
    put(row) {
      changedMeanwhile.set(row.id, row)
      rows.set(row.id, row)
    },
  }
}
