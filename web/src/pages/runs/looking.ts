/** What each camera on the wall shows at this moment, by all that the browser tells. Costs a few hit tests and one tiny picture per tile and second. */
import type { ShownTile, WallControl } from '@/wall/control'
import { Glimpses, type Look } from '@/wall/glimpse'
import { pointsOf } from '@/wall/uncovered'
import { sightOf, type Sight } from './seen'

/** So long after a frame was asked for, the browser draws this page no more. */
const DRAWN_WITHIN_MS = 1_000
/** How often a tile's picture is looked at: until it is known to be well, and from then on. */
const LOOK_EVERY_MS = 1_000
const LOOK_AGAIN_MS = 2_000

interface Looked {
  at: number
  look: Look | null
}

export class Looking {
  readonly glimpses = new Glimpses()
  private readonly looked = new Map<number, Looked>()
  private askedAt: number | null = null

  constructor(
    private readonly wall: WallControl,
    private readonly draw: (then: () => void) => void = (then) => void requestAnimationFrame(then),
  ) {}

  /** Another stop is on: its pictures are compared with none of before. */
  begin(): void {
    this.glimpses.forget()
    this.looked.clear()
  }

  /** Called several times a second. Of a camera in several tiles the best one counts. */
  sights(now: number): Map<number, Sight> {
    const drawn = this.drawn(now)
    const found = new Map<number, Sight>()
    for (const tile of this.wall.shown()) {
      const sight = this.sight(tile, drawn, now)
      const before = found.get(tile.camera)
      if (before === undefined || (before !== 'visible' && (sight === 'visible' || sight === 'still'))) found.set(tile.camera, sight)
    }
    return found
  }

  private drawn(now: number): boolean {
    if (this.askedAt === null) {
      this.askedAt = now
      this.draw(() => (this.askedAt = null))
      return true
    }
    return now - this.askedAt < DRAWN_WITHIN_MS
  }

  private sight(tile: ShownTile, drawn: boolean, now: number): Sight {
    const pageVisible = !document.hidden
    const points = tile.element && pageVisible && drawn ? pointsOf(tile.element, tile.frame) : { tried: 1, outside: 1, covered: 0 }
    const picture = tile.source || tile.picture === 'old' ? tile.picture : 'none'
    return sightOf({ pageVisible, drawn, points, picture, look: picture === 'moving' && tile.source ? this.look(tile, tile.source, now) : null })
  }

  private look(tile: ShownTile, source: CanvasImageSource, now: number): Look | null {
    const before = this.looked.get(tile.camera)
    if (before && now - before.at < (before.look === 'changed' ? LOOK_AGAIN_MS : LOOK_EVERY_MS)) return before.look
    const look = this.glimpses.look(tile.camera, source)
    // Key frames come seconds apart, and that they are new the wall knows better.
    const found = tile.still && look === 'same' ? 'changed' : look
    this.looked.set(tile.camera, { at: now, look: found })
    return found
  }
}
