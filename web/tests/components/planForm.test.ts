import type { VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { h, ref } from 'vue'
import type { Rule } from '@/pages/plans/plans'
import PlanEditor from '@/pages/plans/PlanEditor.vue'
import RuleFields from '@/pages/plans/RuleFields.vue'
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
