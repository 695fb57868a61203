import { mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h } from 'vue'
import { api } from '@/api/client'
import { devices } from '@/pages/devices/store'
import { useLoad, type Loaded } from '@/pages/parts/useLoad'
import { usePagedList, type PagedList } from '@/pages/parts/usePagedList'
import { cameras, enter, me, refreshSession, signOut } from '@/stores'
import { FakeHub, camera, flushPromises, person, signIn, signOutAll } from './hub'

let hub: FakeHub
beforeEach(async () => {
  hub = new FakeHub()
  await signIn(hub, person(1))
})
afterEach(() => {
  signOutAll()
  vi.unstubAllGlobals()
})

function inComponent<T>(make: () => T): T {
  let made: T | undefined
  mount(defineComponent({ setup: () => ((made = make()), () => h('i')) }))
  return made as T
}
/** A call that the hub answers only when told to. */
function held(call: string): (data: unknown) => void {
  const answers: ((data: unknown) => void)[] = []
  hub.on(call, () => new Promise((resolve) => answers.push(resolve)))
  return (data) => answers.splice(0).forEach((answer) => answer(data))
}

describe('signing out', () => {
  it('makes a list void that was on its way, for whoever signs in next', async () => {
    const answer = held('GET /api/cameras')
    hub.say({ type: 'reload' })
    await signOut()
    hub.on('GET /api/cameras', () => [camera(2)])
    enter(person(2))
    answer([camera(1)])
    await flushPromises()
    expect(cameras.list.value.map((one) => one.id)).toEqual([2])
  })

  it('empties every list, also those of single pages', async () => {
    devices.put({ id: 1 } as never)
    await signOut()
    expect(devices.list.value).toEqual([])
  })

  it('makes what a page has loaded, or is loading, void', async () => {
    hub.on('GET /api/users', () => [{ id: 1 }])
    const loaded = inComponent((): Loaded<unknown> => useLoad((signal) => api.get('/api/users', { signal })))
    await loaded.load()
    expect(loaded.data.value).toEqual([{ id: 1 }])
    const answer = held('GET /api/users')
    const again = loaded.load()
    await signOut()
    expect(loaded.data.value).toBeNull()
    answer([{ id: 1 }])
    await again
    expect([loaded.data.value, loaded.error.value, loaded.loading.value]).toEqual([null, null, false])
  })

  it('makes the pages of a long list void', async () => {
    hub.on('GET /api/runs', () => [{ id: 5 }])
    const list = inComponent((): PagedList<{ id: number }> => usePagedList({ page: 1, most: 1, fetch: (limit, before, signal) => api.get('/api/runs', { query: { limit, before }, signal }) }))
    await list.more()
    expect([...list.rows.keys()]).toEqual([5])
    const answer = held('GET /api/runs')
    const more = list.more()
    await signOut()
    answer([{ id: 4 }])
    await more
    expect([[...list.rows.keys()], list.loaded.value, list.busy.value]).toEqual([[], false, false])
  })

  it('is not undone by an answer of who is signed in that was on its way', async () => {
    const answer = held('GET /api/session')
    const asking = refreshSession()
    await signOut()
    answer(person(1))
    await asking
    expect(me.value).toBeNull()
  })
})

describe('a call', () => {
  it('leaves no listener behind on what may abort it', async () => {
    hub.on('GET /api/users', () => [])
    const { signal } = new AbortController()
    const added = vi.spyOn(signal, 'addEventListener')
    const removed = vi.spyOn(signal, 'removeEventListener')
    await api.get('/api/users', { signal })
    expect(added).toHaveBeenCalledTimes(1)
    expect(removed).toHaveBeenCalledTimes(1)
  })
})
