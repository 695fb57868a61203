/** Moving a row of a list, by drag and drop or by button. */
import { ref, type Ref } from 'vue'

/** The list with the row at `from` standing before the row that was at `gap` (its length: at the end). */
export function moved<T>(list: readonly T[], from: number, gap: number): T[] {
  if (from < 0 || from >= list.length) return [...list]
  const rest = list.filter((_, index) => index !== from)
  const at = Math.min(rest.length, Math.max(0, gap > from ? gap - 1 : gap))
  return [...rest.slice(0, at), list[from] as T, ...rest.slice(at)]
}

export interface Reorder<K> {
  /** The row being dragged, and the row before (or after) which it would land. */
  readonly dragging: Ref<K | null>
  readonly over: Ref<{ key: K; after: boolean } | null>
  start(event: DragEvent, key: K): void
  move(event: DragEvent, key: K): void
  drop(event: DragEvent, keys: readonly K[]): K[] | null
  end(): void
}

/** State of one drag. `may` says whether a row may land beside another (cameras stay in their village). */
export function useReorder<K>(may: (dragged: K, target: K) => boolean = () => true): Reorder<K> {
  const dragging = ref<K | null>(null) as Ref<K | null>
  const over = ref<{ key: K; after: boolean } | null>(null) as Ref<{ key: K; after: boolean } | null>

  function end(): void {
    dragging.value = null
    over.value = null
  }

  return {
    dragging,
    over,
    start(event, key) {
      dragging.value = key
      if (event.dataTransfer) {
        event.dataTransfer.effectAllowed = 'move'
        event.dataTransfer.setData('text/plain', String(key))
        const row = (event.currentTarget as HTMLElement).closest<HTMLElement>('[data-row]')
        if (row) event.dataTransfer.setDragImage(row, 16, 16)
      }
    },
    move(event, key) {
      if (dragging.value === null || !may(dragging.value, key)) return
      event.preventDefault()
      const box = (event.currentTarget as HTMLElement).getBoundingClientRect()
      over.value = { key, after: event.clientY > box.top + box.height / 2 }
    },
    drop(event, keys) {
      event.preventDefault()
      const from = keys.findIndex((key) => key === dragging.value)
      const target = over.value
      end()
      if (from < 0 || target === null) return null
      const at = keys.findIndex((key) => key === target.key)
      if (at < 0) return null
      const result = moved(keys, from, target.after ? at + 1 : at)
      return result.every((key, index) => key === keys[index]) ? null : result
    },
    end,
  }
}
