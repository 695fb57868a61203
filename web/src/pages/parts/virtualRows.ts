/** Which rows of a long list are on the screen: a register of 1,000 cameras keeps some 30 rows in the document. */
import { computed, onBeforeUnmount, onMounted, ref, watch, type ComputedRef, type Ref } from 'vue'

export interface Placed<T> {
  row: T
  top: number
}

/** Rows (with their tops) that meet [from, to]; heights may differ from row to row. */
export function visibleRows<T>(rows: readonly T[], tops: readonly number[], from: number, to: number): Placed<T>[] {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((tops[middle + 1] ?? 0) <= from) low = middle + 1
    else high = middle
  }
  const result: Placed<T>[] = []
  for (let index = low; index < rows.length; index += 1) {
    const top = tops[index] as number
    if (top >= to) break
    result.push({ row: rows[index] as T, top })
  }
  return result
}

/** The tops of all rows, and as last element the height of the whole. */
export function topsOf<T>(rows: readonly T[], height: (row: T) => number): number[] {
  const tops = [0]
  for (const row of rows) tops.push((tops.at(-1) as number) + height(row))
  return tops
}

export function useVirtualRows<T>(
  scroller: Ref<HTMLElement | null>,
  rows: Ref<readonly T[]>,
  height: (row: T) => number,
): { visible: ComputedRef<Placed<T>[]>; total: ComputedRef<number>; scrollTo(index: number): void } {
  const margin = 400
  const from = ref(0)
  const size = ref(800)
  const tops = computed(() => topsOf(rows.value, height))

  function measure(): void {
    if (!scroller.value) return
    from.value = scroller.value.scrollTop
    size.value = scroller.value.clientHeight
  }
  let observer: ResizeObserver | null = null
  function attach(element: HTMLElement | null, before: HTMLElement | null | undefined): void {
    before?.removeEventListener('scroll', measure)
    observer?.disconnect()
    if (!element) return
    element.addEventListener('scroll', measure, { passive: true })
    observer = new ResizeObserver(measure)
    observer.observe(element)
    measure()
  }
  onMounted(() => watch(scroller, attach, { immediate: true }))
  onBeforeUnmount(() => attach(null, scroller.value))

  return {
    visible: computed(() => visibleRows(rows.value, tops.value, from.value - margin, from.value + size.value + margin)),
    total: computed(() => tops.value.at(-1) ?? 0),
    scrollTo(index) {
      scroller.value?.scrollTo({ top: tops.value[index] ?? 0 })
    },
  }
}
