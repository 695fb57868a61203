/** What a device reported itself → bars of the health file, one line per kind. */
import type { components } from '@/api/schema'

export type DeviceEvent = components['schemas']['DeviceEventAnswer']
export type DeviceEventKind = DeviceEvent['kind']

export interface EventLine {
  kind: DeviceEventKind
  /** How often it was reported. */
  count: number
  /** Milliseconds since 1970; `open`: it lasts. */
  bars: { from: number; to: number; open: boolean; count: number }[]
}

const ORDER: readonly DeviceEventKind[] = ['video_loss', 'tamper', 'hardware', 'picture', 'motion']

/** The gravest kind first; kinds without an event are left out. */
export function eventLines(events: readonly DeviceEvent[], now: number): EventLine[] {
  return ORDER.flatMap((kind) => {
    const own = events.filter((one) => one.kind === kind)
    if (!own.length) return []
    const bars = own.map((one) => ({ from: Date.parse(one.since), to: one.until === null ? now : Date.parse(one.until), open: one.until === null, count: one.count }))
    return [{ kind, count: own.reduce((sum, one) => sum + one.count, 0), bars: bars.sort((a, b) => a.from - b.from) }]
  })
}
