import type { VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { h, ref } from 'vue'
import type { Rule } from '@/pages/plans/plans'
import HolidaysDialog from '@/pages/plans/HolidaysDialog.vue'
import PlanEditor from '@/pages/plans/PlanEditor.vue'
import RuleFields from '@/pages/plans/RuleFields.vue'
import { dateText } from '@/siteTime'
import { now } from '@/stores'
import { FakeHub, flushPromises, signIn, signOutAll, visit } from './hub'

let hub: FakeHub
let page: VueWrapper

beforeEach(async () => {
  hub = new FakeHub()
  hub.on('GET /api/patrol/people', () => [])
  hub.on('GET /api/plan-templates', () => [])
  await signIn(hub)
})
afterEach(() => {
  page.unmount()
  signOutAll()
  document.body.innerHTML = ''
  vi.unstubAllGlobals()
})

describe('the times of a plan', () => {
  const rule = ref<Rule>({ times: [], every: null })
  const open = async (begins: Rule): Promise<void> => {
    rule.value = begins
    page = await visit([{ path: '/', component: { render: () => h(RuleFields, { modelValue: rule.value, 'onUpdate:modelValue': (next: Rule) => (rule.value = next) }) } }], '/')
  }

  it('takes a time that was typed and left, without its button', async () => {
    await open({ times: ['20:00'], every: null })
    const field = page.find('input[type=time]')
    await field.setValue('08:15')
    await field.trigger('blur')
    expect(rule.value.times).toEqual(['08:15', '20:00'])
    await field.trigger('blur')
    expect(rule.value.times).toEqual(['08:15', '20:00'])
  })

  it('takes any number of minutes, and nothing else', async () => {
    await open({ times: [], every: { minutes: 120, begin: '00:00', end: '00:00' } })
    await page.find('select').setValue('0')
    const field = page.find<HTMLInputElement>('.minutes input')
    expect(field.element.value).toBe('120')
    await field.setValue('25')
    await field.trigger('change')
    expect(rule.value.every!.minutes).toBe(25)
    for (const wrong of ['0', '2.5', '', '1441']) {
      await field.setValue(wrong)
      await field.trigger('change')
      expect(field.element.value).toBe('25')
    }
    expect(rule.value.every!.minutes).toBe(25)
    await page.find('select').setValue('60')
    expect(rule.value.every!.minutes).toBe(60)
    expect(page.find('.minutes').exists()).toBe(false)
  })
})

describe('the form of a plan', () => {
  const close = vi.fn()
  const cross = async (): Promise<void> => {
    document.querySelector<HTMLElement>('.el-dialog__headerbtn')!.click()
    await flushPromises()
  }

  it('closes at once while nothing was entered, and asks before it drops what was', async () => {
    hub.on('GET /api/plan-templates', () => [{ code: 'daily', weekdays: [], rule: { times: ['08:30'], every: null }, in_special: 'same', special_rule: null, night_from: '22:00', night_to: '06:00', grace_minutes: 30 }])
    page = await visit([{ path: '/', component: { render: () => h(PlanEditor, { plan: null, handed: null, onClose: close }) } }], '/')
    await flushPromises()
    await cross()
    expect(close).toHaveBeenCalledTimes(1) // the template is not the user's own
    const name = document.querySelector<HTMLInputElement>('.el-dialog input.el-input__inner')!
    name.value = '国庆加密'
    name.dispatchEvent(new Event('input'))
    await flushPromises()
    await cross()
    expect(close).toHaveBeenCalledTimes(1)
    document.querySelector<HTMLElement>('.el-message-box .el-button--primary')!.click()
    await vi.waitFor(() => expect(close).toHaveBeenCalledTimes(2))
  })
})

describe('seasons of every year', () => {
  const template = { code: 'daily', weekdays: [], rule: { times: ['08:30'], every: null }, in_special: 'same', special_rule: null, night_from: '22:00', night_to: '06:00', grace_minutes: 30 }
  const field = (label: string, nth = 0): HTMLSelectElement => [...document.querySelectorAll<HTMLSelectElement>(`.el-dialog select[aria-label="${label}"]`)][nth]!
  const choose = async (label: string, value: string, nth = 0): Promise<void> => {
    field(label, nth).value = value
    field(label, nth).dispatchEvent(new Event('change'))
    await flushPromises()
  }

  it('are handed over by the page of tours, changed, and saved', async () => {
    hub.on('GET /api/plan-templates', () => [template])
    hub.on('GET /api/tours', () => [{ id: 4, name: '水域', stops: [{}] }])
    hub.on('POST /api/plans/preview', () => ({ times: [], overlaps: [], per_day: 1, problem: null }))
    hub.on('POST /api/plans', () => ({ id: 1 }))
    page = await visit([{ path: '/', component: { render: () => h(PlanEditor, { plan: null, handed: { tour_id: 4, seasons: [{ first: '05-01', last: '09-30' }] } }) } }], '/')
    await flushPromises()
    expect(field('第一天的月份').value).toBe('5')
    ;[...document.querySelectorAll<HTMLElement>('.el-dialog button')].find((one) => one.textContent === '添加季节')!.click()
    await flushPromises()
    await choose('第一天的月份', '12', 1)
    await choose('第一天', '31', 1)
    await choose('最后一天的月份', '2', 1)
    await choose('最后一天', '29', 1)
    expect(document.querySelector('.el-dialog')!.textContent).toContain('（到次年）')
    expect(document.querySelector('.el-dialog')!.textContent).toContain('没有 2 月 29 日的年份')
    document.querySelector('.el-dialog form')!.dispatchEvent(new Event('submit', { cancelable: true }))
    await flushPromises()
    expect((hub.to('POST /api/plans')[0]!.body as { seasons: unknown }).seasons).toEqual([{ first: '05-01', last: '09-30' }, { first: '12-31', last: '02-29' }])
  })
})

describe('national holidays', () => {
  const suggested = (more: object) => ({ codes: ['spring_festival'], first_day: '2027-02-05', last_day: '2027-02-10', begins_at: '', ends_at: '', announced: false, registered: null, ...more })
  const boxes = (): HTMLInputElement[] => [...document.querySelectorAll<HTMLInputElement>('.el-dialog input[type=checkbox]')]
  const submit = async (): Promise<void> => {
    document.querySelector('.el-dialog form')!.dispatchEvent(new Event('submit', { cancelable: true }))
    await flushPromises()
  }
  const open = async (rows: object[]): Promise<void> => {
    hub.on('GET /api/special-periods/suggestions', () => rows)
    page = await visit([{ path: '/', component: { render: () => h(HolidaysDialog, { start: 2027 }) } }], '/')
    await flushPromises()
  }

  it('are computed for a year without an announcement, say so, and are added to be checked', async () => {
    hub.on('POST /api/special-periods/many', () => [{ draft: true }])
    await open([suggested({}), suggested({ codes: ['national_day'], first_day: '2027-10-01', last_day: '2027-10-05', registered: '国庆' })])
    const dialog = document.querySelector('.el-dialog')!
    expect(dialog.textContent).toContain('还没有收录 2027 年的放假安排')
    expect(dialog.textContent).toContain('已登记：国庆')
    const last = document.querySelector<HTMLInputElement>('.el-dialog input[aria-label="最后一天（含）"]')!
    last.value = '2027-02-01'
    last.dispatchEvent(new Event('input'))
    await submit()
    expect(hub.to('POST /api/special-periods/many')).toEqual([]) // ends before it begins
    last.value = '2027-02-12'
    last.dispatchEvent(new Event('input'))
    await flushPromises()
    await submit()
    const [sent] = hub.to('POST /api/special-periods/many').map((one) => (one.body as { periods: { name: string; draft: boolean; ends_at: string }[] }).periods)
    expect(sent!.map((one) => [one.name, one.draft, one.ends_at])).toEqual([['春节', true, '2027-02-13T00:00:00.000Z']])
  })

  it('are in force at once where they were checked', async () => {
    hub.on('POST /api/special-periods/many', () => [{ draft: false }])
    await open([suggested({})])
    boxes().at(-1)!.click()
    await flushPromises()
    await submit()
    expect((hub.to('POST /api/special-periods/many')[0]!.body as { periods: { draft: boolean }[] }).periods[0]!.draft).toBe(false)
  })

  it('begin with the next year when this one is over', async () => {
    const years: unknown[] = []
    const thisYear = Number(dateText(now.value).slice(0, 4))
    hub.on('GET /api/special-periods/suggestions', (request) => {
      const year = Number(request.query.year)
      years.push(year)
      return [suggested({ first_day: `${year}-01-01`, last_day: year > thisYear ? `${year}-12-31` : `${thisYear - 1}-12-31`, announced: year === thisYear })]
    })
    page = await visit([{ path: '/', component: { render: () => h(HolidaysDialog, { start: thisYear }) } }], '/')
    await flushPromises()
    expect(years).toEqual([thisYear, thisYear + 1])
    const year = document.querySelector<HTMLSelectElement>('.el-dialog .year select')!
    expect([year.value, boxes()[0]!.checked]).toEqual([String(thisYear + 1), true])
    year.value = String(thisYear)
    year.dispatchEvent(new Event('change'))
    await flushPromises()
    expect([boxes()[0]!.checked, document.querySelector('.el-dialog')!.textContent.includes('已过')]).toEqual([false, true])
  })

  it('tell when a year cannot be computed', async () => {
    await open([])
    expect(document.querySelector('.el-dialog')!.textContent).toContain('无法推算')
  })
})
