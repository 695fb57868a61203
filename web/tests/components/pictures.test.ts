import { mount, type VueWrapper } from '@vue/test-utils'
import ElementPlus, { ElMessageBox } from 'element-plus'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { i18n } from '@/i18n'
import AlarmPictures from '@/pages/parts/AlarmPictures.vue'
import PicturePair from '@/pages/parts/PicturePair.vue'
import ReferenceDialog from '@/pages/parts/ReferenceDialog.vue'
import { pairs, shownScores } from '@/pages/parts/picturePair'
import { ALL, FakeHub, Refusal, camera, flushPromises, person, signIn, signOutAll } from './hub'

let hub: FakeHub
let page: VueWrapper
const AT = '2026-11-23T08:00:00Z'
const left = { kind: 'reference' as const, url: '/r.jpg', at: AT }
const right = { kind: 'present' as const, url: '/p.jpg', at: AT, scores: { moved: 12.4, black: 98, frozen: 99 } }
const show = (component: object, props: Record<string, unknown>): VueWrapper => (page = mount(component as never, { props: props as never, attachTo: document.body, global: { plugins: [i18n, ElementPlus] } }))
const button = (words: string) => [...document.body.querySelectorAll('button')].find((one) => one.textContent?.includes(words))
const text = () => document.body.textContent ?? ''

beforeEach(async () => {
  hub = new FakeHub()
  await signIn(hub, person(1, { actions: [...ALL, 'set_devices'] }))
})
afterEach(() => {
  page?.unmount()
  signOutAll()
  vi.useRealTimers()
  vi.unstubAllGlobals()
  document.body.innerHTML = ''
})

describe('scores', () => {
  it('name the faults, the worst first; of a good picture the lowest', () => {
    expect(shownScores({ moved: 40, covered: 3.6, black: 99 }).map((one) => [one.reason, one.fault])).toEqual([['covered', true], ['moved', true]])
    expect(shownScores({ black: 99, frozen: 80, blurred: 90, noisy: 95 }).map((one) => one.reason)).toEqual(['frozen', 'blurred', 'noisy'])
    expect(shownScores()).toEqual([])
  })
})

describe('an alarm’s pictures', () => {
  const kept = (camera_id: number, kind: 'reference' | 'present' | 'repair' | 'last_good') => ({ camera_id, camera_name: `点位${camera_id}`, kind, at: AT, scores: {}, url: `/${camera_id}-${kind}.jpg` })
  it('are paired camera by camera: what should be seen and what was, before a loss and after', () => {
    const [one, two, three] = pairs([kept(1, 'reference'), kept(1, 'present'), kept(1, 'repair'), kept(2, 'last_good'), kept(3, 'present')])
    expect([one!.left.url, one!.right.url, one!.repair?.url]).toEqual(['/1-reference.jpg', '/1-present.jpg', '/1-repair.jpg'])
    expect([two!.left.url, two!.right.kind, two!.right.url, two!.repair]).toEqual(['/2-last_good.jpg', 'repair', null, null])
    expect([three!.left.kind, three!.left.url, three!.right.url]).toEqual(['reference', null, '/3-present.jpg'])
  })
  it('come after the alarm, and are fetched again when it changes', async () => {
    let rows: unknown[] = []
    hub.on('GET /api/alarms/7/pictures', () => rows)
    show(AlarmPictures, { alarmId: 7, open: true })
    await flushPromises()
    expect(text()).toContain('没有保存画面')
    rows = [kept(1, 'reference'), kept(1, 'present')]
    hub.changed('camera', 1, camera(1))
    hub.changed('alarm', 7, { id: 7 })
    await flushPromises()
    expect([...document.querySelectorAll('img')].map((one) => one.getAttribute('src'))).toEqual(['/1-reference.jpg', '/1-present.jpg'])
    hub.on('GET /api/cameras/1/references', () => ({ camera_id: 1, day: null, night: null, question: null }))
    button('设为新基准')!.click()
    await flushPromises()
    expect(text()).toContain('基准画面 · 点位1')
  })
})

