/** Watches on the operator's page whether anybody is there, and pauses the patrol when nobody answers. */
import { computed, onBeforeUnmount, onMounted, ref, watch, type ComputedRef } from 'vue'
import { link } from '@/stores'
import { answerLeft, isInput, later, present } from './attention'
import type { Patrol } from './usePatrol'

const INPUTS = ['keydown', 'pointerdown', 'pointermove', 'touchstart', 'wheel'] as const
/** Windows of one browser tell each other of input at most this often. */
const TELL_MS = 2_000
/** A pause that was not accepted is asked for again after this. */
const AGAIN_MS = 10_000

export interface AttentionPrompt {
  /** Seconds left for the answer; null: nothing is asked. */
  left: ComputedRef<number | null>
  answer(): void
}

/** To be called before other listeners for keys are added: the key that answers is not meant for them. */
export function useAttention(patrol: Patrol, clock: () => number = () => performance.now()): AttentionPrompt {
  const { run, proof, mine } = patrol
  const now = ref(clock())
  const attention = ref(present(now.value))
  const left = computed(() => answerLeft(attention.value, now.value))
  let told = -Infinity
  let tried = -Infinity
  let others: BroadcastChannel | null = null

  function answer(tell = true): void {
    now.value = clock()
    attention.value = present(now.value)
    if (!tell || now.value - told < TELL_MS) return
    told = now.value
    others?.postMessage(null)
  }
  function heard(event: Event): void {
    const asked = left.value !== null
    if (!isInput(event, asked)) return
    answer()
    if (!asked || !(event instanceof KeyboardEvent) || (event.key !== ' ' && event.key !== 'Enter')) return
    if ((event.target as HTMLElement).closest?.('input, textarea, select, [contenteditable]')) return
    event.preventDefault()
    event.stopImmediatePropagation()
  }
  function tick(): void {
    now.value = clock()
    attention.value = later(attention.value, now.value, run.value?.attention_minutes ?? 0, proof.value && mine.value && run.value?.state === 'running')
    if (left.value !== 0 || link.value === 'lost' || patrol.busy.value || now.value - tried < AGAIN_MS) return
    tried = now.value
    void patrol.act('pause', 'attention')
  }
  // Confirmed in another window or at another seat of the operator: somebody is there.
  watch(
    () => (run.value?.counts ? run.value.counts.normal + run.value.counts.abnormal : 0),
    () => answer(false),
  )
  // What no longer runs asks nothing, at once.
  watch(() => [run.value?.id, run.value?.state, run.value?.operator?.id], tick)

  let timer: ReturnType<typeof setInterval> | undefined
  onMounted(() => {
    for (const type of INPUTS) window.addEventListener(type, heard, { capture: true, passive: type !== 'keydown' })
    timer = setInterval(tick, 1_000)
    if (typeof BroadcastChannel === 'undefined') return
    others = new BroadcastChannel('patrol-attention')
    others.onmessage = () => answer(false)
  })
  onBeforeUnmount(() => {
    for (const type of INPUTS) window.removeEventListener(type, heard, { capture: true })
    clearInterval(timer)
    others?.close()
  })
  return { left, answer }
}
