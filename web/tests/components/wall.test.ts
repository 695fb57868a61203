import type { VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { h } from 'vue'
import WallTile from '@/pages/wall/WallTile.vue'
import { soundAllowed, views } from '@/pages/wall/wallEngine'
import { settled } from '@/pages/wall/wallState'
import { setLanguage } from '@/i18n'
import { emptyTile, phaseOf, pictureOf, type Tile } from '@/wall/tile'
import { FakeHub, camera, flushPromises, signIn, signOutAll, visit } from './hub'

let page: VueWrapper
const base: Tile = { ...emptyTile(0), camera: 7, serial: 1, carried: true, liveAt: 0, frameAt: 100 }

/** The tile as it stands one second later. */
async function show(tile: Partial<Tile>, now = 1_000): Promise<void> {
  const full = { ...base, ...tile }
  views[0] = { tile: full, phase: phaseOf(full, now), picture: pictureOf(full, now), age: 0 }
  await vi.advanceTimersByTimeAsync(400) // the words of a switch wait 300 ms
  await flushPromises()
}
const words = () => ['.centre strong', '.caption .word .long', '.caption .word'].map((one) => page.find(one)).find((one) => one.exists())!.text()
const mark = () => page.find('.caption .mark').classes().filter((one) => one !== 'mark')[0]

let hub: FakeHub
beforeEach(async () => {
  hub = new FakeHub()
  hub.on('GET /api/cameras', () => [camera(7, { name: '村口' })])
  await signIn(hub)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const tile = () => h(WallTile, { index: 0, selected: false, solo: false, fill: false })
  page = await visit([{ path: '/', component: { render: tile } }], '/')
})
afterEach(async () => {
  page.unmount()
  vi.useRealTimers()
  await setLanguage('zh-CN')
  soundAllowed.value = settled.value = false
  views[0] = { tile: emptyTile(0), phase: 'empty', picture: 'none', age: 0 }
  signOutAll()
  vi.unstubAllGlobals()
})

describe('a tile says what helps, as the alarm does', () => {
  const cases: [string, Partial<Tile>, string, string][] = [
    ['why frames are lost', { hubState: 'live', frameAt: -9_000, note: 'lossy', reason: 'lossy', params: { cause: 'gap', percent: 12 } }, '丢失 12% 的画面，网络丢包所致', '12% of the frames were lost in the last 30 s, by packet loss'],
    ['a reason without finer cause', { hubState: 'failed', frameAt: -9_000, reason: 'no_key_frame' }, '缩短 I 帧间隔', 'shorten the I-frame interval'],
    ['a reason without a remedy: the hub’s sentence, where the page is English', { hubState: 'failed', frameAt: -9_000, reason: 'not_a_reason', detail: 'what the hub said' }, '', 'what the hub said'],
  ]
  const sentence = () => (page.find('.centre .sentence').exists() ? page.find('.centre .sentence').text() : '')
  it.each(cases)('%s', async (_, tile, zh, en) => {
    await show(tile)
    expect(sentence()).toContain(zh)
    expect(sentence() === '').toBe(zh === '')
    await setLanguage('en')
    await flushPromises()
    expect(sentence()).toContain(en)
  })
})

describe('a tile says what it shows', () => {
  const cases: [string, Partial<Tile>, string, string, string][] = [
    ['live', { hubState: 'live' }, '实时', 'Live', 'live'],
    ['waiting for a picture', { hubState: 'waiting', frameAt: null }, '等待画面', 'Waiting for picture', 'waiting'],
    ['connecting', { hubState: 'connecting', frameAt: null, liveAt: null }, '正在连接', 'Connecting', 'waiting'],
    ['stalled', { hubState: 'live', frameAt: -9_000 }, '停顿', 'Stalled', 'degraded'],
    ['failed, with its reason', { hubState: 'failed', reason: 'wrong_password' }, '密码错误', 'Wrong password', 'lost'],
    ['refused, with its reason', { hubState: 'refused', reason: 'not_approved' }, '尚未审核通过', 'Not approved yet', 'degraded'],
    ['reconnecting', { hubState: 'live', carried: false, frameAt: -9_000 }, '正在重连', 'Reconnecting', 'degraded'],
    ['key-frame pictures', { hubState: 'pictures', still: true, reason: 'no_h264', interval: 2_000 }, '关键帧画面 · 每 2 秒', 'Key-frame pictures · every 2 s', 'live'],
    ['frames that are lost', { hubState: 'live', note: 'lossy', reason: 'lossy', params: { cause: 'gap', percent: 12 } }, '丢帧 12%', '12% of frames lost', 'degraded'],
    ['a picture that stands for lost frames', { hubState: 'live', frameAt: -9_000, note: 'lossy', reason: 'lossy', params: { cause: 'gap', percent: 96 } }, '丢帧严重', 'Many frames lost', 'degraded'],
    ['smart coding', { hubState: 'waiting', frameAt: null, reason: 'intra_refresh' }, '智能编码，关键帧过少', 'Smart coding: hardly any key frames', 'waiting'],
    ['a poor link', { hubState: 'live', note: 'link_sub' }, '网络较差，已切换子码流', 'Poor link, sub stream shown', 'degraded'],
  ]
  it.each(cases)('%s', async (_, tile, zh, en, shape) => {
    await show(tile)
    expect([words(), mark()]).toEqual([zh, shape])
    await setLanguage('en')
    await flushPromises()
    expect(words()).toBe(en)
  })

  it('frozen, though its video plays', async () => {
    hub.changed('camera', 7, camera(7, { name: '村口', health: 'fault', cause: 'frozen' }))
    await show({ hubState: 'live' })
    expect(page.find('.caption .word').text()).toContain('画面冻结')
    expect(mark()).toBe('degraded')
  })

  it('nothing of a camera in an empty tile', async () => {
    await show({ camera: null, hubState: 'empty' })
    expect(page.find('.caption').exists()).toBe(false)
    expect(page.find('.empty').text()).toBe('1')
  })

  it('and has its tools when the wall has settled, or the pointer comes', async () => {
    await show({ hubState: 'connecting' })
    expect(page.find('.tools').exists()).toBe(false)
    await page.find('.tile').trigger('pointerenter')
    expect(page.find('.tools').exists()).toBe(true)
  })

  it('why it cannot be heard', async () => {
    soundAllowed.value = true
    settled.value = true
    await show({ hubState: 'live', audio: 'unsupported', audioCodec: 'aac' })
    const speaker = page.find('[data-tool=sound]')
    expect(speaker.attributes('disabled')).toBeDefined()
    expect(speaker.attributes('title')).toContain('AAC')
    for (const audio of ['plays', null] as const) { // null: the stream is being changed; the wish waits
      await show({ hubState: 'live', audio, audioCodec: 'pcma' })
      expect(page.find('[data-tool=sound]').attributes('disabled')).toBeUndefined()
    }
  })
})
