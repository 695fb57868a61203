/** A list that REST fills and events keep: the one pattern of every store. */
import { computed, reactive, ref, type ComputedRef, type Ref } from 'vue'
import type { ApiError, Result } from '@/api/client'
import type { Topic } from '@/api/types'
import type { LiveSocket } from '@/live/socket'

export interface Collection<T extends { id: number }> {
  readonly byId: Map<number, T>
  readonly list: ComputedRef<T[]>
  readonly loaded: Ref<boolean>
  readonly error: Ref<ApiError | null>
  /** Fetches everything anew. Calls that overlap share one request. */
  load(): Promise<void>
  /** Puts in one item, for instance the answer of a change, before its event arrives. */
  put(item: T): void
  remove(id: number): void
  clear(): void
  listen(live: LiveSocket): () => void
}

export function collection<T extends { id: number }>(
  topic: Topic,
  fetchAll: () => Promise<Result<T[]>>,
  order: (a: T, b: T) => number,
): Collection<T> {
  const byId = reactive(new Map<number, T>()) as Map<number, T>
  const loaded = ref(false)
  const error = ref<ApiError | null>(null)
  let running: Promise<void> | null = null
  let changedMeanwhile = new Map<number, T | null>() // events that arrive while the list is on its way are newer than it

  async function loadOnce(): Promise<void> {
    changedMeanwhile = new Map()
    const result = await fetchAll()
    if (!result.ok) {
      if (!result.aborted) error.value = result.error
      return
    }
    error.value = null
    const fresh = new Map(result.data.map((item) => [item.id, item]))
    for (const [id, item] of changedMeanwhile) {
      if (item) fresh.set(id, item)
      else fresh.delete(id)
    }
    for (const id of [...byId.keys()]) if (!fresh.has(id)) byId.delete(id)
    for (const [id, item] of fresh) byId.set(id, item)
    loaded.value = true
  }

  const self: Collection<T> = {
    byId,
    list: computed(() => [...byId.values()].sort(order)),
    loaded,
    error,
    load() {
      running ??= loadOnce().finally(() => (running = null))
      return running
    },
    put(item) {
      changedMeanwhile.set(item.id, item)
      byId.set(item.id, item)
    },
    remove(id) {
      changedMeanwhile.set(id, null)
      byId.delete(id)
    },
    clear() {
      byId.clear()
      loaded.value = false
    },
    listen(live) {
      return live.onChanged(topic, (change) => {
        if (change.data) self.put(change.data as unknown as T)
        else self.remove(Number(change.id))
      })
    },
  }
  return self
}
