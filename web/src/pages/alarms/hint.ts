/** What was seen shortly before a loss, in words: `{kind, source, camera_id, seconds, score}`. */
import { reasonText, t } from '@/i18n'
import { durationText } from '../parts/duration'
import type { Alarm } from '@/api/types'

export interface HintWords {
  /** "Lens covered". */
  what: string
  /** Which camera it was seen of, its name where the alarm is of several; when; by whom or how clearly. */
  rest: string[]
}

const REPORTED: readonly unknown[] = ['tamper', 'video_loss', 'hardware']

/** null: nothing was seen, or it is of no known kind. */
export function hintWords(alarm: Pick<Alarm, 'hint' | 'level'>, nameOf: (cameraId: number) => string): HintWords | null {
  const hint = alarm.hint
  if (!hint || typeof hint.kind !== 'string') return null
  const reported = hint.source === 'device'
  if (reported && !REPORTED.includes(hint.kind)) return null
  const rest: string[] = []
  if (alarm.level !== 'camera' && typeof hint.camera_id === 'number') rest.push(nameOf(hint.camera_id))
  if (typeof hint.seconds === 'number') rest.push(hint.seconds >= 1 ? t('alarms.hintBefore', { duration: durationText(hint.seconds * 1000) }) : t('alarms.hintAtOnce'))
  if (reported) rest.push(t('alarms.hintReported'))
  else if (typeof hint.score === 'number') rest.push(t('alarms.hintScore', { score: Math.round(hint.score) }))
  return { what: reported ? t(`deviceEvents.kind.${hint.kind}`) : reasonText(hint.kind), rest }
}
