import type { VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { h, ref } from 'vue'
import type { ItineraryStop, Run, RunResult } from '@/api/types'
import { changesOf, changeText, eventStop, eventText, type PatrolFinding } from '@/pages/runs/patrolRecord'
import RecordHead from '@/pages/runs/RecordHead.vue'
import RecordReviews from '@/pages/runs/RecordReviews.vue'
import RunBar from '@/pages/runs/RunBar.vue'
import { setLeadsOn } from '@/pages/runs/usePatrol'
import { tileMarks } from '@/pages/wall/tileMarks'
import type { ShownTile, WallControl } from '@/wall/control'
import { FakeHub, Refusal, flushPromises, run, signIn, signOutAll, visit } from './hub'

let hub: FakeHub
let page: VueWrapper
let shown: [string, (number | null)[]][]
let results: RunResult[]
let findings: PatrolFinding[]
let state: Run
const selected = ref<number | null>(null)

const camera = (id: number) => ({ id, name: `点位${id}`, village: '村1' })
const stop = (position: number, cameras: number[], more: Partial<ItineraryStop> = {}) =>
  ({ position, name: `站${position}`, note: position ? '' : '看水位', layout: cameras.length > 1 ? '4' : '1', dwell_s: 10, presets: [], key: false, cameras: cameras.map(camera), ...more })
const result = (position: number, id: number, more: Partial<RunResult> = {}): RunResult =>
  ({ position, camera: camera(id), key: false, result: 'open', seen_s: 0, seen: false, seen_at: null, why: null, visits: 0, picture_url: null, picture_at: null, picture_why: null, words: '', findings: 0, cause: null, reference: null, confirmed_name: null, confirmed_at: null, ...more })
const at = (more: Partial<Run> = {}): Run => run(7, { state: 'running', ended_at: null, end_reason: null, position: 0, next_position: 1, step: 0, time_left_s: 10, now: new Date().toISOString(), counts: { open: 3, normal: 0, abnormal: 0, excused: 0 }, ...more })

const handover = (more: object = {}): NonNullable<Run['handover']> => ({ id: 50, at: new Date().toISOString(), by_id: 2, by_name: '李四', position: 0, stop: '站0', stop_more: 0, note: '桥头有施工', received_at: null, ...more })

/** Every camera of the scene in a tile of its own, in the open, with a picture that changes. */
function tiles(): ShownTile[] {
  const cameras = shown.at(-1)?.[1] ?? []
  return cameras.flatMap((id, index) => (id === null ? [] : [{ index, camera: id, element: document.body, frame: null, picture: 'moving' as const, source: {} as CanvasImageSource, still: true }]))
}
const wall: WallControl = {
  show: ({ layout, cameras }) => void shown.push([layout, [...cameras]]),
  showScene: (layout, cameras) => void shown.push([layout, [...cameras]]),
  shown: tiles,
  scene: () => ({ layout: shown.at(-1)?.[0] ?? '4', cameras: shown.at(-1)?.[1] ?? [9, null, null, null], carousels: {}, magnify: null }),
  selected: () => selected.value,
  select: (id) => (selected.value = id),
}
const text = (mark: string): string => page.find(`[data-run=${mark}]`).text()
const press = async (key: string, more: object = {}): Promise<void> => {
  document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more }))
  await flushPromises()
}
const moved = async (more: Partial<Run>): Promise<void> => {
  state = at({ revision: state.revision + 1, ...more })
  hub.changed('run', 7, state)
  await flushPromises()
}
/** So long nothing is heard of the hub. */
const silence = async (seconds: number): Promise<void> => {
  await vi.advanceTimersByTimeAsync(seconds * 1_000)
  await flushPromises()
}
/** Time passes, and the hub tells it now and then. */
const look = async (seconds: number): Promise<void> => {
  for (let left = seconds; left > 0; left -= 4) {
    hub.say({ type: 'time', now: new Date().toISOString() })
    await silence(Math.min(left, 4))
  }
}
/** The hub is back. */
const greet = async (): Promise<void> => {
  while (!hub.connected) await silence(1)
  hub.say({ type: 'hello', epoch: 'e', now: new Date().toISOString(), relays: {}, viewers: [] })
}
const posts = (what: string) => hub.calls.filter((call) => call.method === 'POST' && call.path.endsWith(what))

