import { scene } from '../wall/wallState'
import type { Wanted } from './screens'

/** This seat's wall as something to put onto a screen, carousels included; null while it shows nothing. */
export function wallContent(): Wanted | null {
  const { layout, cameras, carousels, magnify } = scene
  if (cameras.every((camera) => camera === null) && Object.keys(carousels).length === 0) return null
  return { kind: 'cameras', layout, cameras: [...cameras], carousels: { ...carousels }, magnify_s: magnify }
}
