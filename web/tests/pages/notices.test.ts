import { describe, expect, it } from 'vitest'
import { lastResult, ruleWords } from '@/pages/notices/channels'
import { isClockWrong, isOnline } from '@/pages/parts/health'
import type { Camera, NoticeRule } from '@/api/types'

const rule = (over: Partial<NoticeRule> = {}): NoticeRule => ({ village_id: null, aspect: null, min_severity: null, ...over })
const words = (key: string, values?: Record<string, unknown>): string => (values ? `${key}(${Object.values(values).join()})` : key)
const name = (id: number): string => `village ${id}`

describe('notice channels', () => {
  it('say how the last attempt ended', () => {
    const at = '2026-11-28T08:00:00Z'
    expect(lastResult({ enabled: true, last_attempt_at: null, last_error: null })).toBe('unused')
    expect(lastResult({ enabled: true, last_attempt_at: at, last_error: null })).toBe('delivered')
    expect(lastResult({ enabled: true, last_attempt_at: at, last_error: 'HTTP 500' })).toBe('failed')
    expect(lastResult({ enabled: false, last_attempt_at: at, last_error: 'HTTP 500' })).toBe('disabled')
  })
  it('say which alarms they get', () => {
    expect(ruleWords(rule(), words, name)).toBe('notices.everything')
    expect(ruleWords(rule({ village_id: 3, aspect: 'clock', min_severity: 'minor' }), words, name)).toBe('village 3 · notices.aspect.clock · notices.atLeast(notices.severity.minor)')
  })
})

describe('the states of a camera', () => {
  const state = (aspect: 'media' | 'picture' | 'clock', word: 'ok' | 'fault'): Camera['states'][number] => ({ aspect, state: word, cause: null, since: '2026-11-28T08:00:00Z' })
  it('keep online and clock apart', () => {
    const wrongClock = { states: [state('media', 'ok'), state('clock', 'fault')] }
    expect([isOnline(wrongClock), isClockWrong(wrongClock)]).toEqual([true, true])
    const dead = { states: [state('media', 'fault'), state('clock', 'ok')] }
    expect([isOnline(dead), isClockWrong(dead)]).toEqual([false, false])
    expect([isOnline({ states: [] }), isClockWrong({ states: [] })]).toEqual([false, false])
  })
})
