import { describe, expect, it } from 'vitest'
import { snapshotName } from '@/pages/wall/snapshot'
import { bounded, zoomed } from '@/pages/wall/useZoom'
import { namesFrom } from '@/pages/setup/names'
import { rangesByName } from '@/pages/villages/pastedRanges'
import { ranked, score } from '@/search/rank'
import { WallKeys } from '@/wall/keys'
import { codecPreferences } from '@/wall/peer'

const key = (name: string, more = {}) => ({ key: name, ctrlKey: false, metaKey: false, altKey: false, ...more })

describe('keys', () => {
  it('pick a tile by its digit', () => {
    expect(new WallKeys().command(key('3'), 4, 0)).toEqual({ do: 'pick', tile: 2 })
    expect(new WallKeys().command(key('5'), 4, 0)).toBeNull()
    expect(new WallKeys().command(key('0'), 4, 0)).toBeNull()
  })

  it('take two quick digits for one tile above nine', () => {
    const keys = new WallKeys()
    expect(keys.command(key('1'), 16, 0)).toEqual({ do: 'pick', tile: 0 })
    expect(keys.command(key('2'), 16, 300)).toEqual({ do: 'pick', tile: 11 })
    expect(keys.command(key('3'), 16, 400)).toEqual({ do: 'pick', tile: 2 })
    keys.command(key('1'), 16, 5_000)
    expect(keys.command(key('2'), 16, 6_000)).toEqual({ do: 'pick', tile: 1 })
  })

  it('leave Space to the tour and every shortcut of the browser alone', () => {
    expect(new WallKeys().command(key(' '), 4, 0)).toBeNull()
    expect(new WallKeys().command(key('f', { ctrlKey: true }), 4, 0)).toBeNull()
    expect(new WallKeys().command(key('Enter'), 4, 0)).toEqual({ do: 'solo' })
    expect(new WallKeys().command(key('Escape'), 4, 0)).toEqual({ do: 'back' })
  })
})

describe('codecs', () => {
  const codec = (mimeType: string, sdpFmtpLine = '') => ({ mimeType, sdpFmtpLine })
  it('are one H.264 with packetization mode 1, then H.265, then retransmission, and nothing else', () => {
    const offered = codecPreferences([
      codec('video/VP8'),
      codec('video/rtx'),
      codec('video/H264', 'packetization-mode=0;profile-level-id=42e01f'),
      codec('video/H265'),
      codec('video/H264', 'packetization-mode=1;profile-level-id=64001f'),
      codec('video/H264', 'packetization-mode=1;profile-level-id=42E01F'),
      codec('video/AV1'),
    ])
    expect(offered.map((one) => one.mimeType)).toEqual(['video/H264', 'video/H265', 'video/rtx'])
    expect(offered[0]!.sdpFmtpLine).toBe('packetization-mode=1;profile-level-id=42E01F')
  })
  it('are the browser’s own where it tells of no H.264', () => {
    expect(codecPreferences([codec('video/VP8'), codec('video/rtx')])).toEqual([])
  })
})

describe('search', () => {
  const village = { id: 1, name: '大王村', pinyin: 'dawangcun', initials: 'dwc' }
  const gate = { id: 1, village_id: 1, name: '门口', pinyin: 'menkou', initials: 'mk' }
  const bridge = { id: 2, village_id: 1, name: '石拱桥', pinyin: 'shigongqiao', initials: 'sgq' }
  const gate2 = { id: 3, village_id: 1, name: '门口2', pinyin: 'menkou2', initials: 'mk2' }
  const of = () => village

  it('finds by name, pinyin, initials, and by village and camera in one go', () => {
    for (const query of ['门口', 'menk', 'mk', 'MK', 'dwcmk', '大王村门口', 'dwc mk', 'dawang 门']) {
      expect(ranked(query, [bridge, gate], of, 9)[0], query).toBe(gate)
    }
    expect(score('xyz', gate, village)).toBeNull()
  })

  it('puts the whole match before the longer one, and the official order where all are equal', () => {
    expect(ranked('mk', [gate2, gate], of, 9).map((camera) => camera.id)).toEqual([1, 3])
    expect(ranked('', [bridge, gate2, gate], of, 2).map((camera) => camera.id)).toEqual([2, 3])
    expect(ranked('dwc', [bridge, gate], of, 9).map((camera) => camera.id)).toEqual([2, 1])
  })
})

describe('pasted village names', () => {
  it('are cleaned of numbers and bullets, and not doubled', () => {
    expect(namesFrom('1. 东岭村\r\n2、西河村\n（3）南塘村\n• 北桥村，东岭村\n4\t三里屯村\n\n')).toEqual(['东岭村', '西河村', '南塘村', '北桥村', '三里屯村'])
  })
  it('do not take the address ranges beside them for villages', () => {
    const pasted = '1\t东沟村\t192.168.1.0/24\n2、李家庄 192.168.2.0/24，192.168.3.20-60\n192.168.9.1\n南塘村\n'
    expect(namesFrom(pasted)).toEqual(['东沟村', '李家庄', '南塘村'])
    expect([...rangesByName(pasted, namesFrom)]).toEqual([
      ['东沟村', ['192.168.1.0/24']], ['李家庄', ['192.168.2.0/24', '192.168.3.20-60', '192.168.9.1']],
    ])
  })
  it('keep a number that belongs to the name', () => {
    expect(namesFrom('1组村\n八一村\n213小区')).toEqual(['1组村', '八一村', '213小区'])
  })
})

describe('a snapshot’s file', () => {
  it('is named by place and time, without signs that file systems refuse', () => {
    expect(snapshotName('大王村', '东门/1:号', new Date(2026, 6, 3, 14, 2, 5))).toBe('大王村_东门-1-号_20260703_140205.jpg')
  })
})

describe('digital zoom', () => {
  it('keeps the point under the pointer where it is', () => {
    const zoom = zoomed({ scale: 1, x: 0, y: 0 }, 2, 0.25, 0.5)
    expect(zoom).toEqual({ scale: 2, x: -0.25, y: -0.5 })
  })
  it('never leaves the picture, and ends whole', () => {
    expect(bounded({ scale: 2, x: 5, y: -5 })).toEqual({ scale: 2, x: 0, y: -1 })
    expect(zoomed({ scale: 2, x: -0.3, y: -0.3 }, 0.1, 0.5, 0.5)).toEqual({ scale: 1, x: 0, y: 0 })
    expect(zoomed({ scale: 7, x: 0, y: 0 }, 9, 0, 0).scale).toBe(8)
  })
})
