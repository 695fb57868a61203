/** Whether the page is as narrow as a phone. Paper is narrow, too, but what is printed is what was on the screen: nothing is read anew for it. */
import { onBeforeUnmount, ref, type Ref } from 'vue'

export function useNarrow(below = 760): Ref<boolean> {
  const query = window.matchMedia(`(max-width: ${below - 1}px)`)
  const narrow = ref(query.matches)
  const change = (event: MediaQueryListEvent): void => {
    if (!window.matchMedia('print').matches) narrow.value = event.matches
  }
  query.addEventListener('change', change)
  onBeforeUnmount(() => query.removeEventListener('change', change))
  return narrow
}
