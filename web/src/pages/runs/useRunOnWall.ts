import type { WallPort } from '@/wall/port'

/** Keeps the wall on the stop that run `runId` (null: none) stands at. */
export function useRunOnWall(_wall: WallPort, _runId: () => number | null): void {
  // filled with the running tour
}
