/** Tours and scenes, for the pages that need them. Both are notified under the topic "tour". */
import { api } from '@/api/client'
import { collection } from '@/stores/collection'
import { live } from '@/stores'
import type { Scene, Tour } from '@/api/types'

/** Tours in use; those that are archived are asked for by who wants to see them. */
export const tours = collection<Tour>('tour', () => api.get('/api/tours'), (a, b) => a.name.localeCompare(b.name, 'zh-CN') || a.id - b.id, { belongs: (tour) => tour.archived_at === null })

/** Scenes have no topic of their own; their changes are notified as changes of tours, under ids of tours. */
export const scenes = collection<Scene>('tour', () => api.get('/api/scenes'), (a, b) => a.id - b.id)

export function keepScenes(): () => void {
  void scenes.load()
  const again = (): void => void scenes.load()
  const stops = [live.on('hello', again), live.on('reload', again), live.onChanged('tour', again)]
  return () => {
    for (const stop of stops) stop()
  }
}
