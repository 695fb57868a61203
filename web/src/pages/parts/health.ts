/** What is said about a camera's health: one of four marks, a word, and why. */
import type { Camera } from '@/api/types'

export type Mark = 'ok' | 'fault' | 'unknown' | 'off'

/** Cameras not in service have no health worth a colour. */
export function markOf(camera: Pick<Camera, 'state' | 'health'>): Mark {
  return camera.state === 'approved' ? camera.health : 'off'
}

type States = Pick<Camera, 'states'>

/** Whether it sends a stream now; its picture and its clock are other questions. */
export function isOnline(camera: States): boolean {
  return camera.states.some((one) => one.aspect === 'media' && one.state === 'ok')
}

export function isClockWrong(camera: States): boolean {
  return camera.states.some((one) => one.aspect === 'clock' && one.state === 'fault')
}