beforeEach(async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true, toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'requestAnimationFrame', 'Date'] })
  Object.assign(document, { elementFromPoint: () => document.body })
  vi.spyOn(document.body, 'getBoundingClientRect').mockReturnValue({ left: 0, top: 0, right: 100, bottom: 100, width: 100, height: 100 } as DOMRect)
  vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockReturnValue({ drawImage: () => undefined, getImageData: () => ({ data: new Uint8ClampedArray(64 * 36 * 4).fill(90) }) } as never)
  hub = new FakeHub()
  shown = []
  selected.value = null
  setLeadsOn(true)
  localStorage.removeItem('patrol:hand-over-read')
  state = at()
  results = [result(0, 1), result(0, 2), result(1, 3)]
  hub.on('GET /api/runs/7', () => state)
  hub.on('GET /api/runs/7/itinerary', () => ({ stops: [stop(0, [1, 2]), stop(1, [3])] }))
  hub.on('GET /api/runs/7/results', () => results)
  findings = []
  hub.on('GET /api/findings', () => ({ findings, total: findings.length, next: null }))
  hub.on('GET /api/findings/categories', () => [{ code: 'flood', zh: '积水', en: 'Flood' }])
  hub.on('POST /api/runs/7/confirm', ({ body }) => {
    const asked = body as { position: number | null; camera_ids: number[] | null; result: 'normal' | 'abnormal'; words: string }
    results = results.map((one) => ((asked.position === null || one.position === asked.position) && (asked.camera_ids?.includes(one.camera.id) ?? one.result === 'open') ? { ...one, result: asked.result, words: asked.words } : one))
    return results.filter((one) => asked.position === null || one.position === asked.position)
  })
  for (const verb of ['pause', 'resume', 'next', 'previous', 'jump', 'stop', 'extend', 'hand_over', 'take_over']) {
    hub.on(`POST /api/runs/7/${verb}`, () => (state = at({ ...state, revision: state.revision + 1, ...(verb === 'next' ? { position: 1, step: 1, next_position: null } : verb === 'pause' ? { state: 'paused', pause_reason: 'operator' } : { state: 'running', pause_reason: null }) })))
  }
  await signIn(hub)
})
afterEach(() => {
  page?.unmount()
  signOutAll()
  vi.useRealTimers()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})
const open = async (): Promise<void> => {
  page = await visit([{ path: '/wall', component: { render: () => h(RunBar, { wall, runId: 7 }) } }], '/wall?run=7')
}

describe('the attention prompt', () => {
  it('asks after so long without input; the key that answers does nothing else', async () => {
    state = at({ attention_minutes: 3 })
    await open()
    await look(170)
    await press('?')
    await look(170)
    expect(page.find('[data-run=attention-ask]').exists()).toBe(false)
    await look(11)
    expect(text('attention-ask')).toContain('仍在值守？')
    expect(page.find('.head > [data-run=attention-ask]').exists()).toBe(true) // in place of the line, so that no picture moves
    await press(' ')
    expect(page.find('[data-run=attention-ask]').exists()).toBe(false)
    await look(100)
    expect(posts('/pause')).toEqual([])
  })
  it('pauses without an answer, says why, and goes on', async () => {
    hub.on('POST /api/runs/7/pause', ({ body }) => (state = at({ state: 'paused', pause_reason: (body as { reason: 'attention' }).reason, attention_minutes: 3, revision: 2, expires_at: new Date(Date.now() + 3_600_000).toISOString() })))
    state = at({ attention_minutes: 3 })
    await open()
    await silence(242)
    expect(posts('/pause')).toEqual([]) // the hub is away: it is asked for once that is back
    await greet()
    await look(2)
    expect(posts('/pause').map((call) => call.body)).toEqual([{ revision: 1, position: null, reason: 'attention' }])
    expect(page.find('[data-run=attention-ask]').exists()).toBe(false)
    expect(text('attention')).toContain('值守提醒无人应答')
    expect(text('attention')).toContain('不继续即过期')
    await press(' ')
    expect(posts('/resume')).toHaveLength(1)
  })
  it('is not for those who only look on', async () => {
    state = at({ attention_minutes: 3, operator: { id: 99, name: '李四' } })
    await open()
    await look(185)
    expect(page.find('[data-run=attention-ask]').exists()).toBe(false)
  })
})

