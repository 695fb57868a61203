/** What a new token opens, in words and addresses that people paste into a decoder. */
import type { components } from '@/api/schema'

type Schemas = components['schemas']

export type Token = Schemas['StreamTokenAnswer']
export type Session = Schemas['StreamSessionAnswer']
export type Made = Schemas['MadeStreamToken']
export type Address = Schemas['StreamAddress']

/** A host as written in a URL: an IPv6 address in brackets, no spaces around it. */
export function urlHost(host: string): string {
  const plain = host.trim().replace(/^\[(.*)\]$/u, '$1')
  return plain.includes(':') ? `[${plain}]` : plain
}

export function addressText(host: string, address: Address): string {
  return `rtsp://${urlHost(host)}:${address.port ?? 8554}${address.path}`
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
