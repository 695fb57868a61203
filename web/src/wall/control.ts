/** What a running tour may do with the wall. The wall page hands it to `<RunBar>`. */
import type { LayoutName } from '@/api/types'
import type { SceneState } from './scene'

/** A tile that is on the wall with a camera. */
export interface ShownTile {
  index: number
  camera: number
  /** The tile with all that belongs to it, and what it scrolls in; null while it is not on the page. */
  element: Element | null
  frame: Element | null
  /** A moving picture (or fresh key-frame pictures), an old one, or none. */
  picture: 'moving' | 'old' | 'none'
  /** What shows the camera's own picture at this moment; null: nothing does. */
  source: CanvasImageSource | null
  /** Key-frame pictures come seconds apart: that they stand still meanwhile says nothing. */
  still: boolean
}

export interface WallControl {
  /** Shows a scene with all that turns in it. */
  show(scene: SceneState): void
  /** Shows these cameras as a stop, one per tile (null: an empty tile). Tiles that show their camera already are left alone. */
  showScene(layout: LayoutName, cameraIds: readonly (number | null)[]): void
  /** The tiles that are on the wall now; of a wall with one tile enlarged that one. */
  shown(): readonly ShownTile[]
  /** What is shown now. */
  scene(): SceneState
  /** The camera of the selected tile. */
  selected(): number | null
  select(camera: number): void
}