describe('a running patrol', () => {
  it('shows the stop, what is skipped and why, what comes next, and who runs it', async () => {
    await open()
    expect(shown).toEqual([['4', [1, 2, null, null]]])
    await moved({ dead: [{ id: 2, reason: 'device_down' }] })
    expect(page.text()).toContain('第 1 / 2 站')
    expect(page.text()).toContain('巡查人 用户1')
    expect(page.find('.skipped').text()).toBe('点位2：设备离线')
    expect(page.find('.next').text()).toBe('下一站：村1 站1')
    await moved({ position: 1, step: 1, next_position: null })
    expect(shown.at(-1)).toEqual(['1', [3]])
    expect(hub.to('GET /api/runs/7/itinerary')).toHaveLength(1)
  })

  it('reads the results again when the hub moves it on: cameras that could not be seen are excused by then', async () => {
    await open()
    results = results.map((one) => (one.position === 0 ? { ...one, result: 'excused' as const, cause: 'device_down' } : one))
    await moved({ state: 'closing', step: null, position: 0, next_position: null, dead: [{ id: 1, reason: 'device_down' }] })
    expect(page.find('[data-run=closing] h2').text()).toBe('还有 1 路待确认')
    expect(page.find('.skipped').exists()).toBe(false) // the list below names them all
  })

  it('keeps the keys of a stop from the wall once the stops are over', async () => {
    await open()
    await moved({ state: 'closing', step: null, next_position: null })
    const reached = vi.fn()
    document.body.addEventListener('keydown', reached)
    for (const key of ['f', 'n', 'Enter', 'e', 'Delete', ' ']) await press(key)
    document.body.removeEventListener('keydown', reached)
    expect(reached).not.toHaveBeenCalled()
    expect(hub.calls.filter((call) => call.method === 'POST' && call.path.startsWith('/api/runs/'))).toEqual([])
    await press('l')
    expect(page.find('.stops').exists()).toBe(true)
  })

  it('asks for one key once all is seen, and leads on', async () => {
    await open()
    expect(text('normal')).toContain('还需看 3 秒：点位1、点位2')
    await press('Enter')
    expect(posts('/confirm')).toEqual([])
    await look(2)
    expect(tileMarks.get(1)).toMatchObject({ state: 'looking' })
    await look(2)
    expect(text('normal')).toContain('本屏正常')
    expect(tileMarks.get(1)).toMatchObject({ state: 'seen' })
    expect(hub.heard.filter((one) => one.type === 'seen')).not.toEqual([]) // the hub knows before it is asked
    await press('Enter')
    expect(posts('/confirm').map((call) => call.body)).toEqual([{ position: 0, camera_ids: null, result: 'normal', words: '', change: false }])
    expect(posts('/next')).toHaveLength(1)
    expect(shown.at(-1)).toEqual(['1', [3]])
  })

  it('stays where the user wants no leading on', async () => {
    setLeadsOn(false)
    await open()
    await look(4)
    await press('Enter')
    expect(posts('/next')).toEqual([])
    expect(text('normal')).toContain('本站已确认')
  })

  it('asks again while the hub has not read yet what was seen, and says what it refuses', async () => {
    await open()
    await look(4)
    let refusals = 2
    const answer = () => results
    hub.on('POST /api/runs/7/confirm', () => {
      if (refusals-- > 0) throw new Refusal(409, 'not_seen', { cameras: [1] })
      return answer()
    })
    const pressed = press('Enter')
    await look(2)
    await pressed
    expect(posts('/confirm')).toHaveLength(3)
    hub.on('POST /api/runs/7/confirm', () => {
      throw new Refusal(409, 'not_seen', { cameras: [1] })
    })
    const told = hub.heard.filter((one) => one.type === 'seen').length
    await press('Enter')
    await look(3)
    expect(page.find('.ask .problem').exists()).toBe(false) // a hub that has just started believes what is seen from then on
    expect(hub.heard.filter((one) => one.type === 'seen').length).toBeGreaterThanOrEqual(told + 7)
    await look(4)
    expect(page.find('.ask .problem').text()).not.toBe('')
  })

  it('confirms the cameras of a key stop one by one', async () => {
    hub.on('GET /api/runs/7/itinerary', () => ({ stops: [stop(0, [1, 2], { key: true }), stop(1, [3])] }))
    await open()
    await look(4)
    expect(page.text()).toContain('重点站')
    await press('Enter')
    expect(selected.value).toBe(2)
    expect(posts('/next')).toEqual([])
    await press('Enter')
    expect(posts('/confirm').map((call) => (call.body as { camera_ids: number[] }).camera_ids)).toEqual([[1], [2]])
    expect(posts('/next')).toHaveLength(1)
  })

  it('waits while words are written, and keeps what could not be sent', async () => {
    await open()
    selected.value = 2
    await press('n')
    expect(posts('/pause')).toHaveLength(1)
    await look(1)
    const area = document.querySelector<HTMLTextAreaElement>('[data-report=abnormal] textarea')!
    hub.on('POST /api/runs/7/confirm', () => {
      throw new Refusal(503, 'database_busy')
    })
    area.value = '井盖移位'
    area.dispatchEvent(new Event('input'))
    document.querySelector<HTMLElement>('[data-report=save]')!.click()
    await look(1)
    expect(document.body.textContent).toContain('内容保留在此')
    expect(area.value).toBe('井盖移位')
    hub.on('POST /api/runs/7/confirm', () => (results = results.map((one) => (one.camera.id === 2 ? { ...one, result: 'abnormal' } : one))))
    document.querySelector<HTMLElement>('[data-report=save]')!.click()
    await look(1)
    expect(posts('/confirm').at(-1)!.body).toEqual({ position: 0, camera_ids: [2], result: 'abnormal', words: '井盖移位', change: false })
    expect(posts('/resume')).toHaveLength(1)
    expect(posts('/next')).toEqual([]) // the other camera is open
  })

  it('shows what interrupts it, and one key leads back to the same stop', async () => {
    await open()
    await moved({ state: 'paused', pause_reason: 'alarm', interrupt: { alarm_id: 5, level: 'camera', severity: 'critical', cause: 'device_down', village: '村1', opened_at: '2026-01-01T00:00:00Z', closed_at: null, cameras: [camera(8)], more: 2 } })
    expect(shown.at(-1)).toEqual(['1', [8]])
    expect(text('interrupt')).toContain('告警打断：设备离线')
    expect(text('interrupt')).toContain('又有 2 个告警')
    expect(page.find('[data-run=ask]').exists()).toBe(false)
    await press('Enter')
    expect(posts('/confirm')).toEqual([])
    await press(' ')
    expect(posts('/resume')).toHaveLength(1)
    expect(shown.at(-1)).toEqual(['4', [1, 2, null, null]])
  })

  it('goes on after what was written sooner than the hub had let it wait', async () => {
    await open()
    selected.value = 2
    let answer!: (run: Run) => void
    hub.on('POST /api/runs/7/pause', () => new Promise<Run>((resolve) => (answer = resolve)))
    await press('n')
    const area = document.querySelector<HTMLTextAreaElement>('[data-report=abnormal] textarea')!
    area.value = '井盖移位'
    area.dispatchEvent(new Event('input'))
    document.querySelector<HTMLElement>('[data-report=save]')!.click()
    await flushPromises()
    expect(posts('/confirm')).toHaveLength(1)
    expect(posts('/resume')).toEqual([])
    answer((state = at({ ...state, revision: state.revision + 1, state: 'paused', pause_reason: 'operator' })))
    await flushPromises()
    expect(posts('/resume')).toHaveLength(1)
  })

  it('reads the run again when somebody else was first', async () => {
    await open()
    hub.on('POST /api/runs/7/pause', () => {
      throw new Refusal(409, 'run_moved', { run: at({ revision: 5, state: 'paused', pause_reason: 'operator' }) })
    })
    await press(' ')
    expect(page.text()).toContain('已暂停')
    expect(document.body.textContent).toContain('已由他人操作')
  })

  it('lets those who only look on take it over, and do nothing else', async () => {
    state = at({ operator: { id: 2, name: '李四' } })
    await open()
    await look(4)
    for (const key of ['Enter', ' ', 'ArrowRight', 'n', 'f']) await press(key)
    expect(hub.calls.filter((call) => call.method === 'POST')).toEqual([])
    expect(page.text()).toContain('李四 正在巡查')
    expect(page.findAll('button').some((one) => one.text() === '接手')).toBe(true)
  })

  it('reports only what it showed while its user was the operator, from nothing each time', async () => {
    const reported = (): { camera: number; seconds: number }[][] => hub.heard.filter((one) => one.type === 'seen').map((one) => one.cameras as { camera: number; seconds: number }[])
    state = at({ operator: { id: 2, name: '李四' } })
    await open()
    await look(12)
    expect(reported()).toEqual([])
    await moved({ operator: { id: 1, name: '用户1' } })
    await look(4)
    const own = reported().flat().map((one) => one.seconds)
    expect(Math.max(...own)).toBeGreaterThanOrEqual(3)
    expect(Math.max(...own)).toBeLessThan(5)
    const before = reported().length
    await moved({ operator: { id: 2, name: '李四' } })
    expect(reported().length).toBe(before + 1) // the last it saw while it was theirs
    await look(12)
    expect(reported().length).toBe(before + 1)
  })

  it('reports what any page shows of a presentation', async () => {
    state = at({ loop: true, operator: { id: 2, name: '李四' } })
    await open()
    await look(4)
    expect(hub.heard.some((one) => one.type === 'seen')).toBe(true)
  })

  it('tells who is handed the patrol by whom, where and why, once, and receives it', async () => {
    hub.on('POST /api/runs/7/receive', () => (state = at({ ...state, now: new Date().toISOString(), handover: handover({ received_at: new Date().toISOString() }) })))
    state = at({ operator: { id: 2, name: '李四' } })
    await open()
    expect(page.find('[data-run=handed]').exists()).toBe(false)
    const turn = async (hidden: boolean): Promise<void> => {
      vi.spyOn(document, 'hidden', 'get').mockReturnValue(hidden)
      document.dispatchEvent(new Event('visibilitychange'))
      await flushPromises()
    }
    await turn(true)
    await moved({ operator: { id: 1, name: '用户1' }, handover: handover() })
    expect(posts('/receive')).toEqual([])
    await turn(false)
    expect(text('handed')).toContain('李四')
    expect(text('handed')).toContain('第 1 站')
    expect(text('handed')).toContain('桥头有施工')
    expect(posts('/receive')).toHaveLength(1)
    await page.find('[data-run=handed] button').trigger('click')
    expect(page.find('[data-run=handed]').exists()).toBe(false)
    page.unmount()
    await open()
    expect(page.find('[data-run=handed]').exists()).toBe(false)
    expect(posts('/receive')).toHaveLength(1)
  })

  it('shows who has handed it over that it is the other’s now, and whether they have opened it', async () => {
    hub.on('POST /api/runs/7/hand_over', () => (state = at({ revision: 2, operator: { id: 2, name: '李四' }, handover: handover({ by_id: 1, by_name: '用户1' }) })))
    hub.on('GET /api/runs/7/operators', () => [{ id: 1, name: '用户1' }, { id: 2, name: '李四' }])
    await open()
    await look(4)
    await page.findComponent({ name: 'RunLine' }).vm.$emit('handOver')
    await flushPromises()
    const choice = document.querySelector<HTMLSelectElement>('[role=dialog] select')!
    choice.selectedIndex = 1
    choice.dispatchEvent(new Event('change'))
    await flushPromises()
    document.querySelector<HTMLElement>('[role=dialog] .el-button--primary')!.click()
    await flushPromises()
    expect(text('watching')).toContain('交接给 李四')
    expect(text('watching')).toContain('尚未打开')
    expect(document.body.textContent).toContain('已交接给 李四')
    await press('Enter')
    expect(posts('/confirm')).toEqual([])
    await moved({ operator: { id: 2, name: '李四' }, handover: handover({ by_id: 1, received_at: new Date().toISOString() }) })
    expect(text('watching')).toContain('已打开')
  })

  it('refuses what is confirmed after somebody else has it, says who, and shows what holds now', async () => {
    await open()
    await look(4)
    hub.on('POST /api/runs/7/confirm', () => {
      state = at({ revision: 4, operator: { id: 2, name: '李四' } })
      throw new Refusal(403, 'not_operator', { name: '李四' })
    })
    await press('Enter')
    expect(document.body.textContent).toContain('当前由“李四”执行本次巡查')
    expect(text('watching')).toContain('李四 正在巡查')
  })

  it('keeps its keys after a click on any button; to who tabs there they are the button’s', async () => {
    await open()
    await look(4)
    const key = async (target: Element, name: string): Promise<void> => {
      target.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true, cancelable: true }))
      await flushPromises()
    }
    const list = page.find('[data-run=list]').element as HTMLElement
    list.dispatchEvent(new Event('pointerdown', { bubbles: true }))
    list.focus()
    await page.find('[data-run=list]').trigger('click')
    await key(list, ' ')
    expect(posts('/pause')).toHaveLength(1)
    expect(document.activeElement).not.toBe(list)
    await key(document.body, 'Tab')
    list.focus()
    await key(list, 'Enter')
    await key(list, ' ')
    expect(posts('/confirm')).toEqual([])
    expect(posts('/resume')).toEqual([])
    list.dispatchEvent(new Event('pointerdown', { bubbles: true }))
    await key(list, 'Enter')
    expect(posts('/confirm')).toHaveLength(1)
  })

  it('says that confirmations are not taken while the hub is away, and forgets nothing that was seen', async () => {
    await open()
    await look(4)
    await silence(30)
    expect(page.text()).toContain('与服务器的连接中断')
    await press('Enter')
    expect(posts('/confirm')).toEqual([])
    await greet()
    await look(1)
    await press('Enter')
    expect(posts('/confirm')).toHaveLength(1)
  })
})

