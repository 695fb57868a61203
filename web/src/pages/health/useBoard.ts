/** The board, read again after events. Many cameras change in the same second: it is read once after them. */
import { onBeforeUnmount, onMounted } from 'vue'
import { api } from '@/api/client'
import { live } from '@/stores'
import { useLoad, type Loaded } from '../parts/useLoad'
import type { Board } from './board'

const PAUSE_MS = 1_500
/** When rounds looked last, and whether they are in time, changes without an event. */
const STALE_MS = 60_000

export function useBoard(): Loaded<Board> {
  const board = useLoad<Board>((signal) => api.get('/api/health/board', { signal }))
  let timer: ReturnType<typeof setTimeout> | undefined
  let readAt = 0
  const stops: (() => void)[] = []

  function read(): void {
    clearTimeout(timer)
    timer = undefined
    readAt = performance.now()
    board.refresh()
  }
  function soon(): void {
    timer ??= setTimeout(read, PAUSE_MS)
  }
  onMounted(() => {
    read()
    for (const topic of ['village', 'camera', 'alarm'] as const) stops.push(live.onChanged(topic, soon))
    stops.push(live.on('hello', read), live.on('reload', read))
    stops.push(live.on('time', () => { if (performance.now() - readAt > STALE_MS) read() }))
  })
  onBeforeUnmount(() => {
    clearTimeout(timer)
    for (const stop of stops.splice(0)) stop()
  })
  return board
}
