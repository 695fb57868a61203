/** One peer connection of this page to one relay, with all video tracks from the start: showing a camera is then only a message. */
import type { Result } from '@/api/client'
import type { Viewer } from '@/api/types'
import type { Inbound } from './figures'

export type PeerState = 'offering' | 'connecting' | 'connected' | 'failed' | 'closed'

export interface PeerOptions {
  relay: number
  /** The tile that the first of the tracks carries. */
  first: number
  tracks: number
  /** Whether to offer one audio line, too; it is silent until the page listens to a camera. */
  audio?: boolean
  iceServers: RTCIceServer[]
  /** Posts the offer to the hub. */
  post(sdp: string, signal: AbortSignal): Promise<Result<Viewer>>
  createConnection?: (configuration: RTCConfiguration) => RTCPeerConnection
}

const CONNECT_DEADLINE_MS = 12_000
/** For the hub to answer an offer: a request that was sent over a network that is gone would wait for minutes. */
const OFFER_DEADLINE_MS = 6_000
/** The same for one that has found no address of this computer: there was no network just then, and it will not look again. */
const LONELY_DEADLINE_MS = 3_000
const DISCONNECTED_PATIENCE_MS = 3_000

/** H.264 profiles in the order in which the relay would choose; it sends packetization mode 1. */
const H264_PROFILES = ['42e0', '42c0', '4200', '4d00', '6400']

/**
 * One H.264 format, then H.265 where the browser has it, and retransmission; nothing else, as the relay never re-encodes. Browsers
 * list H.264 eight times over, and each format stands in every one of sixteen m-lines: with one of them an offer is made, read and
 * applied in a fraction of the time. Empty when the browser reports no H.264: its own defaults then apply.
 */
export function codecPreferences<C extends { mimeType: string; sdpFmtpLine?: string }>(codecs: readonly C[]): C[] {
  const is = (name: string) => (codec: C) => codec.mimeType.toLowerCase() === name
  const rank = ({ sdpFmtpLine = '' }: C): number => {
    const profile = H264_PROFILES.indexOf(/profile-level-id=(\w{4})/i.exec(sdpFmtpLine)?.[1]?.toLowerCase() ?? '')
    return (/packetization-mode=1/.test(sdpFmtpLine) ? 0 : 100) + (profile < 0 ? H264_PROFILES.length : profile)
  }
  const [h264] = codecs.filter(is('video/h264')).sort((a, b) => rank(a) - rank(b))
  if (!h264) return []
  return [h264, ...codecs.filter(is('video/h265')), ...codecs.filter(is('video/rtx'))]
}

/** What cameras send and browsers play: nothing else is worth offering. Empty: the browser's own defaults apply. */
export function audioPreferences<C extends { mimeType: string }>(codecs: readonly C[]): C[] {
  return codecs.filter((codec) => /^audio\/(pcm[au]|opus)$/i.test(codec.mimeType))
}

/** Whether this browser plays H.265, as far as it reports. */
export function playsH265(): boolean {
  const codecs = globalThis.RTCRtpReceiver?.getCapabilities?.('video')?.codecs ?? []
  return codecs.some((codec) => codec.mimeType.toLowerCase() === 'video/h265')
}

export class Peer {
  state: PeerState = 'offering'
  viewer: string | null = null
  /** When the hub answered the offer, ms of performance.now(). */
  answeredAt = 0
  epoch: number | null = null
  /** Packets, and answers to the browser's own checks, as of the last `framesDecoded`: it grows as long as the relay is heard. */
  heard = 0
  readonly relay: number
  readonly first: number
  /** The tracks in the order of their m-lines: `tracks[i]` carries tile `first + i`. */
  readonly tracks: MediaStreamTrack[] = []
  readonly audioTrack: MediaStreamTrack | null = null
  private readonly connection: RTCPeerConnection
  private readonly abort = new AbortController()
  private timer: ReturnType<typeof setTimeout> | undefined
  private readonly described: Promise<RTCSessionDescriptionInit>
  private readonly frames = new Map<string, number>()
  private candidates = 0

  /** Called at every change of state. */
  onState: (peer: Peer) => void = () => undefined

  /** Starts to create the offer, which takes a while with many tracks and needs no network: a peer made ahead of time has it ready. */
  constructor(private readonly options: PeerOptions) {
    this.relay = options.relay
    this.first = options.first
    const create = options.createConnection ?? ((configuration) => new RTCPeerConnection(configuration))
    this.connection = create({ iceServers: options.iceServers, bundlePolicy: 'max-bundle' })
    this.connection.onconnectionstatechange = () => this.connectionChanged()
    this.connection.onicecandidate = ({ candidate }) => {
      if (candidate?.candidate) this.candidates += 1
    }
    this.connection.onicegatheringstatechange = () => this.state === 'connecting' && this.lonely() && this.waitToConnect()
    const capabilities = globalThis.RTCRtpReceiver?.getCapabilities?.('video')?.codecs ?? []
    const preferred = codecPreferences(capabilities)
    for (let i = 0; i < options.tracks; i += 1) {
      const transceiver = this.connection.addTransceiver('video', { direction: 'recvonly' })
      if (preferred.length) transceiver.setCodecPreferences(preferred)
      this.tracks.push(transceiver.receiver.track)
    }
    if (options.audio) {
      const transceiver = this.connection.addTransceiver('audio', { direction: 'recvonly' })
      const audible = audioPreferences(globalThis.RTCRtpReceiver?.getCapabilities?.('audio')?.codecs ?? [])
      if (audible.length) transceiver.setCodecPreferences(audible)
      this.audioTrack = transceiver.receiver.track
    }
    this.described = this.connection.createOffer()
    this.described.catch(() => undefined) // `offer` reports it
  }