describe('a patrol whose stops are over', () => {
  const closing = (more: Partial<Run> = {}): void => void (state = at({ state: 'closing', step: null, next_position: 1, time_left_s: 0, ...more }))

  it('lists what is open, shows it again, and is submitted once nothing is', async () => {
    closing({ remaining: [1] })
    results = [result(0, 1, { result: 'normal', seen: true, seen_s: 5 }), result(0, 2, { result: 'excused', cause: 'device_down', reference: 12 }), result(1, 3, { why: 'passed_over' })]
    await open()
    expect(text('closing')).toContain('还有 1 路待确认')
    expect(text('closing')).toContain('告警 12')
    expect(page.find('[data-run=submit]').attributes('disabled')).toBeDefined()
    await page.find('[data-show="1"]').trigger('click')
    await flushPromises()
    expect(posts('/jump')[0]!.body).toMatchObject({ position: 1 })
  })

  it('says when it expires, and has the hub keep the next stop running while somebody is there', async () => {
    closing({ remaining: [1], expires_at: new Date(Date.now() + 3_600_000).toISOString() })
    await open()
    expect(text('expires')).toContain('不提交即过期')
    const asked = () => hub.heard.filter((one) => one.type === 'warm')
    expect(asked()[0]).toEqual({ type: 'warm', cameras: [3] })
    await look(6)
    expect(asked().length).toBeGreaterThan(1)
    page.unmount()
    const before = asked().length
    await look(6)
    expect(asked().length).toBe(before)
  })

  it('confirms all at the end but what is taken out', async () => {
    closing({ confirm: 'end' })
    results = [result(0, 1, { seen: true, seen_s: 4 }), result(0, 2, { seen: true, seen_s: 4 }), result(1, 3, { seen: true, seen_s: 4 })]
    await open()
    const box = page.findAll('input[type=checkbox]')[1]!
    await box.setValue(false)
    await page.find('[data-run=closing] textarea').setValue('桥下有积水')
    box.element.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true, cancelable: true }))
    await flushPromises()
    expect(posts('/next')).toHaveLength(1)
    await moved({ state: 'closing', step: null, position: 0, next_position: 1, time_left_s: 0, confirm: 'end' })
    // What was taken out and written is still there after a stop was shown once more.
    expect(page.findAll<HTMLInputElement>('input[type=checkbox]').map((one) => one.element.checked)).toEqual([true, false, true])
    expect(page.find<HTMLTextAreaElement>('[data-run=closing] textarea').element.value).toBe('桥下有积水')
    await page.find('[data-run=confirm-all]').trigger('click')
    await flushPromises()
    expect(posts('/confirm').map((call) => call.body)).toEqual([{ position: 0, camera_ids: [1], result: 'normal', words: '', change: false }, { position: 1, camera_ids: [3], result: 'normal', words: '', change: false }])
    expect(text('closing')).toContain('还有 1 路待确认')
  })

  it('says that all was dead, and ends with a summary', async () => {
    closing({ next_position: null })
    results = results.map((one) => ({ ...one, result: 'excused', cause: 'device_down', reference: 3 }))
    hub.on('POST /api/runs/7/submit', () => at({ state: 'ended', end_reason: 'submitted', revision: 9, ended_at: new Date().toISOString(), counts: { open: 0, normal: 0, abnormal: 0, excused: 3 } }))
    await open()
    expect(text('closing')).toContain('没有一路画面可以显示')
    await page.find('form').trigger('submit')
    await flushPromises()
    expect(text('ended')).toContain('巡查已提交')
    expect(page.find('a.record').attributes('href')).toBe('/runs/7')
  })
})

