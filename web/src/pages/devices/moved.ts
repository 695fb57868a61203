import type { Device } from '@/api/types'

/** Where the device was approved before it was given the place where it is now; null while it is where it was approved. */
export function movedFrom(device: Device): string | null {
  return device.approved_place !== null && device.approved_place !== device.place ? device.approved_place : null
}
