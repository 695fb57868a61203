/**
 * What a tile shows, as elements that the wall owns and a page only places: the stored picture below, the video over it, the
 * frozen last frame on top while a new connection is made, and key-frame pictures where there is no video. Moving a screen in the document interrupts nothing.
 */
import type { FrameSeen } from './tile'

/** The part of a screen that the wall controls; tests pass a plain object. */
export interface Screen {
  readonly element: HTMLElement | null
  attach(track: MediaStreamTrack): void
  /**
   * Another camera comes. `hold`: the picture of the one before stays (the page shows it grey) until there is something to
   * replace it, but no longer than a moment; otherwise it is hidden at once.
   */
  cover(poster: string | null, hold: boolean): void
  /** Another camera's picture has taken the place of the one before: nothing of that one is kept. */
  forget(): void
  /** The first frame of the right camera has arrived. */
  reveal(): void
  /** A key-frame picture stands in for video; it is drawn, then released. */
  still(image: ImageBitmap): void
  /** Keep the last frame while the source is replaced. */
  freeze(): void
  onFrame: ((frame: FrameSeen) => void) | null
}

/** A copy costs more than anything else that the page does for a picture; before a connection is given up a fresh one is made anyway. */
const KEEP_EVERY_MS = 5_000
/** A warm camera's first frame is here by then, so that the stored picture would only flash in between. */
const HOLD_MS = 300
/** Nobody may take the camera before for this one: if by then there is no stored picture, there is none. */
const LONGEST_HOLD_MS = 1_000

/**
 * Chromium plays black frames when a track is muted or its connection ends. They did not come over the network (no receiveTime),
 * say nothing about the camera, and must not replace its last picture: a copy of that is kept and shown instead.
 */
export class VideoScreen implements Screen {
  readonly element: HTMLElement
  readonly video: HTMLVideoElement
  onFrame: ((frame: FrameSeen) => void) | null = null
  /** Whether this browser reports when a frame was received; Chromium and Safari do. */
  private static tellsReceiveTime = false
  private readonly kept: HTMLCanvasElement
  private readonly stills: HTMLCanvasElement
  private readonly poster: HTMLImageElement
  private keptAt = 0
  private blank = true
  /** What was there before another camera was asked for is still seen. */
  private held = false
  private heldAt = 0
  private loaded = false
  private holdTimers: ReturnType<typeof setTimeout>[] = []
  private generation = 0
  /** A browser may pause videos of a hidden page. */
  private readonly onVisibility = (): void => {
    if (!document.hidden) this.play()
  }

  constructor() {
    this.element = document.createElement('div')
    this.element.className = 'screen'
    this.poster = document.createElement('img')
    this.poster.alt = ''
    this.poster.draggable = false
    this.poster.hidden = true
    this.poster.onerror = () => (this.poster.hidden = true)
    this.poster.onload = () => {
      this.loaded = true
      if (!this.held) this.poster.hidden = false
      else if (performance.now() - this.heldAt >= HOLD_MS) this.replaceHeld()
    }
    this.video = document.createElement('video')
    this.video.muted = true
    this.video.autoplay = true
    this.video.playsInline = true
    this.video.disablePictureInPicture = true
    this.kept = document.createElement('canvas')
    this.kept.hidden = true
    this.stills = document.createElement('canvas')
    this.stills.className = 'stills'
    this.stills.hidden = true
    this.element.append(this.poster, this.video, this.kept, this.stills)
    this.video.classList.add('covered')
    document.addEventListener('visibilitychange', this.onVisibility)
  }

  /** Ends the screen for good: releases its track and its listener on the document. */
  dispose(): void {
    this.generation += 1
    document.removeEventListener('visibilitychange', this.onVisibility)
    this.letGo()
    this.onFrame = null
    this.video.srcObject = null
    this.element.remove()
  }

