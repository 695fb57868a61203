/** What a running tour may do with the wall. The wall page hands it to `<RunBar>`. */
import type { LayoutName } from '@/api/types'
import type { SceneState } from './scene'

export interface WallControl {
  /** Shows a scene with all that turns in it; `ofTour`: as a stop that lasts seconds. */
  show(scene: SceneState, ofTour: boolean): void
  /** Shows these cameras as a stop, one per tile (null: an empty tile). Tiles that show their camera already are left alone. */
  showScene(layout: LayoutName, cameraIds: readonly (number | null)[]): void
  /** The cameras whose tile is on the screen with a moving picture (or fresh key-frame pictures). */
  moving(): ReadonlySet<number>
  /** What is shown now. */
  scene(): SceneState
}
