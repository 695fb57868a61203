import { beforeEach, describe, expect, it } from 'vitest'
import type { Heard, Listen } from '@/api/types'
import { audioPreferences } from '@/wall/peer'
import { Sound } from '@/wall/sound'

const TRACKS: Record<string, MediaStreamTrack> = { v1: { id: 'one' } as MediaStreamTrack, v2: { id: 'two' } as MediaStreamTrack }

let sent: Listen[]
let log: string[]
let refused: [number, string][]
let handlers: Map<string, (message: never) => void>
let sound: Sound

function say(kind: string, message: object): void {
  handlers.get(kind)?.({ type: kind, ...message } as never)
}
function hears(more: Partial<Heard>): void {
  say('heard', { serial: sent.at(-1)!.serial, camera: sent.at(-1)!.camera, viewer: null, reason: null, ...more })
}

beforeEach(() => {
  sent = []
  log = []
  refused = []
  handlers = new Map()
  sound = new Sound({
    socket: {
      want: (message) => void sent.push(message),
      on: (kind: string, handler: (message: never) => void) => {
        handlers.set(kind, handler)
        return () => handlers.delete(kind)
      },
    },
    speaker: { play: (track) => log.push(`play ${track.id}`), silence: () => log.push('silence') },
    track: (viewer) => TRACKS[viewer ?? 'v1'] ?? null,
    onChange: () => undefined,
    onRefused: (camera, reason) => refused.push([camera, reason]),
  })
})

describe('sound', () => {
  it('is off, and nothing is asked for, until somebody switches it on', () => {
    expect([sound.camera, sound.state, sent, log]).toEqual([null, 'off', [], []])
  })

  it('begins to play in the click itself, and moves to the track that the hub names', () => {
    sound.listen(7)
    expect([sent, log, sound.state]).toEqual([[{ type: 'listen', serial: 1, camera: 7 }], ['play one'], 'waiting'])
    hears({ state: 'live', viewer: 'v2' })
    expect([log.at(-1), sound.state]).toEqual(['play two', 'live'])
    sound.listen(null)
    expect([sent.at(-1), log.at(-1), sound.state]).toEqual([{ type: 'listen', serial: 2, camera: null }, 'silence', 'off'])
  })

  it('takes no word about an earlier wish', () => {
    sound.listen(7)
    sound.listen(8)
    hears({ serial: 1, camera: 7, state: 'off', reason: 'audio_none' })
    expect([sound.camera, refused]).toEqual([8, []])
  })

  it('says why it is refused, and is quiet about an end that the page itself has made', () => {
    sound.listen(7)
    hears({ state: 'off', reason: 'audio_none' })
    expect([sound.camera, sound.state, log.at(-1), refused]).toEqual([null, 'off', 'silence', [[7, 'audio_none']]])
    sound.listen(8)
    hears({ state: 'off' })
    expect([sound.camera, refused.length]).toEqual([null, 1])
  })
})

describe('audio codecs', () => {
  it('are what cameras send and browsers play', () => {
    const offered = ['audio/opus', 'audio/red', 'audio/G722', 'audio/PCMU', 'audio/PCMA', 'audio/CN', 'audio/telephone-event']
    expect(audioPreferences(offered.map((mimeType) => ({ mimeType }))).map((one) => one.mimeType)).toEqual(['audio/opus', 'audio/PCMU', 'audio/PCMA'])
  })
})