describe('the results that a page knows', () => {
  const asked = () => hub.calls.filter((call) => call.path.endsWith('/results')).map((call) => call.query.position ?? 'all')
  const counts = () => {
    const of = (state: string): number => results.filter((one) => one.result === state).length
    return { open: of('open'), normal: of('normal'), abnormal: of('abnormal'), excused: of('excused') }
  }
  const told = async (): Promise<void> => {
    hub.changed('result', 7, { run_id: 7, counts: counts(), remaining: [] })
    await flushPromises()
    await flushPromises()
  }

  it('are read anew for the stop that is on, and all of them only where another stop has changed', async () => {
    hub.on('GET /api/runs/7/results', ({ query }) => results.filter((one) => query.position === undefined || one.position === Number(query.position)))
    await open()
    expect(asked()).toEqual(['all'])
    results = [result(0, 1, { result: 'normal', seen: true, confirmed_name: '李四' }), result(0, 2), result(1, 3)]
    await told()
    expect(asked()).toEqual(['all', '0'])
    results = results.map((one) => (one.position ? { ...one, result: 'abnormal' } : one))
    await told()
    expect(asked()).toEqual(['all', '0', '0', 'all'])
  })
})

describe('what is being written about a camera', () => {
  const box = () => document.querySelector<HTMLElement>('.el-message-box')
  const escape = async (more: object = {}): Promise<void> => {
    document.querySelector('[data-report] textarea')!.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', code: 'Escape', bubbles: true, cancelable: true, ...more }))
    await look(1)
  }

  it('is not lost by a key: giving it up is asked for', async () => {
    await open()
    selected.value = 1
    await press('n')
    await look(1)
    const area = document.querySelector<HTMLTextAreaElement>('[data-report] textarea')!
    area.value = '护栏被撞'
    area.dispatchEvent(new Event('input'))
    await escape()
    expect(box()!.textContent).toContain('放弃填写的内容')
    box()!.querySelector<HTMLElement>('.el-message-box__btns button')!.click() // go on
    await look(1)
    expect(document.querySelector<HTMLTextAreaElement>('[data-report] textarea')!.value).toBe('护栏被撞')
    await escape()
    box()!.querySelector<HTMLElement>('.el-button--primary')!.click()
    await look(1)
    expect(document.querySelector('[data-report]')).toBeNull()
  })

  it('closes at once while it is empty', async () => {
    await open()
    selected.value = 1
    await press('n')
    await look(1)
    await escape()
    expect(document.querySelector('[data-report]')).toBeNull()
  })
})