  attach(track: MediaStreamTrack): void {
    const generation = (this.generation += 1)
    this.blank = true
    this.video.srcObject = new MediaStream([track])
    this.play()
    const seen = (now: number, frame: VideoFrameCallbackMetadata): void => {
      if (generation !== this.generation) return
      this.video.requestVideoFrameCallback(seen)
      if (frame.receiveTime !== undefined) VideoScreen.tellsReceiveTime = true
      if (frame.receiveTime === undefined && (VideoScreen.tellsReceiveTime || track.muted || track.readyState === 'ended')) {
        this.blank = true
        this.standIn()
        return
      }
      this.blank = false
      this.onFrame?.({ receivedAt: frame.receiveTime ?? now, rtp: frame.rtpTimestamp })
      if (this.keptAt === 0 || now - this.keptAt > KEEP_EVERY_MS) this.keep(now)
    }
    this.video.requestVideoFrameCallback(seen)
  }

  cover(poster: string | null, hold: boolean): void {
    this.letGo()
    this.keptAt = 0
    const shows = !this.stills.hidden || !this.kept.hidden || !this.poster.hidden || (!this.blank && !this.video.classList.contains('covered'))
    this.loaded = false
    this.held = hold && shows
    this.heldAt = performance.now()
    if (this.held) this.holdTimers = [setTimeout(() => this.loaded && this.replaceHeld(), HOLD_MS), setTimeout(() => this.replaceHeld(), LONGEST_HOLD_MS)]
    else this.clear()
    if (poster) this.poster.src = poster
    else if (!this.held) this.poster.removeAttribute('src')
  }

  forget(): void {
    this.letGo()
    this.loaded = false
    this.kept.hidden = true
    this.keptAt = 0
    this.stills.hidden = true
    this.poster.hidden = true
    this.poster.removeAttribute('src')
  }

  reveal(): void {
    if (this.held) this.letGo()
    if (this.video.classList.contains('covered')) this.video.classList.remove('covered')
    if (!this.kept.hidden) this.kept.hidden = true
    if (!this.stills.hidden) this.stills.hidden = true
  }

  still(image: ImageBitmap): void {
    this.letGo()
    const { width, height } = image
    if (this.stills.width !== width || this.stills.height !== height) Object.assign(this.stills, { width, height })
    this.stills.getContext('2d', { alpha: false })?.drawImage(image, 0, 0)
    image.close()
    this.stills.hidden = false
    this.kept.hidden = true
    this.keptAt = 0
  }

  freeze(): void {
    if (!this.blank) this.keep(performance.now())
    this.standIn()
  }

  /** A video that was moved in the document may be paused; a muted one is always allowed to play. */
  play(): void {
    if (this.video.srcObject) void this.video.play().catch(() => undefined)
  }

  /** What shows this camera's own picture now; null: nothing does. */
  get picture(): CanvasImageSource | null {
    if (this.held) return null
    if (!this.stills.hidden) return this.stills
    return this.blank || !this.kept.hidden || this.video.classList.contains('covered') ? null : this.video
  }

  private keep(now: number): void {
    const { videoWidth: width, videoHeight: height } = this.video
    if (!width || this.held || this.video.classList.contains('covered')) return
    const scale = Math.min(1, 640 / width)
    this.kept.width = Math.round(width * scale)
    this.kept.height = Math.round(height * scale)
    this.kept.getContext('2d', { alpha: false })?.drawImage(this.video, 0, 0, this.kept.width, this.kept.height)
    this.keptAt = now
  }

  private standIn(): void {
    if (this.keptAt > 0) this.kept.hidden = false
  }

  private letGo(): void {
    this.held = false
    for (const timer of this.holdTimers.splice(0)) clearTimeout(timer)
  }

  /** The picture of the camera before is held no longer. */
  private replaceHeld(): void {
    this.letGo()
    this.clear()
    this.poster.hidden = !this.loaded
  }

  private clear(): void {
    this.video.classList.add('covered')
    this.kept.hidden = true
    this.stills.hidden = true
    this.poster.hidden = true
  }
}