  /**
   * Sends the offer and applies the answer, without waiting for candidates: the relay is ICE-lite and learns our address from our checks.
   * `connecting` is entered as soon as the hub has answered, so that it chooses streams while the browser applies the answer.
   */
  async offer(): Promise<void> {
    try {
      const offer = await this.described
      this.timer = setTimeout(() => {
        this.abort.abort()
        this.enter('failed')
      }, OFFER_DEADLINE_MS)
      const [result] = await Promise.all([this.options.post(offer.sdp ?? '', this.abort.signal), this.connection.setLocalDescription(offer)])
      if (this.state !== 'offering') return
      clearTimeout(this.timer)
      if (!result.ok) return this.enter('failed')
      this.viewer = result.data.viewer
      this.answeredAt = performance.now()
      this.epoch = result.data.epoch
      this.waitToConnect()
      this.enter('connecting')
      await this.connection.setRemoteDescription({ type: 'answer', sdp: result.data.sdp })
    } catch (problem) {
      clearTimeout(this.timer)
      if (this.state === 'closed') return
      console.warn('peer connection could not be made', problem)
      return this.enter('failed')
    }
    this.connectionChanged()
  }

  /** It is connected by its own word, but nothing is heard of the relay any more. */
  giveUp(): void {
    clearTimeout(this.timer)
    this.enter('failed')
  }

  close(): void {
    clearTimeout(this.timer)
    this.abort.abort()
    this.connection.onconnectionstatechange = null
    this.connection.onicecandidate = null
    this.connection.onicegatheringstatechange = null
    this.connection.close()
    this.state = 'closed'
  }

  /** What the browser has received, per track; null where nothing came yet. */
  async inbound(): Promise<(Inbound | null)[]> {
    const found = new Map<string, Inbound>()
    const report = await this.connection.getStats()
    report.forEach((entry: RTCInboundRtpStreamStats) => {
      if (entry.type !== 'inbound-rtp' || entry.kind !== 'video') return
      found.set(entry.trackIdentifier, {
        at: entry.timestamp / 1_000,
        framesDecoded: entry.framesDecoded ?? 0,
        bufferDelay: entry.jitterBufferDelay ?? 0,
        bufferEmitted: entry.jitterBufferEmittedCount ?? 0,
        freezes: (entry as { freezeCount?: number }).freezeCount ?? 0,
      })
    })
    return this.tracks.map((track) => found.get(track.id) ?? null)
  }

  /** Frames decoded so far, per track. */
  async framesDecoded(): Promise<number[]> {
    const report = await this.connection.getStats()
    let heard = 0
    report.forEach((entry: { type: string; kind?: string; trackIdentifier?: string; framesDecoded?: number; responsesReceived?: number; packetsReceived?: number }) => {
      if (entry.type === 'candidate-pair') heard += entry.responsesReceived ?? 0
      else if (entry.type === 'transport') heard += entry.packetsReceived ?? 0
      if (entry.type === 'inbound-rtp' && entry.kind === 'video' && entry.trackIdentifier) {
        this.frames.set(entry.trackIdentifier, entry.framesDecoded ?? 0)
      }
    })
    this.heard = heard
    return this.tracks.map((track) => this.frames.get(track.id) ?? 0)
  }

  private lonely(): boolean {
    return this.candidates === 0 && this.connection.iceGatheringState === 'complete'
  }

  private waitToConnect(): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.enter('failed'), this.lonely() ? LONELY_DEADLINE_MS : CONNECT_DEADLINE_MS)
  }

  private connectionChanged(): void {
    if (this.state === 'closed' || this.state === 'failed' || this.viewer === null) return
    const said = this.connection.connectionState
    if (said === 'connected') {
      clearTimeout(this.timer)
      this.enter('connected')
    } else if (said === 'failed' || said === 'closed') {
      clearTimeout(this.timer)
      this.enter('failed')
    } else if (said === 'disconnected') {
      clearTimeout(this.timer)
      this.timer = setTimeout(() => this.enter('failed'), DISCONNECTED_PATIENCE_MS)
    }
  }

  private enter(state: PeerState): void {
    if (state === this.state || this.state === 'closed') return
    this.state = state
    this.onState(this)
  }
}
