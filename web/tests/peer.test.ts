import { describe, expect, it } from 'vitest'
import type { Viewer } from '@/api/types'
import { Peer } from '@/wall/peer'

class FakeConnection {
  log: string[] = []
  connectionState = 'new'
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

  it('fails when the hub does not answer it', async () => {
    const { connection, peer } = made(null)
    await peer.offer()
    expect(connection.log.at(-1)).toBe('failed')
    expect(peer.viewer).toBeNull()
  })
})