describe('a pair', () => {
  it('stands side by side with times and measured scores', () => {
    show(PicturePair, { left, right, name: '村口' })
    expect([...document.querySelectorAll('img')].map((one) => one.getAttribute('alt'))).toEqual(['村口 · 基准画面', '村口 · 告警时画面'])
    expect(document.querySelector('.mark.bad')?.textContent).toContain('12 分')
  })
  it('has a border to drag', async () => {
    show(PicturePair, { left, right, name: '村口' })
    button('滑动')!.click()
    await flushPromises()
    await page.find('input[type=range]').setValue(30)
    expect((page.find('img.top').element as HTMLElement).style.clipPath).toBe('inset(0 70% 0 0)')
  })
  it('flickers, and stops when it is gone', async () => {
    vi.useFakeTimers()
    show(PicturePair, { left, right, name: '村口' })
    button('闪烁')!.click()
    await flushPromises()
    const top = () => (page.find('img.top').element as HTMLElement).style.visibility
    const before = top()
    await vi.advanceTimersByTimeAsync(800)
    expect(top()).not.toBe(before)
    page.unmount()
    expect(vi.getTimerCount()).toBe(0)
  })
  it('says what is missing instead of comparing with nothing', () => {
    show(PicturePair, { left: { kind: 'reference', url: null, at: null }, right, name: '村口' })
    expect(text()).toContain('还没有基准画面')
    expect(button('滑动')).toBeUndefined()
  })
})

describe('the question whether a change is right', () => {
  const active = { state: 'active', at: AT, picture_url: '/day.jpg', pictures: 9, set_name: null, differs_since: null, score: null }
  const asked = { camera_id: 5, day: { ...active, state: 'questioned', differs_since: AT, score: 8 }, night: null, question: { profile: 'day', since: AT, score: 8, look_at: AT, look_url: '/look.jpg' } }
  const place = { id: 5, name: '村口', picture_at: AT }

  it('is answered with one click: the picture that differed is the new reference', async () => {
    hub.on('GET /api/cameras/5/references', () => asked)
    hub.on('POST /api/cameras/5/references', () => ({ camera_id: 5, day: { ...active, set_name: '张三' }, night: null, question: null }))
    show(ReferenceDialog, { camera: place })
    await flushPromises()
    expect(text()).toContain('现在的画面是正常的吗')
    expect([...document.querySelectorAll('img')].map((one) => one.getAttribute('src'))).toEqual(['/day.jpg', '/look.jpg'])
    button('正常，设为新基准')!.click()
    await flushPromises()
    expect(hub.to('POST /api/cameras/5/references').map((one) => one.body)).toEqual([{ profile: 'day', from: 'look' }])
    expect(text()).not.toContain('现在的画面是正常的吗')
    expect(text()).toContain('张三')
    expect(page.emitted('answered')).toHaveLength(1)
  })
  it('or by sending somebody', async () => {
    hub.on('GET /api/cameras/5/references', () => asked)
    show(ReferenceDialog, { camera: place })
    await flushPromises()
    button('派人处理')!.click()
    expect([page.emitted('send'), page.emitted('close')].map((one) => one?.length)).toEqual([1, 1])
    expect(hub.to('POST /api/cameras/5/references')).toEqual([])
  })
  it('says why a fresh picture is refused, and what helps', async () => {
    hub.on('GET /api/cameras/5/references', () => ({ camera_id: 5, day: active, night: null, question: null }))
    hub.on('POST /api/cameras/5/references', () => {
      throw new Refusal(409, 'reference_other_profile', { profile: 'night' })
    })
    show(ReferenceDialog, { camera: place })
    await flushPromises()
    button('取当前画面')!.click()
    await flushPromises()
    expect(text()).toContain('昼夜画面不符')
    expect(text()).toContain('请等到对应时段再设')
  })
  it('is read by everybody, and answered by who may set devices', async () => {
    signOutAll()
    await signIn(hub, person(2, { actions: ALL }))
    hub.on('GET /api/cameras/5/references', () => asked)
    show(ReferenceDialog, { camera: place })
    await flushPromises()
    expect(text()).toContain('现在的画面是正常的吗')
    expect(button('设为新基准')).toBeUndefined()
  })
  it('learning anew is confirmed first', async () => {
    const confirm = vi.spyOn(ElMessageBox, 'confirm').mockRejectedValue('cancel')
    hub.on('GET /api/cameras/5/references', () => asked)
    show(ReferenceDialog, { camera: place })
    await flushPromises()
    button('重新学习')!.click()
    await flushPromises()
    expect(confirm).toHaveBeenCalledOnce()
    expect(hub.to('DELETE /api/cameras/5/references')).toEqual([])
  })
})
