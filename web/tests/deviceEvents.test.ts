import { expect, test } from 'vitest'
import { eventLines, type DeviceEvent } from '@/pages/alarms/deviceEvents'

const at = (minute: number): string => new Date(Date.UTC(2026, 10, 29, 8, minute)).toISOString()
const event = (kind: DeviceEvent['kind'], since: number, until: number | null, count = 1): DeviceEvent => ({
  id: since,
  device_id: 1,
  camera_id: 2,
  kind,
  since: at(since),
  seen: at(until ?? since),
  until: until === null ? null : at(until),
  count,
})

test('a line per kind, the gravest first, each counted, what lasts reaching to now', () => {
  const now = Date.parse(at(50))
  const lines = eventLines([event('motion', 10, 20, 30), event('motion', 1, 2, 4), event('video_loss', 40, null)], now)
  expect(lines.map((line) => [line.kind, line.count])).toEqual([['video_loss', 1], ['motion', 34]])
  expect(lines[0]?.bars).toEqual([{ from: Date.parse(at(40)), to: now, open: true, count: 1 }])
  expect(lines[1]?.bars.map((bar) => bar.from)).toEqual([Date.parse(at(1)), Date.parse(at(10))])
  expect(eventLines([], now)).toEqual([])
})
