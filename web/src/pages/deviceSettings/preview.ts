/** A preview as tables: what will change, what cannot, what stays; and afterwards what became of each. Pure. */
import type { Job } from '@/api/types'
import type { PreviewItem } from './types'

export type ItemVerdict = Job['verdicts'][number]

export interface Sections {
  change: PreviewItem[]
  cannot: PreviewItem[]
  same: PreviewItem[]
}

/** In the order of the villages and devices, which `rank` tells; the parts of one camera stay together. */
export function sections(items: readonly PreviewItem[], rank: (item: PreviewItem) => number): Sections {
  const ranked = items.map((item, index) => ({ item, index, rank: rank(item) }))
  ranked.sort((a, b) => a.rank - b.rank || a.index - b.index)
  const result: Sections = { change: [], cannot: [], same: [] }
  for (const { item } of ranked) result[item.verdict].push(item)
  return result
}

/** How many devices and cameras some items are about. */
export function reach(items: readonly PreviewItem[]): { devices: number; cameras: number } {
  return {
    devices: new Set(items.map((item) => item.device_id)).size,
    cameras: new Set(items.flatMap((item) => item.camera_id ?? [])).size,
  }
}

export const viaRecorder = (items: readonly PreviewItem[]): PreviewItem[] => items.filter((item) => item.via_device_id !== null && item.via_device_id !== item.device_id)

/** Nothing was read of it: what stands there as before is no fact of the device. */
export const isUnread = (item: PreviewItem): boolean => item.verdict === 'cannot' && Object.values(item.before).every((value) => value === null || value === '' || value === false)

export type Outcome = 'waiting' | 'done' | 'partly' | 'failed' | 'untried'

/** What became of an item; `running`: it may still come. */
export function outcome(verdict: ItemVerdict | undefined, running: boolean): Outcome {
  if (!verdict) return running ? 'waiting' : 'untried'
  if (!verdict.ok) return 'failed'
  return verdict.reason ? 'partly' : 'done'
}

/** The verdicts of several attempts, the latest of each item. */
export function merged(before: ReadonlyMap<string, ItemVerdict>, job: Job): Map<string, ItemVerdict> {
  const result = new Map(before)
  for (const verdict of job.verdicts) result.set(verdict.key, verdict)
  return result
}
