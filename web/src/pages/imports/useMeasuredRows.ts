/** Rows of a long list whose heights follow from their words: estimated until they have been on the screen, then measured. */
import { onBeforeUnmount, shallowReactive, watch, type ObjectDirective, type Ref } from 'vue'
import type { ImportRow } from '@/api/types'
import { useVirtualRows } from '../parts/virtualRows'

export function useMeasuredRows(scroller: Ref<HTMLElement | null>, rows: Ref<readonly ImportRow[]>, estimate: (row: ImportRow) => number, onEnd: () => void) {
  const heights = shallowReactive(new Map<number, number>())
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const height = (target as HTMLElement).offsetHeight
      const number = Number((target as HTMLElement).dataset.row)
      if (height > 0 && heights.get(number) !== height) heights.set(number, height)
    }
  })
  onBeforeUnmount(() => observer.disconnect())
  const vMeasure: ObjectDirective<HTMLElement> = { mounted: (element) => observer.observe(element), unmounted: (element) => observer.unobserve(element) }

  const { visible, total, scrollTo } = useVirtualRows<ImportRow>(scroller, rows, (row) => heights.get(row.number) ?? estimate(row))
  watch(
    () => visible.value.at(-1)?.row === rows.value.at(-1) && rows.value.length,
    (atEnd) => {
      if (atEnd) onEnd()
    },
  )
  return { visible, total, scrollTo, vMeasure }
}