describe('a result that is confirmed already', () => {
  const confirmed = { seen: true, seen_s: 5, confirmed_name: '李四', confirmed_at: '2026-11-29T04:00:03Z' }
  const write = async (words: string): Promise<void> => {
    const area = document.querySelector<HTMLTextAreaElement>('[data-report] textarea')!
    area.value = words
    area.dispatchEvent(new Event('input'))
    document.querySelector<HTMLElement>('[data-report=save]')!.click()
    await look(1)
  }

  it('is changed by who was told what it is, and for a reason', async () => {
    results = [result(0, 1, { ...confirmed, result: 'normal' }), result(0, 2), result(1, 3)]
    await open()
    selected.value = 1
    await press('n')
    await look(1)
    expect(document.querySelector('[data-report=before]')!.textContent).toContain('李四 已在 04:00:03 确认为正常')
    await write('')
    expect(posts('/confirm')).toEqual([])
    expect(document.body.textContent).toContain('请写明原因')
    await write('有人占道')
    expect(posts('/confirm').at(-1)!.body).toEqual({ position: 0, camera_ids: [1], result: 'abnormal', words: '有人占道', change: true })
  })

  it('that somebody else has confirmed meanwhile is told before it is changed', async () => {
    await open()
    selected.value = 1
    await press('n')
    await look(1)
    expect(document.querySelector('[data-report=before]')).toBeNull()
    hub.on('POST /api/runs/7/confirm', () => {
      results = [result(0, 1, { ...confirmed, result: 'normal' }), result(0, 2), result(1, 3)]
      throw new Refusal(409, 'already_confirmed', { cameras: [] })
    })
    await write('有人占道')
    expect(document.querySelector('[data-report=before]')!.textContent).toContain('李四')
    await write('有人占道')
    expect(posts('/confirm').map((call) => (call.body as { change: boolean }).change)).toEqual([false, true])
  })

  it('gets a finding only knowingly, too', async () => {
    results = [result(0, 1, { ...confirmed, result: 'normal' }), result(0, 2), result(1, 3)]
    hub.on('GET /api/findings/categories', () => [{ code: 'flood', zh: '积水', en: 'Flood' }])
    hub.on('POST /api/runs/7/findings', () => ({ id: 1, picture_why: null }))
    await open()
    selected.value = 1
    await press('f')
    await look(1)
    await press('1')
    await write('桥下积水')
    expect(posts('/findings').at(-1)!.body).toMatchObject({ camera_id: 1, category: 'flood', change: true })
  })

  it('is changed at the end, in both directions', async () => {
    state = at({ state: 'closing', step: null, next_position: null, time_left_s: 0 })
    results = [result(0, 1, { ...confirmed, result: 'normal' }), result(0, 2, { ...confirmed, result: 'abnormal', words: '积水' }), result(1, 3, { ...confirmed, result: 'abnormal', findings: 1 })]
    await open()
    expect(page.findAll('[data-change]').map((one) => one.attributes('data-change'))).toEqual(['abnormal', 'normal']) // a finding is deleted first
    await page.find('[data-change=normal]').trigger('click')
    await look(1)
    expect(document.querySelector('[data-report=before]')!.textContent).toContain('确认为异常：积水')
    await write('水已退')
    expect(posts('/confirm').at(-1)!.body).toEqual({ position: 0, camera_ids: [2], result: 'normal', words: '水已退', change: true })
  })
})

