/** What is said about a camera's health: one of four marks, a word, and why. */
import type { Camera } from '@/api/types'

export type Mark = 'ok' | 'fault' | 'unknown' | 'off'

/** Cameras not in service have no health worth a colour. */
export function markOf(camera: Pick<Camera, 'state' | 'health'>): Mark {
  return camera.state === 'approved' ? camera.health : 'off'
}
