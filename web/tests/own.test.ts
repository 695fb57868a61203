import { describe, expect, it } from 'vitest'
import type { Run } from '@/api/types'
import { BELIEVED_MS, Elsewhere } from '@/due/elsewhere'
import { ownPatrols, resumes } from '@/due/own'
import { run } from './components/hub'

const NOW = Date.parse('2026-11-23T02:00:00Z')
const at = (minutes: number): string => new Date(NOW + minutes * 60_000).toISOString()
const mine = (id: number, more: Partial<Run> = {}): Run => run(id, { state: 'running', operator: { id: 7, name: '王芳' }, ...more })
const handed = (id: number, event: number, received: string | null = null): Run =>
  mine(id, { handover: { id: event, at: at(-1), by_id: 3, by_name: '李强', position: 4, stop: '桥面', stop_more: 0, note: '桥头有施工', received_at: received } })
const told = (runs: Run[], more: { shown?: number; elsewhere?: number[]; later?: Map<string, number> } = {}) =>
  ownPatrols(runs, { person: 7, shown: more.shown ?? null, elsewhere: new Set(more.elsewhere), later: more.later ?? new Map() }, NOW).map((one) => [one.run.id, one.kind])

describe('which own patrols a person is told of', () => {
  it.each([
    ['one that runs', mine(1), 'running'],
    ['one that is paused', mine(1, { state: 'paused' }), 'paused'],
    ['one that waits to be submitted', mine(1, { state: 'closing' }), 'closing'],
    ['one that was handed over', handed(1, 9), 'handed'],
    ['one that was handed over and opened', handed(1, 9, at(0)), 'running'],
    ['not one that is over', mine(1, { state: 'ended' }), null],
    ['not somebody else’s', mine(1, { operator: { id: 8, name: '李强' } }), null],
    ['not one that only turns on a screen', mine(1, { loop: true }), null],
  ])('%s', (_, one, kind) => {
    expect(told([one])).toEqual(kind ? [[1, kind]] : [])
    expect(told([one], { shown: 1 })).toEqual([])
    expect(told([one], { shown: 2 })).toEqual(kind ? [[1, kind]] : [])
  })

  it('what was handed over first, then what expires first, then what runs', () => {
    expect(told([mine(1), mine(2, { state: 'closing', expires_at: at(60) }), mine(3, { state: 'paused', expires_at: at(30) }), handed(4, 9)])).toEqual([[4, 'handed'], [3, 'paused'], [2, 'closing'], [1, 'running']])
  })

  it('of those that another window shows only a hand-over', () => {
    expect(told([mine(1), mine(2, { state: 'paused' }), handed(3, 9)], { elsewhere: [1, 3] })).toEqual([[3, 'handed'], [2, 'paused']])
  })

  it('not until it was put off to, unless it has changed meanwhile', () => {
    const later = new Map([['running 1', NOW + 1], ['paused 2', NOW], ['handed 9', NOW + 1]])
    expect(told([mine(1), mine(2, { state: 'paused' }), handed(3, 9)], { later })).toEqual([[2, 'paused']])
    expect(told([mine(1, { state: 'closing' }), handed(3, 10)], { later })).toEqual([[3, 'handed'], [1, 'closing']])
  })
})

it.each([
  ['operator', true],
  ['attention', true],
  ['alarm', false],
  ['ptz', false],
] as const)('a pause (%s) ends by going on: %s', (pause_reason, goesOn) => {
  expect(resumes(mine(1, { state: 'paused', pause_reason }))).toBe(goesOn)
  expect(resumes(mine(1, { state: 'running', pause_reason }))).toBe(false)
})

describe('windows of one browser', () => {
  it('hear what the others show, at once when they ask, and for as long as it is said', () => {
    const windows: { onmessage: BroadcastChannel['onmessage'] }[] = []
    let now = 0
    let hidden = false
    const open = (): Elsewhere => {
      const channel = {
        onmessage: null,
        postMessage: (data: unknown) => windows.filter((one) => one !== channel).forEach((one) => one.onmessage?.call(null as never, { data } as MessageEvent)),
        close: () => windows.splice(windows.indexOf(channel), 1),
      }
      windows.push(channel)
      return new Elsewhere(channel, () => undefined, () => now, () => hidden)
    }
    const wall = open()
    wall.shows(7)
    const list = open()
    expect([...list.runs()]).toEqual([7])
    expect([...wall.runs()]).toEqual([])
    now += BELIEVED_MS - 1
    expect([...list.runs()]).toEqual([7])
    now += 1
    expect([...list.runs()]).toEqual([])
    wall.say()
    expect([...list.runs()]).toEqual([7])
    now += BELIEVED_MS
    hidden = true
    wall.say()
    expect([...list.runs()]).toEqual([])
    hidden = false
    wall.shows(null)
    expect([...list.runs()]).toEqual([])
  })
})
