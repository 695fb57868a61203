import { afterEach, describe, expect, it } from 'vitest'
import { i18n } from '@/i18n'
import { faultText, type RecordFault } from '@/pages/runs/patrolRecord'

const fault = (reason: string, params: RecordFault['params'] = {}): RecordFault => ({ reason, detail: 'in English', params })

describe('what verifying a record has found', () => {
  afterEach(() => {
    i18n.global.locale.value = 'zh-CN'
  })

  it('has the sentence of the hub in the language of the page', () => {
    const told = fault('row_changed', { zh: '第 3 站 加油站的确认说明在封存后被改动', en: 'the words of the confirmation were changed' })
    expect(faultText(told)).toBe('第 3 站 加油站的确认说明在封存后被改动')
    i18n.global.locale.value = 'en'
    expect(faultText(told)).toBe('the words of the confirmation were changed')
  })

  it('says where a reordered link had stood, and falls back on what the hub says', () => {
    expect(faultText(fault('link_moved', { was: 3 }))).toContain('封存时是第 3 号')
    expect(faultText(fault('something_new'))).toBe('in English')
  })
})