describe('a finding that was a mistake', () => {
  const found = (id: number, more: Partial<PatrolFinding> = {}): PatrolFinding => ({ id, run_id: 7, tour_name: '重点', position: 0, camera_id: 1, camera: '点位1', village_id: 1, village: '村1', category: 'flood', words: '桥下积水', at: '2026-11-29T04:00:00Z', user_name: '用户1', picture_url: null, picture_at: null, picture_why: null, photo_url: null, ...more })
  const sure = async (yes: boolean): Promise<void> => {
    await flushPromises()
    document.querySelector<HTMLElement>(`.el-message-box__btns ${yes ? '.el-button--primary' : '.el-button:not(.el-button--primary)'}`)!.click()
    await look(1)
  }
  const end = (more: Partial<Run> = {}): void => void (state = at({ state: 'closing', step: null, next_position: null, time_left_s: 0, ...more }))
  beforeEach(() => {
    findings = [found(5), found(6, { position: 1, camera_id: 3, camera: '点位3', words: '路面塌陷' })]
    hub.on('DELETE /api/findings/5', () => {
      findings = findings.filter((one) => one.id !== 5)
      return { at: '2026-11-29T04:05:00Z' }
    })
    hub.on('POST /api/runs/7/findings', () => {
      findings = [found(8), ...findings]
      return { id: 8, picture_why: null }
    })
  })

  it('is withdrawn before the patrol is submitted, once it is meant, and can be noted again', async () => {
    end()
    await open()
    await look(1)
    expect(page.findAll('[data-finding=withdraw]')).toHaveLength(2)
    await page.find('[data-finding=withdraw]').trigger('click')
    await flushPromises()
    expect(document.querySelector('.el-message-box')!.textContent).toContain('积水：桥下积水')
    await sure(false)
    expect(hub.calls.filter((call) => call.method === 'DELETE')).toEqual([])
    await page.find('[data-finding=withdraw]').trigger('click')
    await sure(true)
    expect(hub.calls.filter((call) => call.method === 'DELETE').map((call) => call.path)).toEqual(['/api/findings/5'])
    expect(page.findAll('[data-finding=withdraw]')).toHaveLength(1)
    expect(page.find('.gone').text()).toContain('已撤回：点位1：积水：桥下积水')
    await page.find('[data-finding=again]').trigger('click')
    await look(1)
    expect(posts('/findings').at(-1)!.body).toEqual({ position: 0, camera_id: 1, category: 'flood', words: '桥下积水', change: false })
    expect(page.find('.gone').exists()).toBe(false)
    expect(page.findAll('[data-finding=withdraw]')).toHaveLength(2)
  })

  it('says why it stays where the hub refuses, and is nobody else’s to withdraw', async () => {
    end()
    hub.on('DELETE /api/findings/5', () => {
      throw new Refusal(409, 'run_ended')
    })
    await open()
    await look(1)
    await page.find('[data-finding=withdraw]').trigger('click')
    await sure(true)
    expect(document.body.textContent).toContain('巡查已经结束')
    expect(page.findAll('[data-finding=withdraw]')).toHaveLength(2)
    page.unmount()
    end({ revision: 9, operator: { id: 2, name: '李四' } })
    await open()
    await look(1)
    expect(page.text()).toContain('桥下积水')
    expect(page.findAll('[data-finding=withdraw]').every((one) => (one.element as HTMLButtonElement).disabled)).toBe(true)
  })

  it('is withdrawn where it was made, while the stop is on', async () => {
    await open()
    selected.value = 1
    await press('f')
    await look(1)
    const noted = [...document.querySelectorAll<HTMLElement>('[role=dialog] [data-finding=withdraw]')]
    expect(noted).toHaveLength(1) // those of this stop
    noted[0]!.click()
    await sure(true)
    expect(hub.calls.filter((call) => call.method === 'DELETE')).toHaveLength(1)
    expect(document.querySelector('[role=dialog] .gone')!.textContent).toContain('已撤回')
  })
})

