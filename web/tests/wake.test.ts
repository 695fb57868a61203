import { afterEach, describe, expect, it, vi } from 'vitest'

afterEach(() => {
  vi.useRealTimers()
  vi.resetModules()
})

async function watched(): Promise<{ told: () => number }> {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) })
  const { onWake } = await import('@/live/wake')
  const handler = vi.fn()
  onWake(handler)
  return { told: () => handler.mock.calls.length }
}

describe('waking', () => {
  it('is told after a gap in time, and not of a page whose timers run late', async () => {
    const { told } = await watched()
    vi.advanceTimersByTime(60_000)
    expect(told()).toBe(0)
    vi.setSystemTime(Date.now() + 4_000)
    vi.advanceTimersByTime(2_000)
    expect(told()).toBe(0)
    vi.setSystemTime(Date.now() + 20_000)
    vi.advanceTimersByTime(2_000)
    expect(told()).toBe(1)
    vi.advanceTimersByTime(60_000)
    expect(told()).toBe(1)
  })

  it('is told once when the network comes back with several signs', async () => {
    const { told } = await watched()
    window.dispatchEvent(new Event('online'))
    document.dispatchEvent(new Event('resume'))
    vi.advanceTimersByTime(1_000)
    expect(told()).toBe(1)
  })

  it('is not told of a hidden page that is woken once a minute', async () => {
    const { told } = await watched()
    vi.spyOn(document, 'hidden', 'get').mockReturnValue(true)
    vi.advanceTimersByTime(2_000)
    for (let n = 0; n < 5; n += 1) {
      vi.setSystemTime(Date.now() + 59_000)
      vi.advanceTimersByTime(1_000)
    }
    expect(told()).toBe(0)
    vi.restoreAllMocks()
  })
})
