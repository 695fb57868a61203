/** What a new token opens, in words and addresses that people paste into a decoder. */
import type { components } from '@/api/schema'

type Schemas = components['schemas']

export type Token = Schemas['StreamTokenAnswer']
export type Session = Schemas['StreamSessionAnswer']
export type Made = Schemas['MadeStreamToken']
export type Address = Schemas['StreamAddress']

/** How players outside reach the hub: the RTSP host, and the origin of its pages. */
export interface Reach {
  host: string
  origin: string
}

export interface CameraAddresses {
  rtsp: string | null
  whep: string
}

/** A host as written in a URL: an IPv6 address in brackets, no spaces around it. */
export function urlHost(host: string): string {
  const plain = host.trim().replace(/^\[(.*)\]$/u, '$1')
  return plain.includes(':') ? `[${plain}]` : plain
}

/** `rtsp` null: RTSP out is off, or its port could not be opened. */
export function addressesOf(reach: Reach, address: Address): CameraAddresses {
  return {
    rtsp: address.port === null ? null : `rtsp://${urlHost(reach.host)}:${address.port}${address.path}`,
    whep: reach.origin.trim().replace(/\/+$/u, '') + address.whep,
  }
}

/** Whether only programs on the hub's own machine would reach that host. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[?::1\]?)$/u.test(host.trim())
}

export type TokenState = 'good' | 'expired' | 'revoked'

export function tokenState(token: Token, now: number): TokenState {
  if (token.revoked_at !== null) return 'revoked'
  return token.expires_at !== null && Date.parse(token.expires_at) <= now ? 'expired' : 'good'
}

/** 1536 → "1.5 KB": three figures at most. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}
