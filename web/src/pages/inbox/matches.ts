/** Questions whether two devices are one, kept up to date by events; the answers to them. */
import { api } from '@/api/client'
import type { Match } from '@/api/types'
import { collection } from '@/stores/collection'

export const matches = collection<Match>('match', () => api.get('/api/matches'), (a, b) => b.id - a.id, { belongs: (one) => one.state === 'open' })

export type MarkName = 'serial' | 'mac' | 'endpoint'
export type Likeness = 'agrees' | 'weak' | 'differs' | null

export const MARKS: readonly MarkName[] = ['serial', 'mac', 'endpoint']

/** What a mark says: equal, equal but common, different; null where one of them does not tell it. */
export function likenessOf(match: Pick<Match, 'agree' | 'weak' | 'differ'>, mark: MarkName): Likeness {
  if (match.agree.includes(mark)) return 'agrees'
  if (match.weak.includes(mark)) return 'weak'
  return match.differ.includes(mark) ? 'differs' : null
}

/** Whether whoever confirms has been shown two pictures that do not fit, or cannot be compared. */
export function asksToLook(match: Pick<Match, 'reason'>): boolean {
  return match.reason === 'pictures_differ'
}