describe('the record of a patrol', () => {
  it('names everybody who ran it, and from which stop on', async () => {
    const event = (id: number, kind: string, position: number, user_name: string, detail: object = {}) => ({ id, at: '2026-11-30T00:00:00Z', kind, position, user_id: 1, user_name, detail })
    const events = [event(1, 'started', 0, '张三'), event(2, 'handed_over', 4, '张三', { to_name: '李四' }), event(3, 'closing', 11, ''), event(4, 'taken_over', 11, '王五')]
    page = await visit([{ path: '/', component: { render: () => h(RecordHead, { missed: 0, run: run(7), results: [], findings: [], events, record: { reviews: [], seal: null, seal_missing: [] } } as never) } }], '/')
    expect(page.text()).toContain('张三 → 李四（2026-11-30 00:00:00 第 5 站起） → 王五（2026-11-30 00:00:00 走完后）')
  })

  const change = { id: 2, at: '2026-11-29T04:05:00Z', kind: 'result_changed', position: 4, user_id: 2, user_name: '李四', detail: { stop: 0, camera: 1, before: 'normal', before_words: '', before_name: '张三', before_at: '2026-11-29T04:00:03+00:00', result: 'abnormal', words: '有人占道', finding: null } }

  it('says of a changed result who had said what, who changed it, when and why', () => {
    expect(eventText(change, (id) => `点位${id}`)).toBe('点位1 · 正常（张三 04:00:03）改为异常 · 有人占道')
    expect(changeText(change)).toBe('原由 张三 04:00:03 确认为正常，李四 04:05:00 更改 · 原因：有人占道')
    expect(eventStop(change)).toBe(0)
    expect([...changesOf([change]).keys()]).toEqual(['0/1'])
  })

  it.each([
    ['own_record', '您参与过本次巡查'],
    ['not_submitted', '无需签审'],
  ] as const)('says why it cannot be signed: %s', async (sign_why, words) => {
    page = await visit([{ path: '/', component: { render: () => h(RecordReviews, { submitted: sign_why === 'own_record', next: null, left: 0, record: { run_id: 7, plan_name: null, due_at: null, seal: null, reviews: [], may_sign: false, may_note: false, sign_why, unreadable: [], unreadable_count: 0, seal_missing: [] } }) } }], '/')
    expect(page.find('[data-record=sign-why]').text()).toContain(words)
    expect(page.findAll('button')).toEqual([])
  })

  it('shows whoever signs what the operator wrote at the end, without unfolding anything', async () => {
    const events = [{ id: 1, at: '2026-11-30T00:00:00Z', kind: 'submitted', position: 1, user_id: 1, user_name: '用户1', detail: { note: '桥面积水已登记' } }]
    page = await visit([{ path: '/', component: { render: () => h(RecordHead, { missed: 0, run: run(7), results: [], findings: [], events, record: { reviews: [], seal: null, seal_missing: [] } } as never) } }], '/')
    expect(page.find('[data-record=summary]').text()).toBe('桥面积水已登记')
  })
})
