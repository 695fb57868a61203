/** The mark of each camera of the present stop, for its tile. Pure but for the words of what hinders. */
import type { ItineraryStop, RunResult } from '@/api/types'
import { t } from '@/i18n'
import type { TileMark } from '../wall/tileMarks'
import { resultsAt } from './confirming'
import type { SeenOfCamera } from './seen'

export function marksOf(stop: ItineraryStop, results: readonly RunResult[], seen: ReadonlyMap<number, SeenOfCamera>, least: number, dead: ReadonlySet<number>): Map<number, TileMark> {
  const known = resultsAt(results, stop.position)
  const marks = new Map<number, TileMark>()
  for (const camera of stop.cameras) {
    if (!camera || dead.has(camera.id)) continue
    const result = known.get(camera.id)
    const { seconds, gap } = seen.get(camera.id) ?? { seconds: 0, gap: null }
    if (result?.result === 'normal' || result?.result === 'abnormal') marks.set(camera.id, { state: result.result, share: 1, missing: 0, why: '' })
    else if (result?.seen || seconds >= least) marks.set(camera.id, { state: 'seen', share: 1, missing: 0, why: '' })
    else marks.set(camera.id, { state: 'looking', share: Math.round((seconds / least) * 10) / 10, missing: Math.max(1, Math.ceil(least - seconds)), why: gap ? t(`running.gap.${gap}`) : '' })
  }
  return marks
}
