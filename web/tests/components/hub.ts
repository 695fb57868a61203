/** A hub for component tests: answers `fetch` and speaks over the page's WebSocket; and the page, mounted as in the app. */
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { vi } from 'vitest'
import { defineComponent, h } from 'vue'
import { createMemoryHistory, createRouter, RouterView, type RouteRecordRaw } from 'vue-router'
import type { Action, Alarm, Camera, Me, Run, Village } from '@/api/types'
import { i18n } from '@/i18n'
import { enter, leave, wire } from '@/stores'

export interface Call {
  method: string
  path: string
  query: Record<string, string>
  body: unknown
}
type Answer = (call: Call) => unknown

/** A refusal as the hub words it. */
export class Refusal {
  constructor(
    readonly status: number,
    readonly reason: string,
    readonly params: Record<string, unknown> = {},
  ) {}
}

class FakeSocket {
  static last: FakeSocket
  readonly sent: unknown[] = []
  onmessage: ((event: { data: string }) => void) | null = null
  onclose: unknown = null
  constructor() {
    FakeSocket.last = this
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text))
  }
  close(): void {}
}

export const ALL: Action[] = ['self', 'view', 'listen', 'read_health', 'acknowledge', 'read_villages', 'intake', 'register', 'approve', 'manage_villages', 'manage_users', 'edit_tours', 'run_tours', 'read_records', 'sign_records', 'read_system', 'manage_system', 'manage_stream_tokens']

export function person(id: number, more: Partial<Me> = {}): Me {
  return { id, username: `u${id}`, display_name: `用户${id}`, role: 'township_admin', village_id: null, village_name: null, actions: ALL, ...more } as Me
}
export function village(id: number, name = `村${id}`): Village {
  return { id, name, kind: 'village', position: id, pinyin: '', initials: '', ranges: [], down_since: null, counts: { total: 0, ok: 0, fault: 0, unknown: 0, waiting: 0, online: 0, picture_fault: 0, clock_wrong: 0 } } as unknown as Village
}
export function camera(id: number, more: Partial<Camera> = {}): Camera {
  return {
    id, device_id: 1, village_id: 1, name: `点位${id}`, pinyin: '', initials: '', place_class: 'other', position: id, state: 'approved', health: 'ok', cause: null, health_since: null,
    favourite: false, picture_at: null, proving: false, proof: null, states: [], streams: [], ...more,
  } as unknown as Camera
}
export function alarm(id: number, more: Partial<Alarm> = {}): Alarm {
  return {
    id, level: 'camera', aspect: 'picture', severity: 'minor', recovered: [], cause: 'frozen', village_id: 1, village_name: '村1', device_id: 1, device_name: 'NVR', camera_id: id, camera_name: `点位${id}`, members: [id], detail: '', params: {},
    opened_at: new Date(Date.UTC(2026, 0, 1) + id * 60_000).toISOString(), acknowledged_at: null, acknowledged_name: null, closed_at: null, duration_s: null, ending: null,
    owner: null, notified_at: null, reminders: 0, escalation: 0, escalated_at: null, suspended: null, note: '', flapping: false, place_group: null, hint: null, ...more,
  }
}
export function run(id: number, more: Partial<Run> = {}): Run {
  return {
    id, tour_id: 1, tour_name: `路线${id}`, state: 'ended', revision: 1, loop: false, lap: 0, position: 0, time_left_s: 0, next_position: null, step: null, dead: [], presets: [], now: '2026-01-01T00:00:00Z', started_name: '张三',
    started_at: '2026-01-01T00:00:00Z', ended_at: '2026-01-01T00:01:00Z', end_reason: 'submitted', shown: 1, skipped: 0, operator: { id: 1, name: '用户1' }, confirm: 'screen', least_s: 3,
    pause_reason: null, attention_minutes: 0, interrupt: null, extended_s: 0, remaining: [], progress: { done: 0, total: 2, left_s: 10 }, counts: null, expires_at: null, handover: null, ...more,
  } as unknown as Run
}

export class FakeHub {
  readonly calls: Call[] = []
  private readonly answers = new Map<string, Answer>()

  constructor() {
    vi.stubGlobal('fetch', (url: string, init: RequestInit) => this.fetch(url, init))
    vi.stubGlobal('WebSocket', FakeSocket)
    this.on('GET /api/villages', () => [village(1), village(2)])
    this.on('GET /api/cameras', () => [])
    this.on('GET /api/runs', () => [])
    this.on('GET /api/alarms/count', () => ({ open: 0 }))
    this.on('GET /api/devices', () => [])
    this.on('GET /api/tours', () => [])
    this.on('GET /api/scenes', () => [])
    this.on('DELETE /api/session', () => ({ at: '' }))
  }

  /** Answers a call such as `GET /api/alarms`; what is thrown as `Refusal` is refused. Later ones replace earlier ones. */
  on(call: string, answer: Answer): void {
    this.answers.set(call, answer)
  }

  /** The calls so far to `GET /api/alarms` and the like. */
  to(call: string): Call[] {
    return this.calls.filter((one) => `${one.method} ${one.path}` === call)
  }

  say(message: object): void {
    FakeSocket.last.onmessage?.({ data: JSON.stringify(message) })
  }
  /** Whether what is said reaches the page: after a silence it connects anew, with a pause between two tries. */
  get connected(): boolean {
    return FakeSocket.last.onmessage !== null
  }
  /** What the page has sent over its WebSocket. */
  get heard(): Record<string, unknown>[] {
    return FakeSocket.last.sent as Record<string, unknown>[]
  }
  changed(topic: string, id: number | string, data: object | null): void {
    this.say({ type: 'changed', topic, id, data })
  }

  private async fetch(url: string, init: RequestInit): Promise<Response> {
    const { pathname, searchParams } = new URL(url, 'http://hub')
    const call: Call = { method: init.method ?? 'GET', path: pathname, query: Object.fromEntries(searchParams), body: init.body ? JSON.parse(String(init.body)) : undefined }
    this.calls.push(call)
    const answer = this.answers.get(`${call.method} ${call.path}`)
    const aborted = new Promise<never>((_, reject) => init.signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError'))))
    aborted.catch(() => undefined) // after the answer nobody waits for it
    try {
      if (!answer) throw new Refusal(404, 'not_found')
      return Response.json(await Promise.race([Promise.resolve(answer(call)), aborted]))
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal
      return Response.json({ error: 'invalid', reason: refusal.reason, detail: 'English detail', params: refusal.params }, { status: refusal.status })
    }
  }
}

let wired = false

/** Signs in: everything shared is read from the hub, and its `hello` has arrived. */
export async function signIn(hub: FakeHub, who: Me = person(1)): Promise<void> {
  if (!wired) wire(() => undefined)
  wired = true
  enter(who)
  await flushPromises()
  hub.say({ type: 'hello', epoch: 'e', now: new Date().toISOString(), relays: {}, viewers: [] })
  await flushPromises()
}

/** Mounts what a route shows, with the app's router, words and components around it. */
export async function visit(routes: RouteRecordRaw[], path: string): Promise<VueWrapper> {
  const router = createRouter({ history: createMemoryHistory(), routes: [...routes, { path: '/:rest(.*)*', component: { render: () => h('i') } }] })
  await router.push(path)
  const page = mount(defineComponent({ render: () => h(RouterView) }), { attachTo: document.body, global: { plugins: [i18n, router] } })
  await flushPromises()
  return page
}

export function signOutAll(): void {
  leave()
  document.body.innerHTML = ''
}
export { flushPromises }
