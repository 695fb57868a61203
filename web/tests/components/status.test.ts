import type { VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import StatusPage from '@/pages/users/StatusPage.vue'
import { FakeHub, signIn, signOutAll, visit } from './hub'

let page: VueWrapper
const relay = (number: number, load: string) => ({ relay: number, load, loop_busy: 0.914, loop_late: 0.0312, cpu_share: 0.88, bits_in: 98_400_000, frames_in: 2490.2 })

beforeEach(async () => {
  const hub = new FakeHub()
  hub.on('GET /api/system', () => ({
    version: '1',
    started_at: '2026-11-23T00:00:00Z',
    now: '2026-11-23T08:00:00Z',
    cameras: 200,
    feeds: 100,
    viewers: 20,
    hub: { loop_busy: 0.2, loop_late: 0.001, load: 'busy', refused: 7, postponed: 3 },
    relays: [relay(0, 'full'), relay(1, 'busy')],
    eyes: [],
  }))
  await signIn(hub)
  page = await visit([{ path: '/', component: StatusPage }], '/')
})
afterEach(() => {
  page.unmount()
  signOutAll()
  vi.unstubAllGlobals()
})

describe('the status page', () => {
  it('says in words how loaded each process is, and what follows from it', () => {
    expect(page.findAll('.load dd').map((one) => one.text())).toEqual(['繁忙：推迟设备检查', '已满：新画面排队，已有画面不受影响', '繁忙：新画面改用子码流，推迟设备检查'])
    expect(page.find('.load.full').exists()).toBe(true)
  })

  it('shows shares, delays and bit rates in the units that people read', () => {
    const text = page.text()
    for (const words of ['占用率91 %', '近 5 秒调度延迟（95%）31.2 ms', 'CPU 占用（单核）88 %', '接收码率98.4 Mbit/s', '每秒收帧2490', '推迟的检查与轮巡预取3', '拒绝的画面7']) expect(text).toContain(words)
  })
})
