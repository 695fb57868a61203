import type { VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { User } from '@/api/types'
import UsersPage from '@/pages/users/UsersPage.vue'
import { FakeHub, Refusal, flushPromises, signIn, signOutAll, visit } from './hub'

let hub: FakeHub
let page: VueWrapper
const user = (id: number, more: Partial<User> = {}): User => ({ id, username: `u${id}`, display_name: `用户${id}`, role: 'operator', villages: null, disabled: false, last_login_at: null, ...more }) as User
const dialog = () => document.querySelector<HTMLElement>('.el-dialog')
const inDialog = (words: string) => [...dialog()!.querySelectorAll('button')].find((one) => one.textContent.includes(words))!
async function type(at: number, text: string): Promise<void> {
  const field = dialog()!.querySelectorAll('input')[at]!
  field.value = text
  field.dispatchEvent(new Event('input'))
  await flushPromises()
}
async function choose(role: string): Promise<void> {
  const select = dialog()!.querySelector('select')!
  select.value = role
  select.dispatchEvent(new Event('change'))
  await flushPromises()
}
async function submit(): Promise<void> {
  dialog()!.querySelector('form')!.dispatchEvent(new Event('submit', { cancelable: true }))
  await flushPromises()
}

beforeEach(async () => {
  hub = new FakeHub()
  hub.on('GET /api/users', () => [user(1), user(2, { disabled: true }), user(3)])
  await signIn(hub)
  page = await visit([{ path: '/', component: UsersPage }], '/')
})
afterEach(() => {
  page.unmount()
  signOutAll()
  vi.unstubAllGlobals()
})
const row = (id: number) => page.findAll('tbody tr').find((one) => one.text().includes(`用户${id}`))!

describe('the users page', () => {
  it('lists disabled users last, and does not let one disable oneself', () => {
    expect(page.findAll('tbody tr td:first-child').map((cell) => cell.text())).toEqual(['用户1 · 本人', '用户3', '用户2'])
    expect(row(1).text()).not.toContain('停用')
    expect(row(3).text()).toContain('停用')
  })

  it('adds a village admin only with a village', async () => {
    await page.find('.page-head .el-button').trigger('click')
    await flushPromises()
    await type(0, 'wang.wu')
    await type(1, '王五')
    await choose('village_admin')
    inDialog('生成').click()
    await flushPromises()
    await submit()
    expect(hub.to('POST /api/users')).toEqual([])
    expect(inDialog('新增').disabled).toBe(true)
    hub.on('POST /api/users', ({ body }) => user(9, { display_name: (body as User).display_name }))
    await choose('operator')
    await submit()
    const body = hub.to('POST /api/users')[0]!.body as Record<string, unknown>
    expect(body).toMatchObject({ username: 'wang.wu', display_name: '王五', role: 'operator', villages: null })
    expect(String(body.password).length).toBeGreaterThanOrEqual(12)
    expect(page.findComponent({ name: 'UserDialog' }).exists()).toBe(false)
  })

  it('keeps the dialog open with the reason when the name is taken', async () => {
    await page.find('.page-head .el-button').trigger('click')
    await flushPromises()
    await type(0, 'u3')
    await type(1, '王五')
    inDialog('生成').click()
    hub.on('POST /api/users', () => {
      throw new Refusal(409, 'username_taken')
    })
    await flushPromises()
    await submit()
    expect(dialog()!.querySelector('[role=alert]')!.textContent).toBe('用户名已被使用')
    expect(inDialog('新增').disabled).toBe(false)
  })

  it('resets a password with nothing but a password', async () => {
    await row(3).findAll('button').find((one) => one.text() === '重置密码')!.trigger('click')
    await flushPromises()
    await type(0, 'short')
    await submit()
    expect(hub.to('PATCH /api/users/3')).toEqual([])
    hub.on('PATCH /api/users/3', () => user(3))
    await type(0, 'long enough 1')
    await submit()
    expect(hub.to('PATCH /api/users/3')[0]!.body).toEqual({ password: 'long enough 1' })
  })

  it('asks before it disables, and enables without asking', async () => {
    const disable = row(3).findAll('button').find((one) => one.text() === '停用')!
    await disable.trigger('click')
    await flushPromises()
    expect(hub.to('PATCH /api/users/3')).toEqual([])
    hub.on('PATCH /api/users/3', () => user(3, { disabled: true }))
    document.querySelector<HTMLElement>('.el-message-box .el-button--primary')!.click()
    await flushPromises()
    expect(hub.to('PATCH /api/users/3')[0]!.body).toEqual({ disabled: true })
    hub.on('PATCH /api/users/2', () => user(2))
    await row(2).findAll('button').find((one) => one.text() === '启用')!.trigger('click')
    await flushPromises()
    expect(hub.to('PATCH /api/users/2')[0]!.body).toEqual({ disabled: false })
  })
})
