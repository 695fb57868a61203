/**
 * A glimpse of what a tile shows, once a second: is it a picture, and has it changed? The picture is drawn very small, which
 * costs about as little as one hit test; its numbers never leave this module.
 */

export type Look = 'changed' | 'same' | 'black'

export const WIDTH = 64
export const HEIGHT = 36

/** Brightness (0 to 255) up to which a point counts as black: limited range, and the noise of a covered sensor. */
const BLACK_UP_TO = 20
/** A caption may stand in a black picture. */
const BLACK_SHARE = 0.97
/** By how much a point may differ in a picture that was only coded anew. */
const SAME_UP_TO = 3

/** Brightness of each point of RGBA bytes. */
export function brightness(rgba: Uint8ClampedArray): Uint8Array {
  const found = new Uint8Array(rgba.length / 4)
  for (let i = 0, at = 0; i < found.length; i += 1, at += 4) found[i] = (rgba[at]! * 77 + rgba[at + 1]! * 150 + rgba[at + 2]! * 29) >> 8
  return found
}

/** What the points say against those of the glimpse before; null: there was none, and nothing is proved yet. */
export function judged(before: Uint8Array | null, points: Uint8Array): Look {
  let dark = 0
  for (const point of points) if (point <= BLACK_UP_TO) dark += 1
  if (dark >= points.length * BLACK_SHARE) return 'black'
  if (!before) return 'same'
  for (let i = 0; i < points.length; i += 1) if (Math.abs(points[i]! - before[i]!) > SAME_UP_TO) return 'changed'
  return 'same'
}

export class Glimpses {
  private readonly before = new Map<number, Uint8Array>()
  private context: CanvasRenderingContext2D | null | undefined
  /** How many were taken, and how long that took, ms. */
  taken = 0
  ms = 0

  /** What the camera's picture looks like now; null where it cannot be read. */
  look(camera: number, picture: CanvasImageSource): Look | null {
    const began = performance.now()
    const points = this.read(picture)
    if (!points) return null
    const found = judged(this.before.get(camera) ?? null, points)
    this.before.set(camera, points)
    this.taken += 1
    this.ms += performance.now() - began
    return found
  }

  /** Another stop: nothing is known of its cameras. */
  forget(): void {
    this.before.clear()
  }

  private read(picture: CanvasImageSource): Uint8Array | null {
    if (this.context === undefined) {
      const canvas = Object.assign(document.createElement('canvas'), { width: WIDTH, height: HEIGHT })
      this.context = canvas.getContext('2d', { alpha: false, willReadFrequently: true })
    }
    if (!this.context) return null
    try {
      this.context.drawImage(picture, 0, 0, WIDTH, HEIGHT)
      return brightness(this.context.getImageData(0, 0, WIDTH, HEIGHT).data)
    } catch {
      return null
    }
  }
}
