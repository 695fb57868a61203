/** The overlay's figures: while any tile shows them, the hub and the browser are polled every two seconds. */
import { shallowReactive } from 'vue'
import { api } from '@/api/client'
import type { TileFigures } from '@/api/types'
import { rates, type Inbound, type Reading, type TileRates } from '@/wall/figures'
import type { Peer } from '@/wall/peer'
import { engine } from './wallEngine'

const EVERY_MS = 2_000

/** Tiles whose overlay is open, and their figures (null: not read yet). */
export const overlays = shallowReactive(new Map<number, TileRates | null>())
/** The previous reading and the serial it belongs to: counters of two cameras give no rate. */
const last = new Map<number, { serial: number; reading: Reading }>()
let timer: ReturnType<typeof setTimeout> | undefined
let asking = false

export function toggleFigures(index: number): void {
  if (!overlays.delete(index)) overlays.set(index, null)
  last.delete(index)
  if (!asking) void read()
}

async function read(): Promise<void> {
  clearTimeout(timer)
  asking = true
  const peers = new Map<Peer, number[]>()
  for (const index of overlays.keys()) {
    const peer = engine.value?.carrier(index)
    if (peer) peers.set(peer, [...(peers.get(peer) ?? []), index])
  }
  await Promise.all([...peers].map(([peer, indexes]) => readOf(peer, indexes)))
  asking = false
  if (overlays.size) timer = setTimeout(() => void read(), EVERY_MS)
}

async function readOf(peer: Peer, indexes: number[]): Promise<void> {
  if (peer.viewer === null) return
  const [answer, inbound] = await Promise.all([
    api.get('/api/viewers/{viewer}/figures', { path: { viewer: peer.viewer } }),
    peer.inbound().catch(() => [] as (Inbound | null)[]),
  ])
  const told: TileFigures[] = answer.ok ? answer.data : []
  for (const index of indexes) {
    if (!overlays.has(index)) continue
    const reading: Reading = { hub: told.find((one) => one.track === index) ?? null, browser: inbound[index - peer.first] ?? null }
    const serial = engine.value?.tile(index).serial ?? 0
    const before = last.get(index)
    overlays.set(index, rates(before?.serial === serial ? before.reading : null, reading))
    last.set(index, { serial, reading })
  }
}
