/** Shapes and words of the county list check. */
import type { components } from '@/api/schema'
import { reasonText, t } from '@/i18n'

export type Check = components['schemas']['CountyCheckAnswer']
export type Row = components['schemas']['CountyRowAnswer']
export type Conclusion = components['schemas']['CountyRowAnswer']['conclusion'] & string
type Seen = components['schemas']['SeenStateAnswer']

export const CONCLUSIONS = ['agrees', 'repaired', 'seen_well', 'excluded', 'not_known', 'ambiguous', 'no_camera'] as const
/** How much a person has to do about it: the colour of its mark. */
export const TONE: Record<Conclusion, 'bad' | 'good' | 'ask' | 'plain'> = {
  agrees: 'bad',
  repaired: 'good',
  seen_well: 'good',
  excluded: 'plain',
  not_known: 'plain',
  ambiguous: 'ask',
  no_camera: 'ask',
}

export function stateText(seen: Seen | null | undefined): string {
  if (!seen) return ''
  if (seen.state === 'fault') return reasonText(seen.cause ?? '')
  return t(seen.state === 'ok' ? 'county.ok' : 'county.unknown')
}
