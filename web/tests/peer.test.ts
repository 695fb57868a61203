import { describe, expect, it, vi } from 'vitest'
import type { Viewer } from '@/api/types'
import { Peer } from '@/wall/peer'

class FakeConnection {
  log: string[] = []
  connectionState = 'new'
  iceGatheringState = 'new'
  onicecandidate: ((event: { candidate: { candidate: string } | null }) => void) | null = null
  onicegatheringstatechange: (() => void) | null = null
  onconnectionstatechange: (() => void) | null = null
  addTransceiver(): object {
    return { receiver: { track: { id: 'track' } }, setCodecPreferences: () => undefined }
  }
  async createOffer(): Promise<object> {
    this.log.push('created')
    return { type: 'offer', sdp: 'our offer' }
  }
  async setLocalDescription(): Promise<void> {
    this.log.push('local')
  }
  async setRemoteDescription(): Promise<void> {
    this.log.push('remote')
  }
  close(): void {
    this.log.push('closed')
  }
}

function made(answer: Viewer | null = { viewer: 'v1', relay: 0, epoch: 3, sdp: 'their answer', tracks: 2, codecs: ['h264'] }) {
  const connection = new FakeConnection()
  const peer = new Peer({
    relay: 0,
    first: 0,
    tracks: 2,
    iceServers: [],
    post: async (sdp) => {
      connection.log.push(`posted ${sdp}`)
      return answer ? { ok: true, data: answer } : { ok: false, aborted: false, error: { status: 503 } as never }
    },
    createConnection: () => connection as never,
  })
  peer.onState = (changed) => connection.log.push(changed.state)
  return { connection, peer }
}

describe('a peer', () => {
  it('has its offer ready before it is wanted, and touches no network for that', async () => {
    const { connection, peer } = made()
    await Promise.resolve()
    expect(connection.log).toEqual(['created'])
    expect(peer.tracks).toHaveLength(2)
  })

  it('tells that the hub knows it before the browser has read the answer', async () => {
    const { connection, peer } = made()
    await peer.offer()
    expect(connection.log).toEqual(['created', 'posted our offer', 'local', 'connecting', 'remote'])
    expect([peer.viewer, peer.epoch]).toEqual(['v1', 3])
    connection.connectionState = 'connected'
    connection.onconnectionstatechange?.()
    expect(peer.state).toBe('connected')
    peer.close()
  })

  it.each([
    ['has found no address of this computer', [], 3_000],
    ['has found some', ['candidate:1 1 udp 1 10.0.0.2 5000 typ host'], 12_000],
  ])('that %s is given up in time, so that another one looks anew', async (_, found, deadline) => {
    vi.useFakeTimers()
    const { connection, peer } = made()
    await peer.offer()
    for (const candidate of found) connection.onicecandidate?.({ candidate: { candidate } })
    connection.iceGatheringState = 'complete'
    connection.onicecandidate?.({ candidate: null })
    connection.onicegatheringstatechange?.()
    vi.advanceTimersByTime(deadline - 1)
    expect(peer.state).toBe('connecting')
    vi.advanceTimersByTime(1)
    expect(peer.state).toBe('failed')
    vi.useRealTimers()
  })

  it('fails when the hub does not answer it', async () => {
    const { connection, peer } = made(null)
    await peer.offer()
    expect(connection.log.at(-1)).toBe('failed')
    expect(peer.viewer).toBeNull()
  })
})
