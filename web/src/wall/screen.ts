/**
 * What a tile shows, as elements that the wall owns and a page only places: the stored picture below, the video over it, the
 * frozen last frame on top while a new connection is made. Moving a screen in the document interrupts nothing.
 */

export interface FrameSeen {
  receivedAt: number
}

/** The part of a screen that the wall steers; tests put a plain object here. */
export interface Screen {
  readonly element: HTMLElement | null
  attach(track: MediaStreamTrack): void
  /** Another camera comes: hide the picture of the one before at once. */
  cover(poster: string | null): void
  /** A frame of the right camera is here. */
  reveal(): void
  /** Keep the last frame while the source is replaced. */
  freeze(): void
  onFrame: ((frame: FrameSeen) => void) | null
}

export class VideoScreen implements Screen {
  readonly element: HTMLElement
  readonly video: HTMLVideoElement
  onFrame: ((frame: FrameSeen) => void) | null = null
  private readonly canvas: HTMLCanvasElement
  private readonly poster: HTMLImageElement
  private generation = 0

  constructor() {
    this.element = document.createElement('div')
    this.element.className = 'screen'
    this.poster = document.createElement('img')
    this.poster.alt = ''
    this.poster.draggable = false
    this.poster.hidden = true
    this.poster.onerror = () => (this.poster.hidden = true)
    this.poster.onload = () => (this.poster.hidden = false)
    this.video = document.createElement('video')
    this.video.muted = true
    this.video.autoplay = true
    this.video.playsInline = true
    this.video.disablePictureInPicture = true
    this.canvas = document.createElement('canvas')
    this.canvas.hidden = true
    this.element.append(this.poster, this.video, this.canvas)
    this.video.classList.add('covered')
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.play()
    })
  }

  attach(track: MediaStreamTrack): void {
    const generation = (this.generation += 1)
    this.video.srcObject = new MediaStream([track])
    this.play()
    const seen = (now: number, frame: VideoFrameCallbackMetadata): void => {
      if (generation !== this.generation) return
      this.video.requestVideoFrameCallback(seen)
      this.onFrame?.({ receivedAt: frame.receiveTime ?? now })
    }
    this.video.requestVideoFrameCallback(seen)
  }

  cover(poster: string | null): void {
    this.video.classList.add('covered')
    this.canvas.hidden = true
    this.poster.hidden = true
    if (poster) this.poster.src = poster
    else this.poster.removeAttribute('src')
  }

  reveal(): void {
    this.video.classList.remove('covered')
    this.canvas.hidden = true
  }

  freeze(): void {
    const { videoWidth: width, videoHeight: height } = this.video
    if (!width || this.video.classList.contains('covered')) return
    this.canvas.width = width
    this.canvas.height = height
    this.canvas.getContext('2d')?.drawImage(this.video, 0, 0)
    this.canvas.hidden = false
  }

  /** Put back into the document a video may stand paused; a muted one is always allowed to play. */
  play(): void {
    if (this.video.srcObject) void this.video.play().catch(() => undefined)
  }

  get size(): { width: number; height: number } {
    return { width: this.video.videoWidth, height: this.video.videoHeight }
  }
}
