/**
 * The one sound of a page: that of one camera out of those it shows. Off at every load, until somebody switches it on.
 *
 * Listening is asked for by a message, like showing a camera; the hub answers which connection's audio track carries it, or why none does.
 */
import type { Heard, Listen } from '@/api/types'

export interface SoundSocket {
  /** Asks for a camera's sound; asked again after each reconnect until the hub has confirmed it. */
  want(message: Listen): void
  on(kind: 'heard', handler: (message: Heard) => void): () => void
}

/** Audio output; tests pass a plain object. */
export interface Speaker {
  play(track: MediaStreamTrack): void
  silence(): void
}

export interface SoundParts {
  socket: SoundSocket
  speaker: Speaker
  /** The audio track of the connection that the hub calls so; of any one for null. */
  track(viewer: string | null): MediaStreamTrack | null
  onChange(): void
  /** The hub has refused the wish, or ended it. */
  onRefused(camera: number, reason: string): void
}

export interface SoundState {
  camera: number | null
  state: 'off' | 'waiting' | 'live'
}

export class Sound {
  camera: number | null = null
  state: SoundState['state'] = 'off'
  private serial = 0
  private readonly off: () => void

  constructor(private readonly parts: SoundParts) {
    this.off = parts.socket.on('heard', (message) => this.heard(message))
  }

  /** Called in the click or key press itself: only then does every browser allow sound to begin. */
  listen(camera: number | null): void {
    if (camera === this.camera) return
    this.camera = camera
    this.state = camera === null ? 'off' : 'waiting'
    const track = camera === null ? null : this.parts.track(null)
    if (track) this.parts.speaker.play(track)
    else this.parts.speaker.silence()
    this.ask()
    this.parts.onChange()
  }

  stop(): void {
    this.off()
    this.parts.speaker.silence()
  }

  private ask(): void {
    this.serial += 1
    this.parts.socket.want({ type: 'listen', serial: this.serial, camera: this.camera })
  }

  private heard(message: Heard): void {
    if (message.serial !== this.serial || this.camera === null) return
    const { camera } = this
    if (message.state === 'off') {
      this.camera = null
      this.state = 'off'
      this.parts.speaker.silence()
      if (message.reason) this.parts.onRefused(camera, message.reason)
    } else {
      this.state = message.state
      const track = message.viewer ? this.parts.track(message.viewer) : null
      if (track) this.parts.speaker.play(track)
    }
    this.parts.onChange()
  }
}

/** An audio element outside the document. */
export class PageSpeaker implements Speaker {
  private readonly element = new Audio()
  private track: MediaStreamTrack | null = null

  play(track: MediaStreamTrack): void {
    if (track !== this.track) {
      this.track = track
      this.element.srcObject = new MediaStream([track])
    }
    void this.element.play().catch(() => undefined) // silenced meanwhile, or the browser wants another click
  }

  silence(): void {
    this.track = null
    this.element.pause()
    this.element.srcObject = null
  }
}
