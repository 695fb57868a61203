/** A list that REST fills and events keep up to date: the one pattern of every store. */
import { computed, reactive, ref, type ComputedRef, type Ref } from 'vue'
import type { ApiError, Result } from '@/api/client'
import type { Topic } from '@/api/types'
import type { LiveSocket } from '@/live/socket'

export interface Collection<T extends { id: number }> {
  readonly byId: Map<number, T>
  readonly list: ComputedRef<T[]>
  readonly loaded: Ref<boolean>
  readonly error: Ref<ApiError | null>
  /** Fetches everything again. Calls that overlap share one request. */
  load(): Promise<void>
  /** Puts in one item, for instance the answer of a change, before its event arrives. */
  put(item: T): void
  remove(id: number): void
  /** Empties the list; a load under way is void. */
  clear(): void
  listen(live: LiveSocket): () => void
}

interface Options<T> {
  /** Whether an item belongs into this list; one that no longer does is removed. Default: all do. */
  belongs?: (item: T) => boolean
}

const collections = new Set<{ clear(): void }>()

/** Empties every collection of the app: they hold what the person who was signed in may see. */
export function clearCollections(): void {
  for (const one of collections) one.clear()
}

export function collection<T extends { id: number }>(
  topic: Topic,
  fetchAll: () => Promise<Result<T[]>>,
  order: (a: T, b: T) => number,
  options: Options<T> = {},
): Collection<T> {
  const belongs = options.belongs ?? ((): boolean => true)
  const byId = reactive(new Map<number, T>()) as Map<number, T>
  const loaded = ref(false)
  const error = ref<ApiError | null>(null)
  let running: Promise<void> | null = null
  let changedMeanwhile = new Map<number, T | null>() // events that arrive while the list is on its way are newer than it
  let generation = 0

  async function loadOnce(): Promise<void> {
    const mine = generation
    changedMeanwhile = new Map()
    const result = await fetchAll()
    if (mine !== generation) return
    running = null
    if (!result.ok) {
      if (!result.aborted) error.value = result.error
      return
    }
    error.value = null
    const fresh = new Map(result.data.filter(belongs).map((item) => [item.id, item]))
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
      running ??= loadOnce()
      return running
    },
    put(item) {
      if (!belongs(item)) return self.remove(item.id)
      changedMeanwhile.set(item.id, item)
      byId.set(item.id, item)
    },
    remove(id) {
      changedMeanwhile.set(id, null)
      byId.delete(id)
    },
    clear() {
      generation += 1
      running = null
      byId.clear()
      error.value = null
      loaded.value = false
    },
    listen(live) {
      return live.onChanged(topic, (change) => {
        if (change.data) self.put(change.data as unknown as T)
        else self.remove(Number(change.id))
      })
    },
  }
  collections.add(self)
  return self
}
