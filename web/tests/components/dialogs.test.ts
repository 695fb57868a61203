import { mount, type VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { i18n } from '@/i18n'
import VillagesPage from '@/pages/villages/VillagesPage.vue'
import AppShell from '@/shell/AppShell.vue'
import { dialogOpen } from '@/shell/dialogs'
import { FakeHub, flushPromises, signIn, signOutAll } from './hub'

let shell: VueWrapper

beforeEach(async () => {
  await signIn(new FakeHub())
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/:rest(.*)*', component: VillagesPage }] })
  await router.push('/')
  shell = mount(AppShell, { attachTo: document.body, global: { plugins: [i18n, router] } })
  await flushPromises()
})
afterEach(() => {
  shell.unmount()
  signOutAll()
  vi.unstubAllGlobals()
})
const slash = () => document.activeElement!.dispatchEvent(new KeyboardEvent('keydown', { key: '/', bubbles: true }))

describe('a dialog', () => {
  it('gives the focus to its field, and keeps the keys of the page to itself', async () => {
    await shell.find('button.ranges').trigger('click')
    await flushPromises()
    await vi.waitFor(() => expect(document.activeElement?.tagName).toBe('TEXTAREA'))
    document.querySelector<HTMLElement>('.el-dialog__headerbtn')!.focus()
    slash()
    await flushPromises()
    expect(document.querySelector('.palette')).toBeNull()
  })

  it('stays open while Esc belongs to an input method', async () => {
    await shell.find('button.ranges').trigger('click')
    await flushPromises()
    await vi.waitFor(() => expect(document.activeElement?.tagName).toBe('TEXTAREA'))
    const escape = (isComposing: boolean) => document.activeElement!.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', code: 'Escape', bubbles: true, isComposing }))
    escape(true)
    await flushPromises()
    expect(dialogOpen()).toBe(true)
    escape(false)
    await vi.waitFor(() => expect(dialogOpen()).toBe(false))
  })

  it('that is not shown leaves them to the page', () => {
    const root = document.createElement('div')
    root.innerHTML = '<div style="display: none"><div role="dialog" aria-modal="true"></div></div>'
    expect(dialogOpen(root)).toBe(false)
    root.innerHTML += '<div role="dialog" aria-modal="true"></div>'
    expect(dialogOpen(root)).toBe(true)
  })
})
