/** Keeps the list still while somebody is about to click: while the pointer is over it, a row has the focus or is chosen, and on
 * screens without a pointer always. New alarms are only counted until then. */
import { nextTick, onBeforeUnmount, onMounted, ref, watch, type Ref } from 'vue'

export interface Standing {
  /** The ids that keep their place; null: none do. */
  held: Readonly<Ref<number[] | null>>
  enter(): void
  leave(): void
  focusIn(): void
  focusOut(event: FocusEvent): void
  /** Rows that somebody asked for go below the others. */
  append(ids: readonly number[]): void
  /** Lets go whatever holds it: another list is shown. */
  release(): void
  /** Shows what waits, and stands still again. */
  renew(): void
}

/** `shown`: the ids on the screen. `busy`: something in the list is chosen or unfolded. */
export function useStanding(shown: () => number[], busy: () => boolean): Standing {
  const held = ref<number[] | null>(null)
  const [over, focused] = [ref(false), ref(false)]
  const touch = ref(false)
  const query = window.matchMedia('(hover: none)')
  const see = (): void => void (touch.value = query.matches)
  onMounted(() => {
    see()
    query.addEventListener('change', see)
    // Not before: what is shown is computed from what is held.
    watch(wanted, (hold) => (held.value = hold ? (held.value ?? shown()) : null), { flush: 'sync', immediate: true })
  })
  onBeforeUnmount(() => query.removeEventListener('change', see))

  /** A list without rows has nothing that could move. */
  const wanted = (): boolean => (over.value || focused.value || busy() || touch.value) && shown().length > 0
  function release(): void {
    held.value = null
  }
  return {
    held,
    enter: () => (over.value = true),
    leave: () => (over.value = false),
    focusIn: () => (focused.value = true),
    focusOut(event) {
      focused.value = (event.currentTarget as HTMLElement).contains(event.relatedTarget as Node | null)
    },
    append(ids) {
      if (held.value) held.value = [...held.value, ...ids.filter((id) => !held.value?.includes(id))]
    },
    release,
    renew() {
      release()
      void nextTick(() => {
        if (wanted()) held.value = shown()
      })
    },
  }
}
