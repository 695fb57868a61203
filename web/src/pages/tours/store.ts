/** Tours and scenes, for the pages that need them. Both are told by the topic "tour". */
import { api } from '@/api/client'
import { collection } from '@/stores/collection'
import { live } from '@/stores'
import { ref } from 'vue'
import type { Scene, Tour } from '../parts/shapes'

export const tours = collection<Tour>('tour', () => api.get('/api/tours'), (a, b) => a.id - b.id)

/** Scenes have no topic of their own; what changes them is told as a change of tours. */
export const scenes = ref(new Map<number, Scene>())

export async function loadScenes(): Promise<void> {
  const answer = await api.get('/api/scenes')
  if (answer.ok) scenes.value = new Map(answer.data.map((scene) => [scene.id, scene]))
}

export function keepScenes(): () => void {
  void loadScenes()
  const again = (): void => void loadScenes()
  const stops = [live.on('hello', again), live.on('reload', again), live.onChanged('tour', again)]
  return () => {
    for (const stop of stops) stop()
  }
}
