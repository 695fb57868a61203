/** Addresses of the wall: a scene is a URL. */
import type { RouteLocationRaw } from 'vue-router'
import type { LayoutName } from './shapes'

/** The smallest layout that holds so many pictures. */
export function layoutFor(count: number): LayoutName {
  if (count <= 1) return '1'
  if (count <= 4) return '4'
  return count <= 9 ? '9' : '16'
}

/** The wall with these cameras, at most 16. A single one joins what is shown there already. */
export function wallWith(cameraIds: readonly number[]): RouteLocationRaw {
  if (cameraIds.length === 1) return { path: '/wall', query: { show: cameraIds[0] } }
  const ids = cameraIds.slice(0, 16)
  return { path: '/wall', query: { layout: layoutFor(ids.length), cams: ids.join(',') } }
}
