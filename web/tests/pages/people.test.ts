import { describe, expect, it } from 'vitest'
import { newPassword, SHORTEST } from '@/pages/users/password'
import { parsePasted } from '@/pages/villages/paste'
import { momentText } from '@/pages/parts/duration'

describe('pasted villages', () => {
  const verdicts = (text: string, existing: string[] = []) => parsePasted(text, existing).map((one) => [one.name, one.verdict])
  it('takes numbering off and keeps the order', () => {
    expect(verdicts('1、董家村\n２村\n3. 石桥村\n（四）东岗村\n(5)西岗村\n十二、南岗村\n⑦北岗村')).toEqual([
      ['董家村', 'new'], ['２村', 'new'], ['石桥村', 'new'], ['东岗村', 'new'], ['西岗村', 'new'], ['南岗村', 'new'], ['北岗村', 'new'],
    ])
  })
  it('takes no address range for a village', () => {
    expect(verdicts('东沟村\t192.168.1.0/24\n1.李家庄 192.168.2.20-60；192.168.3.1')).toEqual([['东沟村', 'new'], ['李家庄', 'new']])
  })
  it('leaves names alone that begin with a numeral', () => {
    expect(verdicts('三家店村\n七里河村\n2号院小区')).toEqual([['三家店村', 'new'], ['七里河村', 'new'], ['2号院小区', 'new']])
  })
  it('says what exists, what stands twice and what is too long', () => {
    expect(verdicts(`董家村\n\n李家庄村，李家庄村\n${'长'.repeat(65)}`, ['董家村'])).toEqual([
      ['董家村', 'exists'], ['李家庄村', 'new'], ['李家庄村', 'twice'], ['长'.repeat(65), 'too_long'],
    ])
  })
})

describe('first password', () => {
  it('is long, without letters that look alike, and never the same', () => {
    const made = Array.from({ length: 50 }, () => newPassword())
    expect(new Set(made).size).toBe(50)
    for (const one of made) {
      expect(one.length).toBeGreaterThanOrEqual(SHORTEST)
      expect(one).not.toMatch(/[0O1lI]/)
    }
  })
})

describe('moments', () => {
  it('are as short as the day allows', () => {
    const at = new Date(2026, 10, 24, 8, 5, 9)
    expect(momentText(at.toISOString(), new Date(2026, 10, 24, 23, 0).getTime())).toBe('08:05')
    expect(momentText(at.toISOString(), new Date(2026, 10, 25, 1, 0).getTime(), true)).toBe('11-24 08:05:09')
    expect(momentText(at.toISOString(), new Date(2027, 0, 1).getTime())).toBe('2026-11-24 08:05')
  })
})
