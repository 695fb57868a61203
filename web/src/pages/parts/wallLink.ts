/** Addresses of the wall: a scene is a URL. */
import type { RouteLocationRaw } from 'vue-router'
import { MOST_TILES, layoutFor } from '@/wall/layout'

/** The wall with these cameras, as many as it has tiles. A single one joins what is shown there already. */
export function wallWith(cameraIds: readonly number[]): RouteLocationRaw {
  if (cameraIds.length === 1) return { path: '/wall', query: { show: cameraIds[0] } }
  const ids = cameraIds.slice(0, MOST_TILES)
  return { path: '/wall', query: { layout: layoutFor(ids.length), cams: ids.join(',') } }
}
