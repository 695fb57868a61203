/** The drift list: who is in it, in which order. Pure. */
import type { Device, Village } from '@/api/types'
import { deviceName } from './names'
import type { ClockRow, ClockVerdict } from './types'

export type ClockFilter = 'wrong' | 'all' | 'unread'

export interface ClockLine {
  row: ClockRow
  village: Village | undefined
}

export const isOff = ({ check }: ClockRow): boolean => check.verdict === 'wrong' || check.verdict === 'warn' || check.verdict === 'lies'

/** The worst first; those that could not be read after those that are wrong; equals by village. */
const RANK: Record<ClockVerdict, number> = { lies: 0, wrong: 1, warn: 2, unknown: 3, ok: 4 }

export function clockLines(rows: readonly ClockRow[], villages: ReadonlyMap<number, Village>): ClockLine[] {
  const lines = rows.map((row) => ({ row, village: villages.get(row.village_id) }))
  const size = ({ row }: ClockLine): number => (isOff(row) ? Math.abs(row.check.offset_s ?? 0) : 0)
  return lines.sort((a, b) => RANK[a.row.check.verdict] - RANK[b.row.check.verdict] || size(b) - size(a) || (a.village?.position ?? 1e9) - (b.village?.position ?? 1e9) || a.row.device_id - b.row.device_id)
}

export function clockFiltered(lines: readonly ClockLine[], filter: ClockFilter, village: number | null, text: string): ClockLine[] {
  const words = text.toLowerCase().split(/\s+/u).filter(Boolean)
  return lines.filter(
    ({ row, village: own }) =>
      (filter === 'all' || (filter === 'unread' ? row.check.verdict === 'unknown' : isOff(row))) &&
      (village === null || row.village_id === village) &&
      words.every((word) => [row.name, row.host, own?.name, own?.initials].some((field) => field?.toLowerCase().includes(word))),
  )
}

export function clockTally(rows: readonly ClockRow[]): Record<ClockFilter, number> {
  return { all: rows.length, wrong: rows.filter(isOff).length, unread: rows.filter((row) => row.check.verdict === 'unknown').length }
}

/** Devices that no check has reached yet stand in the list too: their clocks can be set all the same. */
export function withUnchecked(rows: readonly ClockRow[], devices: readonly Device[]): ClockRow[] {
  const checked = new Set(rows.map((row) => row.device_id))
  const fresh = devices.filter((device) => !checked.has(device.id))
  return [
    ...rows,
    ...fresh.map((device) => ({
      device_id: device.id,
      village_id: device.village_id,
      name: deviceName(device, device.id),
      host: device.host,
      recorder_id: null,
      check: { checked_at: null, offset_s: null, source: null, verdict: 'unknown' as const, since: null, reason: null, set_at: null },
    })),
  ]
}

/** When the last check reached its last device; null: none yet. */
export function lastChecked(rows: readonly ClockRow[]): string | null {
  return rows.reduce<string | null>((last, { check }) => (check.checked_at !== null && (last === null || Date.parse(check.checked_at) > Date.parse(last)) ? check.checked_at : last), null)
}
