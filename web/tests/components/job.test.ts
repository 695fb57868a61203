import { mount, type VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import JobProgress from '@/pages/parts/JobProgress.vue'
import { newer, percent } from '@/pages/parts/job'
import type { Job } from '@/api/types'
import { i18n } from '@/i18n'
import { FakeHub, Refusal, flushPromises, signIn, signOutAll } from './hub'

const verdict = (key: string, reason: string | null): Job['verdicts'][number] => ({ key, name: `设备${key}`, ok: reason === null, reason, detail: '', params: {} })
const job = (more: Partial<Job> = {}): Job => ({ id: 'j', kind: 'x', village_id: 1, state: 'running', started_at: '2026-01-01T00:00:00Z', total: 3, done: 0, failed: 0, verdicts: [], ...more })

describe('a job as it arrives', () => {
  it('never moves back and never starts again', () => {
    const known = job({ done: 2 })
    expect(newer(known, job({ done: 1 }))).toBe(known)
    const over = job({ done: 3, state: 'done' })
    expect(newer(over, job({ done: 3 }))).toBe(over)
    expect(newer(known, over).state).toBe('done')
  })
  it('is full only at its end', () => {
    expect(percent(job({ total: 1000, done: 999 }))).toBe(99)
    expect(percent(job({ total: 0, state: 'done' }))).toBe(100)
    expect(percent(job({ total: 4, done: 1, state: 'cancelled' }))).toBe(25)
  })
})

describe('its progress', () => {
  let hub: FakeHub
  let page: VueWrapper
  beforeEach(async () => {
    hub = new FakeHub()
    await signIn(hub)
  })
  afterEach(() => {
    page.unmount()
    signOutAll()
    vi.unstubAllGlobals()
  })
  const show = async (): Promise<void> => {
    page = mount(JobProgress, { props: { jobId: 'j' }, global: { plugins: [i18n] } })
    await flushPromises()
  }

  it('names what failed, once it is over, with words', async () => {
    hub.on('GET /api/jobs/j', () => job({ done: 1 }))
    await show()
    expect(page.text()).toContain('1 / 3')
    hub.on('GET /api/jobs/j', () => job({ state: 'done', done: 3, failed: 1, verdicts: [verdict('1', null), verdict('2', 'wrong_password'), verdict('3', null)] }))
    hub.changed('job', 'j', { ...job({ state: 'done', done: 3, failed: 1 }), verdicts: undefined })
    await flushPromises()
    expect(page.findAll('li').map((one) => one.text())).toEqual([expect.stringContaining('设备2')])
    expect(page.text()).toContain('密码错误')
    expect(page.emitted('over')).toHaveLength(1)
  })

  it('says what a cancel has left as it was', async () => {
    hub.on('GET /api/jobs/j', () => job({ done: 1, verdicts: [verdict('1', null)] }))
    hub.on('DELETE /api/jobs/j', () => job({ state: 'cancelled', done: 1, verdicts: [verdict('1', null)] }))
    await show()
    await page.find('button').trigger('click')
    await flushPromises()
    expect(page.text()).toContain('已取消')
    expect(page.text()).toContain('2 个未处理')
  })

  it('says so when the hub has forgotten it', async () => {
    hub.on('GET /api/jobs/j', () => {
      throw new Refusal(404, 'not_found')
    })
    await show()
    expect(page.text()).toContain('系统重启过')
  })
})
