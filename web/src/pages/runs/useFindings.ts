/** The findings of a patrol under way: read again when one comes or goes, on whichever page. */
import { onBeforeUnmount, onMounted } from 'vue'
import { api } from '@/api/client'
import { live } from '@/stores'
import { useLoad, type Loaded } from '../parts/useLoad'
import type { PatrolFinding } from './patrolRecord'

const MOST = 200

export function useFindings(run: () => number | null): Loaded<PatrolFinding[]> {
  const found = useLoad<PatrolFinding[]>(async (signal) => {
    const id = run()
    if (id === null) return { ok: true, data: [] }
    const answer = await api.get('/api/findings', { query: { run_id: id, limit: MOST }, signal })
    return answer.ok ? { ok: true, data: answer.data.findings } : answer
  })
  const stops: (() => void)[] = []
  onMounted(() => {
    void found.load()
    stops.push(
      live.on('hello', found.refresh),
      live.on('reload', found.refresh),
      live.onChanged('result', (change) => {
        if (Number(change.id) === run()) found.refresh()
      }),
    )
  })
  onBeforeUnmount(() => {
    for (const stop of stops.splice(0)) stop()
  })
  return found
}
