/** The hub's time for countdowns: from every message that carries it, corrected by the best of the last ones. */
import { onBeforeUnmount, onMounted, ref, type Ref } from 'vue'
import { live } from '@/stores'
import type { Run } from '@/api/types'
import { ClockDifference } from '../tours/countdown'

const difference = new ClockDifference()

/** A run or message has just arrived that was made at `now` (hub time). */
export function noteHubTime(now: string): void {
  difference.addSample(now, Date.now())
}

/** Hub time in ms, moving four times a second while the component is mounted. */
export function useHubClock(): Ref<number> {
  const hubMs = ref(Date.now() - difference.ms)
  const stops: (() => void)[] = []
  onMounted(() => {
    const timer = setInterval(() => (hubMs.value = Date.now() - difference.ms), 250)
    stops.push(
      () => clearInterval(timer),
      live.on('hello', (message) => noteHubTime(message.now)),
      live.on('time', (message) => noteHubTime(message.now)),
      live.onChanged('run', (change) => {
        if (change.data) noteHubTime((change.data as unknown as Run).now)
      }),
    )
    if (difference.ms === 0) noteHubTime(new Date(Date.now() + live.offsetMs).toISOString())
  })
  onBeforeUnmount(() => {
    for (const stop of stops.splice(0)) stop()
  })
  return hubMs
}
