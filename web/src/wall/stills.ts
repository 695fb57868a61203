/** Fetches key-frame pictures of one tile: the newest one each time, one at a time, skipping those that were replaced meanwhile. */
import type { Tile } from './tile'

/** The picture with that number and its age in ms; null when it cannot be fetched. */
export type FetchStill = (camera: number, stream: 'main' | 'sub', number: number) => Promise<{ image: ImageBitmap; age: number } | null>

export class Stills {
  private fetching = false
  private last: number | null = null
  shown = 0

  constructor(
    private readonly tile: () => Tile,
    private readonly fetch: FetchStill,
    private readonly show: (image: ImageBitmap, age: number) => void,
  ) {}

  /** The tile's state has changed: fetches until there is no newer picture. */
  async follow(stopped: () => boolean): Promise<void> {
    if (this.fetching) return
    this.fetching = true
    for (;;) {
      const { hubState, camera, stream, picture } = this.tile()
      if (stopped() || hubState !== 'pictures' || camera === null || picture === null || picture === this.last) break
      const got = await this.fetch(camera, stream ?? 'sub', picture)
      this.last = picture // whether or not it could be fetched: the next one comes soon
      if (!got) continue
      const now = this.tile()
      if (now.camera !== camera || now.hubState !== 'pictures') got.image.close()
      else {
        this.shown += 1
        this.show(got.image, got.age)
      }
    }
    this.fetching = false
  }
}
