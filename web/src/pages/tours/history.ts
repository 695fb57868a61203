/** Undo and redo over immutable states. */
import { computed, ref, shallowRef, type ComputedRef, type ShallowRef } from 'vue'

const KEPT = 200

export interface History<T> {
  readonly state: ShallowRef<T>
  readonly canUndo: ComputedRef<boolean>
  readonly canRedo: ComputedRef<boolean>
  /** Changes under the same `mark` one after another (typing in one field) are undone at once. */
  put(next: T, mark?: string): void
  undo(): void
  redo(): void
  /** Starts anew from a state: nothing is left to undo. */
  reset(state: T): void
}

export function useHistory<T>(first: T): History<T> {
  const state = shallowRef(first)
  const past = ref<unknown[]>([])
  const future = ref<unknown[]>([])
  let lastMark: string | undefined

  function step(from: typeof past, to: typeof past): void {
    if (!from.value.length) return
    to.value = [...to.value, state.value]
    state.value = from.value[from.value.length - 1] as T
    from.value = from.value.slice(0, -1)
    lastMark = undefined
  }
  return {
    state,
    canUndo: computed(() => past.value.length > 0),
    canRedo: computed(() => future.value.length > 0),
    put(next, mark) {
      if (mark === undefined || mark !== lastMark) past.value = [...past.value, state.value].slice(-KEPT)
      lastMark = mark
      future.value = []
      state.value = next
    },
    undo: () => step(past, future),
    redo: () => step(future, past),
    reset(next) {
      past.value = []
      future.value = []
      lastMark = undefined
      state.value = next
    },
  }
}
