import { describe, expect, it } from 'vitest'
import { fields, fieldsOf, shownValue, type LedgerField, type LedgerFile } from '@/pages/ledger/catalogue'
import { changedValues, errorsByField } from '@/pages/ledger/draft'
import { filingText, filingTone } from '@/pages/ledger/filing'

function field(key: string, more: Partial<LedgerField> = {}): LedgerField {
  return { key, header: key, english: key, group: 'place', kind: 'text', required: false, source: 'typed', settable: true, column: true, max_length: 64, codes: [], ...more }
}
const error = (reason: string, params: Record<string, unknown>) => ({ status: 422, kind: 'invalid', reason, detail: '', params })

describe('errors of a file', () => {
  it('stand at their fields, one or several', () => {
    expect([...errorsByField(error('value_phone', { field: 'manager_phone' }))]).toEqual([['manager_phone', expect.stringContaining('电话号码无效')]])
    const several = errorsByField(
      error('ledger_values', {
        fields: [
          { field: 'gb_id', reason: 'value_gb_id', detail: '', params: { why: 'network' } },
          { field: 'longitude', reason: 'value_coordinate', detail: '', params: { why: 'swapped' } },
        ],
      }),
    )
    expect(several.get('gb_id')).toContain('14 位')
    expect(several.get('longitude')).toContain('填反')
  })
  it('of no field are said above the form', () => {
    expect([...errorsByField(error('not_found', {})).keys()]).toEqual([''])
  })
})

describe('what is saved', () => {
  it('is what differs from the file', () => {
    const file = { values: { lens: '4mm', manager: '李' } } as unknown as LedgerFile
    const typed = new Map([
      ['lens', '4mm '],
      ['manager', ''],
      ['pole_number', 'G7'],
    ])
    expect(changedValues(typed, file)).toEqual({ manager: '', pole_number: 'G7' })
  })
})

describe('fields', () => {
  it('begin with what is filled in at the pole; logins and measured figures are not shown', () => {
    fields.value = [field('gb_id'), field('password', { source: 'never', settable: false }), field('name', { source: 'hub', settable: false }), field('landmark'), field('longitude'), field('pole_number')]
    expect(fieldsOf('place').map((one) => one.key)).toEqual(['pole_number', 'landmark', 'gb_id', 'name'])
  })
  it('show codes in words', () => {
    const functions = field('function_type', { codes: [{ value: '1', zh: '车辆卡口', en: 'vehicle' }, { value: '5', zh: '普通监控', en: 'ordinary' }] })
    expect(shownValue(functions, '5/1')).toBe('普通监控、车辆卡口')
    expect(shownValue(functions, '')).toBe('')
    expect(shownValue(undefined, 'x')).toBe('x')
  })
})

describe('filing', () => {
  it('counts down, and is red when it is overdue', () => {
    expect(filingText({ state: 'due', due_on: '2026-12-01', days_left: 12 })).toBe('备案剩 12 天')
    expect(filingText({ state: 'overdue', due_on: '2026-11-01', days_left: -3 })).toBe('备案超期 3 天')
    expect([12, 3].map((days_left) => filingTone({ state: 'due', due_on: null, days_left }))).toEqual(['', 'amber'])
    expect(filingTone({ state: 'overdue', due_on: null, days_left: -3 })).toBe('red')
    expect(filingTone({ state: 'filed', due_on: null, days_left: null })).toBe('')
  })
})
