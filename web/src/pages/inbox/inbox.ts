/** What the inbox shows, without its presentation. */
import type { Candidate, Inbox, InboxCamera, InboxCounts, InboxDevice, Village } from '@/api/types'
import { total } from '../devices/waitingCount'

export const FILTERS = ['all', 'ready', 'failed', 'returned', 'candidates'] as const
export type Filter = (typeof FILTERS)[number]

/** How a waiting camera stands: its picture is there, comes, failed; or it was returned. */
export type Standing = 'ready' | 'proving' | 'failed' | 'returned'

export function standing(camera: Pick<InboxCamera, 'state' | 'proof_state'>): Standing {
  if (camera.state === 'returned') return 'returned'
  if (camera.proof_state === 'failed') return 'failed'
  return camera.proof_state === 'proved' ? 'ready' : 'proving'
}

export function matches(camera: InboxCamera, filter: Filter): boolean {
  const how = standing(camera)
  return filter === 'all' || how === filter || (filter === 'ready' && how === 'proving')
}

/** Devices with those of their cameras that the filter keeps; none without. */
export function filtered(devices: readonly InboxDevice[], filter: Filter): InboxDevice[] {
  if (filter === 'candidates') return []
  return devices.map((device) => ({ ...device, cameras: device.cameras.filter((camera) => matches(camera, filter)) })).filter((device) => device.cameras.length > 0)
}

export function tally(inbox: Inbox): Record<Filter, number> {
  const all = inbox.devices.flatMap((device) => device.cameras)
  const of = (filter: Filter): number => all.filter((camera) => matches(camera, filter)).length
  return { all: all.length + inbox.candidates.length, ready: of('ready'), failed: of('failed'), returned: of('returned'), candidates: inbox.candidates.length }
}

/** Villages with what waits there; those where nothing waits come last. */
export function overview(villages: readonly Village[], counts: ReadonlyMap<number, InboxCounts>): { village: Village; counts: InboxCounts }[] {
  const rows = villages.map((village) => ({ village, counts: counts.get(village.id) ?? { village_id: village.id, candidates: 0, waiting: 0, failed: 0, returned: 0 } }))
  return [...rows.filter((row) => total(row.counts) > 0), ...rows.filter((row) => total(row.counts) === 0)]
}

/** Which village is shown: the one that was asked for, else the first where something waits. */
export function shownVillage(asked: unknown, villages: readonly Village[], counts: ReadonlyMap<number, InboxCounts>): number | null {
  const id = Number(asked)
  if (villages.some((village) => village.id === id)) return id
  return overview(villages, counts)[0]?.village.id ?? null
}

/** The way to a device that waits, as people write it. */
export function addressOf(candidate: Pick<Candidate, 'host' | 'port' | 'rtsp_port' | 'shown_url'>): string {
  if (candidate.shown_url) return candidate.shown_url
  const host = candidate.host.includes(':') ? `[${candidate.host}]` : candidate.host
  return candidate.port === null ? host : `${host}:${candidate.port}`
}

/** Where an arrow key leads in a grid of cards that lie at these offsets from the top. */
export function neighbour(tops: readonly number[], at: number, key: string): number {
  if (key === 'ArrowRight') return Math.min(at + 1, tops.length - 1)
  if (key === 'ArrowLeft') return Math.max(at - 1, 0)
  const row = tops[at]
  const rowStart = tops.findIndex((top) => top === row)
  const column = at - rowStart
  if (key === 'ArrowDown') {
    const next = tops.findIndex((top, index) => index > at && top !== row)
    if (next < 0) return at
    const end = tops.filter((top) => top === tops[next]).length
    return next + Math.min(column, end - 1)
  }
  if (key === 'ArrowUp' && rowStart > 0) {
    const above = tops[rowStart - 1]
    const start = tops.findIndex((top) => top === above)
    return Math.min(start + column, rowStart - 1)
  }
  return at
}
