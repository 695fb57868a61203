/** What a running tour may do with the wall. The wall page hands it to `<RunBar>`. */
import type { LayoutName } from '@/api/types'

export interface WallControl {
  /** Shows these cameras, one per tile (null: an empty tile). Tiles that show their camera already are left alone. */
  showScene(layout: LayoutName, cameraIds: readonly (number | null)[]): void
  /** Cameras with a moving picture that is on the screen now. */
  visible(): Set<number>
  /** What is shown now. */
  scene(): { layout: LayoutName; cameras: (number | null)[] }
}
