import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { VideoScreen } from '@/wall/screen'

type Seen = (now: number, frame: { receiveTime?: number }) => void
let next: Seen

function screenWithPicture(): VideoScreen {
  const screen = new VideoScreen()
  Object.assign(screen.video, { requestVideoFrameCallback: (callback: Seen) => ((next = callback), 1), play: () => Promise.resolve() })
  Object.defineProperties(screen.video, { videoWidth: { value: 1280 }, videoHeight: { value: 720 }, srcObject: { value: null, writable: true } })
  screen.onFrame = () => screen.reveal()
  screen.cover(null, false)
  screen.attach({ muted: false, readyState: 'live' } as MediaStreamTrack)
  next(2_000, { receiveTime: 1_990 })
  next(4_000, { receiveTime: 3_990 })
  return screen
}
const kept = (screen: VideoScreen) => screen.element.querySelector('canvas')!
const covered = (screen: VideoScreen) => screen.video.classList.contains('covered')

describe('a screen', () => {
  beforeEach(() => {
    vi.stubGlobal('MediaStream', class {})
    vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockReturnValue({ drawImage: () => undefined } as never)
  })

  it('takes a black frame that no network sent for no news, and stands the last picture in for it', () => {
    const screen = screenWithPicture()
    const told = vi.fn(() => screen.reveal())
    screen.onFrame = told
    expect(kept(screen).hidden).toBe(true)
    next(5_000, {})
    expect(told).not.toHaveBeenCalled()
    expect(kept(screen).hidden).toBe(false)
    next(6_000, { receiveTime: 5_990 })
    expect(told).toHaveBeenCalledOnce()
    expect(kept(screen).hidden).toBe(true)
  })

  it('lays a key-frame picture over all else until video or another camera comes', () => {
    const screen = screenWithPicture()
    const stills = screen.element.querySelector<HTMLCanvasElement>('.stills')!
    const image = { width: 960, height: 540, close: vi.fn() }
    screen.freeze()
    screen.still(image)
    expect([stills.hidden, stills.width, kept(screen).hidden]).toEqual([false, 960, true])
    expect(image.close).toHaveBeenCalledOnce()
    next(5_000, {})
    expect(kept(screen).hidden).toBe(true)
    screen.reveal()
    expect(stills.hidden).toBe(true)
    screen.still(image)
    screen.cover(null, false)
    expect(stills.hidden).toBe(true)
  })

  it('keeps no picture of the camera before', () => {
    const screen = screenWithPicture()
    screen.cover(null, false)
    expect(covered(screen)).toBe(true)
    screen.freeze()
    next(5_000, {})
    expect(kept(screen).hidden).toBe(true)
  })

  it('keeps its picture while another connection is made, and hears no more of the old one', () => {
    const screen = screenWithPicture()
    const old = next
    screen.freeze()
    expect(kept(screen).hidden).toBe(false)
    screen.attach({ muted: true, readyState: 'live' } as MediaStreamTrack)
    old(5_000, { receiveTime: 4_990 })
    expect(kept(screen).hidden).toBe(false)
    next(6_000, { receiveTime: 5_990 })
    expect(kept(screen).hidden).toBe(true)
  })

  describe('while another camera comes', () => {
    beforeEach(() => void vi.useFakeTimers())
    afterEach(() => void vi.useRealTimers())
    const poster = (screen: VideoScreen) => screen.element.querySelector('img')!
    const loaded = (screen: VideoScreen) => void poster(screen).onload!(new Event('load'))

    it('holds the picture of the one before until the first frame', () => {
      const screen = screenWithPicture()
      screen.cover('/next.jpg', true)
      loaded(screen)
      expect([covered(screen), poster(screen).hidden, screen.picture]).toEqual([false, true, null])
      screen.reveal()
      vi.advanceTimersByTime(5_000)
      expect([covered(screen), poster(screen).hidden, screen.picture]).toEqual([false, true, screen.video])
    })
    it('goes over to the stored picture when that frame takes long', () => {
      const screen = screenWithPicture()
      screen.cover('/next.jpg', true)
      loaded(screen)
      vi.advanceTimersByTime(300)
      expect([covered(screen), poster(screen).hidden]).toEqual([true, false])
    })
    it('holds it no longer than a second, whatever is there', () => {
      const screen = screenWithPicture()
      screen.cover(null, true)
      vi.advanceTimersByTime(999)
      expect(covered(screen)).toBe(false)
      vi.advanceTimersByTime(1)
      expect([covered(screen), poster(screen).hidden]).toEqual([true, true])
    })
    it('keeps none of its frames for later', () => {
      const screen = screenWithPicture()
      screen.onFrame = () => undefined // not accepted as the new camera's
      screen.cover(null, true)
      next(6_000, { receiveTime: 5_990 })
      vi.advanceTimersByTime(1_000)
      next(9_000, {})
      expect(kept(screen).hidden).toBe(true)
    })
  })
})
