/** A tile's state in words and as a shape. */
import { detailText, reasonText, remedyText, t } from '@/i18n'
import type { Camera } from '@/api/types'
import { dateText, timeText } from '@/siteTime'
import type { Phase, Tile } from '@/wall/tile'

export type Shape = 'live' | 'waiting' | 'degraded' | 'lost'

export function shapeOf(phase: Phase): Shape {
  if (phase === 'failed') return 'lost'
  if (phase === 'refused' || phase === 'stalled' || phase === 'reconnecting') return 'degraded'
  return phase === 'live' || phase === 'pictures' ? 'live' : 'waiting'
}

/** `14:02`, with the day where it is not today's. */
export function clockText(at: number, now: number): string {
  const date = dateText(at)
  return date === dateText(now) ? timeText(at) : `${date.slice(5)} ${timeText(at)}`
}

/** How long ago, in the largest unit that fits. */
export function agoText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds < 60) return t('wall.ago_s', { n: seconds })
  if (seconds < 3_600) return t('wall.ago_min', { n: Math.floor(seconds / 60) })
  return t('wall.ago_h', { n: Math.floor(seconds / 3_600) })
}

/** The state word of a tile; `hubNow` is for the day of a fault's beginning. */
export function stateText(tile: Tile, phase: Phase, hubNow: number): string {
  // Without a time for the next attempt it waits in the queue for room; else something else is busy.
  if (phase === 'refused' && tile.reason === 'busy' && tile.retryAt === null) return t('wall.queued')
  if (phase === 'failed' || phase === 'refused' || phase === 'waiting') {
    const reason = tile.reason ? reasonText(tile.reason, tile.params) : t(`wall.phase.${phase}`)
    if (phase !== 'failed') return reason
    const words = tile.since ? t('wall.since', { time: clockText(tile.since, hubNow), reason }) : reason
    return tile.retryAt && tile.retryAt > hubNow ? t('wall.retry', { words, time: clockText(tile.retryAt, hubNow) }) : words
  }
  if (phase === 'pictures' && tile.interval !== null) return t('wall.pictures_every', { n: Math.max(1, Math.round(tile.interval / 1_000)) })
  if (phase === 'stalled' && tile.note === 'lossy') return reasonText('lossy')
  const note = noteOf(tile, phase)
  if (note === 'lossy') return t('wall.note.lossy', { percent: tile.params.percent ?? '' })
  return t(note ? `wall.note.${note}` : `wall.phase.${phase}`)
}

/** What is wrong and what helps, in a sentence: the same that the alarm has. Empty where nothing is wrong or the state says it all. */
export function sentenceOf(tile: Tile, phase: Phase): string {
  if (tile.reason === null || !['failed', 'refused', 'waiting', 'stalled', 'live'].includes(phase)) return ''
  return remedyText(tile.reason, tile.params) || (detailText(tile.detail) ?? '')
}

/** Why a live picture is not what was asked for. */
export function noteOf(tile: Tile, phase: Phase): Tile['note'] {
  return phase === 'live' ? tile.note : null
}

/** Faults that only a look at the picture finds: packets flow, but there is nothing to see. */
export const PICTURE_FAULTS: ReadonlySet<string> = new Set([
  'no_signal',
  'black',
  'covered',
  'frozen',
  'striped',
  'noisy',
  'overexposed',
  'underexposed',
  'blurred',
  'moved',
  'low_contrast',
  'colour_cast',
  'undecodable',
  'quarantined',
])

/** Faults of cameras whose picture can be shown nevertheless; as patrol/runs/condition.py has them. */
const SHOWN_ANYWAY: ReadonlySet<string> = new Set([...PICTURE_FAULTS, 'clock_wrong', 'late', 'lossy'])

/** Whether a carousel passes over the camera: the rounds have found that there is nothing to be shown. */
export function cannotBeShown(camera: Pick<Camera, 'health' | 'cause'>): boolean {
  return camera.health === 'fault' && !SHOWN_ANYWAY.has(camera.cause ?? '')
}

/** The fault that rounds found in a picture that plays; null when there is none. */
export function pictureFault(phase: Phase, camera: Pick<Camera, 'health' | 'cause'> | undefined): string | null {
  return (phase === 'live' || phase === 'pictures') && camera?.health === 'fault' && camera.cause && PICTURE_FAULTS.has(camera.cause) ? camera.cause : null
}
