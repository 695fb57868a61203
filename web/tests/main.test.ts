/** The page's entry, which the browser may run before it has parsed the page. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const openEarly = vi.fn<() => Promise<void>>()
const closeEarly = vi.fn<() => void>()
/** Whether there was a place to mount at. */
const mounted: boolean[] = []
let mountApp: () => Promise<void>

function reading(state: DocumentReadyState): void {
  Object.defineProperty(document, 'readyState', { configurable: true, value: state })
}

/** The parser comes to the end of the page. */
function parsed(): void {
  document.body.innerHTML = '<div id="app"></div>'
  reading('interactive')
  document.dispatchEvent(new Event('DOMContentLoaded'))
}

/** Long enough for everything that is not held up. */
async function rested(): Promise<void> {
  await import('@/app')
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setTimeout(resolve))
}

beforeEach(() => {
  vi.resetModules()
  document.body.innerHTML = ''
  mounted.length = 0
  openEarly.mockReset().mockResolvedValue()
  closeEarly.mockReset()
  mountApp = async () => void mounted.push(document.getElementById('app') !== null)
  vi.doMock('@/early', () => ({ openEarly, closeEarly }))
  vi.doMock('@/stores', () => ({ wire: () => undefined }))
  vi.doMock('@/app', () => ({ mountApp: () => mountApp(), toSignIn: () => undefined }))
})
afterEach(() => {
  vi.restoreAllMocks()
  Reflect.deleteProperty(document, 'readyState')
  Reflect.deleteProperty(window, '__browserTooOld')
})

describe('the entry', () => {
  it('mounts at once in a page that has been parsed', async () => {
    parsed()
    await import('@/main')
    await vi.waitFor(() => expect(mounted).toEqual([true]))
  })

  it('waits for a page that is still being parsed', async () => {
    reading('loading')
    await import('@/main')
    await rested()
    expect(mounted).toEqual([])
    parsed()
    await vi.waitFor(() => expect(mounted).toEqual([true]))
  })

  it('begins nothing in a browser that is found too old while the page is being parsed', async () => {
    reading('loading')
    await import('@/main')
    Object.assign(window, { __browserTooOld: ['WebRTC'] })
    parsed()
    await rested()
    expect(openEarly).not.toHaveBeenCalled()
    expect(mounted).toEqual([])
  })

  it('says so when the application cannot be loaded, and closes the wall that was opened early, also in a page that was still being parsed', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    mountApp = () => Promise.reject(new TypeError('Failed to fetch dynamically imported module'))
    reading('loading')
    await import('@/main')
    await rested()
    parsed()
    await vi.waitFor(() => expect(document.getElementById('app')!.textContent).toContain('页面加载失败'))
    expect(closeEarly).toHaveBeenCalledOnce()
  })
})
