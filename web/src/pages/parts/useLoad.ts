/** Lists that one page alone needs: fetched on entering, kept up to date by events, fetched again after a reconnect. */
import { onBeforeUnmount, onMounted, ref, type Ref } from 'vue'
import type { ApiError, Result } from '@/api/client'
import { live, onLeave } from '@/stores'
import type { Collection } from '@/stores/collection'

/** Keeps a collection alive while the component is mounted. */
export function useCollection<T extends { id: number }>(store: Collection<T>): Collection<T> {
  const stops: (() => void)[] = []
  onMounted(() => {
    stops.push(store.listen(live), live.on('hello', () => void store.load()), live.on('reload', () => void store.load()))
    void store.load()
  })
  onBeforeUnmount(() => {
    for (const stop of stops.splice(0)) stop()
  })
  return store
}

export interface Loaded<T> {
  data: Ref<T | null>
  error: Ref<ApiError | null>
  loading: Ref<boolean>
  /** Fetches; an earlier fetch that still runs is void, since it may have asked for something else. */
  load(): Promise<void>
  /** Fetches the same again. While a fetch runs, another follows it: events in quick succession never starve the page. */
  refresh(): void
}

/** One answer of the hub. Leaving the page or signing out makes it void. */
export function useLoad<T>(fetchIt: (signal: AbortSignal) => Promise<Result<T>>): Loaded<T> {
  const data = ref<T | null>(null) as Ref<T | null>
  const error = ref<ApiError | null>(null)
  const loading = ref(false)
  let current: AbortController | null = null
  let again = false

  async function load(): Promise<void> {
    current?.abort()
    const mine = new AbortController()
    current = mine
    again = false
    loading.value = true
    const result = await fetchIt(mine.signal)
    if (current !== mine) return
    loading.value = false
    if (result.ok) {
      data.value = result.data
      error.value = null
    } else if (!result.aborted) error.value = result.error
    if (again) void load()
  }
  function refresh(): void {
    if (loading.value) again = true
    else void load()
  }
  function forget(): void {
    current?.abort()
    current = null
    again = false
    loading.value = false
    data.value = null
    error.value = null
  }
  const stop = onLeave(forget)
  onBeforeUnmount(() => {
    stop()
    forget()
  })
  return { data, error, loading, load, refresh }
}
