import { describe, expect, it } from 'vitest'
import { draftOf, emptyDraft, isReady, KINDS, lastResult, optionsOf, ruleWords, secretsOf, words as split } from '@/pages/notices/channels'
import { isClockWrong, isOnline } from '@/pages/parts/health'
import type { Camera, NoticeChannel, NoticeRule } from '@/api/types'

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

describe('the dialog of a channel', () => {
  const stored: NoticeChannel = {
    id: 1, name: 'mail', kind: 'smtp', host: 'mail.town', timeout_s: 5, enabled: true, from_settings: false, created_at: '2026-11-28T08:00:00Z',
    last_attempt_at: null, last_success_at: null, last_error: null, pending: 0, rules: [rule({ village_id: 2 })],
    options: { port: 465, security: 'tls', verify: false, sender: 'a@b.c', recipients: ['d@e.f', 'g@h.i'] }, secrets: ['password'], proxy_host: '', quiet_from: null, quiet_to: null,
  }
  it('sends a stored channel as it is when nothing is changed, and no secret', () => {
    const draft = draftOf(stored)
    expect(optionsOf(draft)).toEqual(stored.options)
    expect(secretsOf(draft)).toBeNull()
    expect([draft.url, draft.village_id, draft.quietFrom, draft.quietTo]).toEqual(['mail.town', 2, '00:00', '00:00'])
    expect(isReady(draft, true)).toBe(true)
  })
  it('sends of each kind what is its own', () => {
    for (const kind of KINDS) expect(Object.keys(optionsOf({ ...emptyDraft(), kind })).includes('port')).toBe(kind === 'smtp')
    expect(secretsOf({ ...emptyDraft(), kind: 'wecom', sign: 'SEC', password: 'x' })).toBeNull()
    expect(secretsOf({ ...emptyDraft(), kind: 'sms', headerName: 'X-Key', headerValue: 'k' })).toEqual({ headers: { 'X-Key': 'k' } })
    expect(split('138，139; 140\n141')).toEqual(['138', '139', '140', '141'])
  })
  it('waits until there is enough', () => {
    const robot = { ...emptyDraft(), name: 'x' }
    expect([isReady(robot, false), isReady({ ...robot, url: 'https://a/' }, false), isReady(robot, true)]).toEqual([false, true, true])
    expect(isReady({ ...robot, kind: 'sms', url: 'https://a/', body: '{}' }, false)).toBe(false)
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
