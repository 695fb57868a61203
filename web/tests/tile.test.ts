import { describe, expect, it } from 'vitest'
import { noteOf, pictureFault, stateText } from '@/pages/wall/describe'
import type { TileMessage } from '@/api/types'
import { KEYS_STALL_MS, STALL_MS, withConnection, emptyTile, withFrame, phaseOf, pictureOf, withStill, qualityFor, withMessage, requested, type Tile } from '@/wall/tile'

function message(tile: Tile, state: TileMessage['state'], more: Partial<TileMessage> = {}): TileMessage {
  return { type: 'tile', viewer: 'v', track: tile.index, serial: tile.serial, camera: tile.camera, state, reason: null, detail: '', since: null, stream: null, codec: null, ...more }
}
const standing = (): Tile => withConnection(emptyTile(0), true)
const asked = (): Tile => requested(standing(), 7, 'auto', 0)
const live = (): Tile => withFrame(withMessage(asked(), message(asked(), 'live'), 100), { receivedAt: 150 }, 150)

describe('a tile', () => {
  it('is live only when the hub says so and a frame was seen', () => {
    const tile = withMessage(asked(), message(asked(), 'live', { stream: 'sub' }), 100)
    expect(phaseOf(tile, 110)).toBe('connecting')
    expect(phaseOf(withFrame(tile, { receivedAt: 150 }, 151), 160)).toBe('live')
    expect(tile.stream).toBe('sub')
  })

  it('never takes a frame of the camera before for one of its own', () => {
    const switched = requested(live(), 8, 'auto', 1_000)
    expect(withFrame(switched, { receivedAt: 1_010 }, 1_010).frameAt).toBeNull()
    const answered = withMessage(switched, message(switched, 'live'), 1_050)
    expect(withFrame(answered, { receivedAt: 1_040 }, 1_060).frameAt).toBeNull()
    expect(withFrame(answered, { receivedAt: 1_055 }, 1_070).frameAt).toBe(1_070)
    expect(pictureOf(switched, 1_010)).toBe('none')
  })

  it('says that it shows key-frame pictures, and that they are old after three intervals', () => {
    const tile = withMessage(asked(), message(asked(), 'pictures', { picture: 1, reason: 'no_h264' }), 100)
    expect(phaseOf(tile, 110)).toBe('connecting')
    const one = withStill(tile, 150)
    expect(phaseOf(one, 30_150)).toBe('pictures')
    const more = withStill(withMessage(one, message(one, 'pictures', { picture: 2, interval: 2 }), 2_100), 2_150)
    expect([phaseOf(more, 8_150), pictureOf(more, 8_150)]).toEqual(['pictures', 'moving'])
    expect([phaseOf(more, 8_151), pictureOf(more, 8_151)]).toEqual(['stalled', 'old'])
    expect(phaseOf(withConnection(more, false), 3_000)).toBe('pictures')
    expect(withFrame(more, { receivedAt: 3_000 }, 3_000)).toBe(more)
    const video = withMessage(more, message(more, 'live'), 3_000)
    expect(phaseOf(video, 3_100)).toBe('connecting')
    expect(phaseOf(withFrame(video, { receivedAt: 3_100 }, 3_100), 3_200)).toBe('live')
    expect(phaseOf(withFrame(video, { receivedAt: 3_100 }, 3_100), 3_101 + STALL_MS)).toBe('stalled')
  })

  it('knows its own frames by the RTP timestamp that the hub names, however late the old ones come', () => {
    const switched = requested(live(), 8, 'auto', 1_000)
    const answered = withMessage(switched, message(switched, 'live', { first_rtp: 10 }), 1_050)
    expect(withFrame(answered, { receivedAt: 1_060, rtp: 9 }, 1_060).frameAt).toBeNull()
    expect(withFrame(answered, { receivedAt: 1_060, rtp: 0xffff_ff00 }, 1_060).frameAt).toBeNull()
    expect(withFrame(answered, { receivedAt: 1_040, rtp: 10 }, 1_060).frameAt).toBe(1_060)
    const wrapping = withMessage(switched, message(switched, 'live', { first_rtp: 0xffff_ff00 }), 1_050)
    expect(withFrame(wrapping, { receivedAt: 1_040, rtp: 10 }, 1_060).frameAt).toBe(1_060)
  })

  it('ignores what is said about an older serial or another camera', () => {
    const tile = requested(asked(), 9, 'auto', 10)
    expect(withMessage(tile, message(asked(), 'failed'), 20)).toBe(tile)
    expect(withMessage(tile, { ...message(tile, 'failed'), camera: 1 }, 20)).toBe(tile)
  })

  it('says a stall when no new frame comes, and shows the old picture as old', () => {
    const tile = live()
    expect(phaseOf(tile, 150 + STALL_MS)).toBe('live')
    expect(phaseOf(tile, 151 + STALL_MS)).toBe('stalled')
    expect(pictureOf(tile, 151 + STALL_MS)).toBe('old')
  })

  it('says that a tile waits for room, and what is shown where the main stream has none', () => {
    const queued = withMessage(live(), message(live(), 'refused', { reason: 'busy' }), 200)
    expect(phaseOf(queued, 210)).toBe('refused')
    expect(stateText(queued, 'refused', 210)).toBe('服务器繁忙，正在排队，有空余时自动显示')
    const busy = withMessage(live(), message(live(), 'refused', { reason: 'busy', retry_at: '2026-01-01T00:00:10Z' }), 200)
    expect(stateText(busy, 'refused', 210)).toBe('服务繁忙，请稍候')
    const lowered = withMessage(live(), message(live(), 'live', { stream: 'sub', note: 'busy_sub' }), 200)
    expect(stateText(lowered, 'live', 210)).toBe('服务器繁忙，已切换子码流')
  })

  it('says what the hub does about a poor link, and waits longer where key frames alone come', () => {
    const busy = withMessage(live(), message(live(), 'refused', { reason: 'busy', retry_at: '2026-01-01T00:00:10Z' }), 200)
    expect(stateText(busy, 'refused', 210)).toBe('服务繁忙，请稍候')
    const lowered = withMessage(live(), message(live(), 'live', { stream: 'sub', note: 'link_sub' }), 200)
    expect(noteOf(lowered, phaseOf(lowered, 210))).toBe('link_sub')
    expect(stateText(lowered, 'live', 210)).toBe('网络较差，已切换子码流')
    expect(phaseOf(lowered, 151 + STALL_MS)).toBe('stalled')
    const keys = withMessage(live(), message(live(), 'live', { note: 'link_keys' }), 200)
    expect(phaseOf(keys, 151 + STALL_MS)).toBe('live')
    expect(phaseOf(keys, 151 + KEYS_STALL_MS)).toBe('stalled')
    expect(noteOf(keys, 'stalled')).toBeNull()
    expect(withMessage(keys, message(keys, 'live'), 300).note).toBeNull()
  })

  it('says a stall when the hub is live and not even a first frame comes', () => {
    const tile = withMessage(asked(), message(asked(), 'live'), 100)
    expect(phaseOf(tile, 101 + STALL_MS)).toBe('stalled')
  })

  it('keeps its last picture and says why when the camera fails', () => {
    const tile = withMessage(live(), message(live(), 'failed', { reason: 'unreachable', since: '2026-01-01T00:00:00Z' }), 9_000)
    expect(phaseOf(tile, 9_000)).toBe('failed')
    expect(pictureOf(tile, 9_000)).toBe('old')
    expect(tile.since).toBe(Date.UTC(2026, 0, 1))
  })

  it('reconnects with its last picture when the peer connection breaks', () => {
    const tile = withConnection(live(), false)
    expect(phaseOf(tile, 200)).toBe('live')
    expect(phaseOf(tile, 200 + STALL_MS)).toBe('reconnecting')
    expect(pictureOf(tile, 200 + STALL_MS)).toBe('old')
  })

  it('keeps the picture when only the quality changes', () => {
    const tile = requested(live(), 7, 'main', 200)
    expect(tile.serial).toBe(live().serial + 1)
    expect(pictureOf(tile, 200)).toBe('moving')
    expect(phaseOf(tile, 200)).toBe('live')
  })

  it('asks for the main stream of a large picture once its tile stream is seen, or is known not to come', () => {
    expect(qualityFor(standing(), 7, true)).toBe('auto')
    expect(qualityFor(asked(), 7, true)).toBe('auto')
    expect(qualityFor(live(), 7, true)).toBe('main')
    expect(qualityFor(live(), 7, false)).toBe('auto')
    expect(qualityFor(live(), 8, true)).toBe('auto')
    expect(qualityFor(withMessage(asked(), message(asked(), 'failed'), 1), 7, true)).toBe('main')
    const sharp = requested(live(), 7, 'main', 200)
    expect(qualityFor(withMessage(sharp, message(sharp, 'waiting'), 300), 7, true)).toBe('main')
  })

  it('is empty without a camera', () => {
    expect(phaseOf(requested(live(), null, 'auto', 300), 300)).toBe('empty')
  })
})

describe('a picture that plays and is yet none', () => {
  it('is called by what the rounds found: a frozen or black picture is not live', () => {
    expect(pictureFault('live', { health: 'fault', cause: 'frozen' })).toBe('frozen')
    expect(pictureFault('live', { health: 'fault', cause: 'black' })).toBe('black')
  })
  it('is left alone where the tile knows better, or the fault is none of the picture', () => {
    expect(pictureFault('failed', { health: 'fault', cause: 'frozen' })).toBeNull()
    expect(pictureFault('live', { health: 'ok', cause: null })).toBeNull()
    expect(pictureFault('live', { health: 'fault', cause: 'clock_wrong' })).toBeNull()
    expect(pictureFault('live', undefined)).toBeNull()
  })
})
