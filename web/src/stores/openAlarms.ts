/** How many alarms are open: counted by the hub, since no page holds them all. */
import { ref } from 'vue'
import { api } from '@/api/client'
import type { LiveSocket } from '@/live/socket'

/** Many cameras may fail in the same second: the count is asked for once after them. */
const PAUSE_MS = 1_000

/** null: not known (yet). */
const count = ref<number | null>(null)
let generation = 0
let timer: ReturnType<typeof setTimeout> | undefined

async function load(): Promise<void> {
  const mine = ++generation
  clearTimeout(timer)
  timer = undefined
  const answer = await api.get('/api/alarms/count')
  if (mine !== generation) return // a later call asks again, or somebody else is signed in
  count.value = answer.ok ? answer.data.open : count.value
}

export const openAlarms = {
  count,
  load,
  clear(): void {
    generation += 1
    clearTimeout(timer)
    timer = undefined
    count.value = null
  },
  listen(live: LiveSocket): () => void {
    return live.onChanged('alarm', () => {
      timer ??= setTimeout(() => void load(), PAUSE_MS)
    })
  },
}
