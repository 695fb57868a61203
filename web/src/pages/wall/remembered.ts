/** The scene a user left the wall with, kept in this browser. */
import { me } from '@/stores'
import { sceneFromStorage, sceneToQuery, type SceneState } from '@/wall/scene'

export function remember(scene: SceneState): void {
  if (!me.value) return
  try {
    localStorage.setItem(`wall:${me.value.id}`, JSON.stringify({ query: sceneToQuery(scene) }))
  } catch {
    /* storage is switched off */
  }
}

export function remembered(): SceneState | null {
  try {
    return sceneFromStorage(JSON.parse(localStorage.getItem(`wall:${me.value?.id}`) ?? 'null'))
  } catch {
    return null
  }
}
