/** Starting a patrol and going to the wall with it. */
import type { Router } from 'vue-router'
import { api } from '@/api/client'
import { runs } from '@/stores'
import { dataOrShowError } from '../parts/messages'

export async function startTour(router: Router, tour_id: number, loop: boolean): Promise<boolean> {
  const run = dataOrShowError(await api.post('/api/runs', { body: { tour_id, loop } }))
  if (!run) return false
  runs.put(run)
  await router.push({ path: '/wall', query: { run: run.id } })
  return true
}
