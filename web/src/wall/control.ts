/** What a running tour may do with the wall. The wall page hands it to `<RunBar>`. */
import type { LayoutName } from '@/api/types'

export interface WallControl {
  /** Shows these cameras, one per tile (null: an empty tile). Tiles that show their camera already are left alone. */
  showScene(layout: LayoutName, cameraIds: readonly (number | null)[]): void
  /** The cameras whose tile is on the screen with a moving picture (or fresh key-frame pictures). */
  moving(): ReadonlySet<number>
  /** What is shown now. */
  scene(): { layout: LayoutName; cameras: (number | null)[] }
}
