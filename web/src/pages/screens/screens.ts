/** The screens as every seat knows them, and what a seat may do with them. */
import { api, type Result } from '@/api/client'
import type { components } from '@/api/schema'
import type { Screen } from '@/api/types'
import { t } from '@/i18n'
import { live } from '@/stores'
import { collection } from '@/stores/collection'
import { showDone, showError } from '../parts/messages'

export type Wanted = components['schemas']['ShowOnScreen']['content']

export const screens = collection<Screen>('screen', () => api.get('/api/screens'), (a, b) => a.name.localeCompare(b.name, 'zh-CN', { numeric: true }) || a.id - b.id)
screens.listen(live)
for (const kind of ['hello', 'reload'] as const) live.on(kind, () => screens.loaded.value && void screens.load())

/** What somebody at another seat has done meanwhile: the new state, of a refusal `screen_moved`. */
function movedTo(result: Result<Screen>): Screen | null {
  return !result.ok && result.error.reason === 'screen_moved' ? (result.error.params.screen as Screen) : null
}

function taken(result: Result<Screen>, done: string): boolean {
  const moved = movedTo(result)
  if (result.ok) {
    screens.put(result.data)
    showDone(done)
  } else if (moved) {
    screens.put(moved)
    showError({ ...result.error, reason: moved.changed_name ? 'screen_moved_by' : 'screen_moved', params: { name: moved.changed_name, what: contentText(moved.content) } })
  } else showError(result.error)
  return result.ok
}

/** Puts something onto a screen as this seat saw it. Answers whether it is there. */
export async function putOn(screen: Screen, content: Wanted): Promise<boolean> {
  const result = await api.post('/api/screens/{screen_id}/show', { path: { screen_id: screen.id }, body: { revision: screen.revision, content } })
  return taken(result, t('screens.is_on', { name: screen.name }))
}

/** Returns to what the screen showed before. */
export async function takeBack(screen: Screen): Promise<boolean> {
  const result = await api.post('/api/screens/{screen_id}/take-back', { path: { screen_id: screen.id }, body: { revision: screen.revision } })
  return taken(result, t('screens.is_back', { name: screen.name }))
}

/** What is on a screen, in a few words. */
export function contentText(content: Screen['content']): string {
  return t(`screens.content.${content.kind}`, { name: content.name })
}

/** How a screen is: connected, away, or no browser's yet. */
export function stateOf(screen: Screen): 'live' | 'waiting' | 'lost' {
  return screen.connected ? 'live' : screen.enrolled_at ? 'lost' : 'waiting'
}

/** What can be carried onto a screen: a camera of the tree or a tile, a scene, a run, or the wall as it is. */
export const CARRIED = { camera: 'application/x-camera', content: 'application/x-screen-content' } as const

export function carry(event: DragEvent, content: Wanted): void {
  event.dataTransfer?.setData(CARRIED.content, JSON.stringify(content))
  if (event.dataTransfer) event.dataTransfer.effectAllowed = 'copy'
}

/** Whether a drag carries something that a screen can show. What it is, browsers tell only when it is dropped. */
export function carried(event: DragEvent): 'camera' | 'content' | null {
  const types = event.dataTransfer?.types ?? []
  return types.includes(CARRIED.content) ? 'content' : types.includes(CARRIED.camera) ? 'camera' : null
}

/** What was dropped: onto one tile (a camera only), or onto the whole screen (tile null). */
export function dropped(event: DragEvent, tile: number | null): Wanted | null {
  try {
    const content = event.dataTransfer?.getData(CARRIED.content)
    if (content) return JSON.parse(content) as Wanted
    const { camera } = JSON.parse(event.dataTransfer?.getData(CARRIED.camera) ?? '') as { camera: unknown }
    if (typeof camera !== 'number') return null
    return tile === null ? { kind: 'cameras', layout: '1', cameras: [camera], carousels: {} } : { kind: 'tile', tile, camera_id: camera }
  } catch {
    return null // something else was dropped
  }
}
