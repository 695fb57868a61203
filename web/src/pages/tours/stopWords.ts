/** What a stop is called on the page, and what is wrong with it. */
import type { Scene } from '@/api/types'
import { t } from '@/i18n'
import { stopLabel } from '@/stopLabel'
import { cameras, villages } from '@/stores'
import { camerasOf, type Stop, type StopTrouble } from './stops'

type Scenes = ReadonlyMap<number, Scene>

export function stopName(stop: Stop, scenes: Scenes): string {
  if (stop.kind === 'scene') return scenes.get(stop.target)?.name ?? `#${stop.target}`
  if (stop.kind === 'camera') return cameras.byId.get(stop.target)?.name ?? `#${stop.target}`
  if (stop.title) return stop.title
  const [first, ...others] = camerasOf(stop, scenes)
  const name = first === undefined ? '' : (cameras.byId.get(first)?.name ?? `#${first}`)
  return stopLabel({ name, more: others.length })
}

/** Where it is: the villages of its cameras; how many it shows. */
export function stopOrigin(stop: Stop, scenes: Scenes): string {
  const shown = camerasOf(stop, scenes)
  const ids = [...new Set(shown.flatMap((id) => cameras.byId.get(id)?.village_id ?? []))]
  const names = ids.slice(0, 3).map((id) => villages.byId.get(id)?.name ?? '')
  const where = names.join(t('common.comma')) + (ids.length > 3 ? ` ${t('tours.editor.moreVillages', { n: ids.length })}` : '')
  if (stop.kind === 'camera') return where
  const what = t(stop.kind === 'scene' ? 'tours.editor.sceneOf' : 'tours.editor.groupOf', { n: shown.length })
  return where && !(stop.kind === 'group' && stop.title.startsWith(where)) ? `${what} · ${where}` : what
}

export function troubleText(trouble: StopTrouble, stop: Stop): string {
  if (trouble === 'gone') return t(stop.kind === 'scene' ? 'tours.editor.sceneGone' : 'tours.editor.gone')
  return t(`tours.editor.trouble.${trouble}`)
}
