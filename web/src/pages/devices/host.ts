/** "192.168.1.20", "192.168.1.20:8000", "nvr.village", "[fe80::1]:80" → host and port; null where it is neither. */
export function splitHost(text: string): { host: string; port: number | null } | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?))(?:[:\uFF1A](\d{1,5}))?$/u.exec(text.trim())
  if (!match) return null
  const host = match[1] ?? match[2] ?? ''
  const port = match[3] === undefined ? null : Number(match[3])
  if (port !== null && (port < 1 || port > 65535)) return null
  if (/^[\d.]+$/u.test(host) && !/^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.|$)){4}$/u.test(host)) return null
  return { host, port }
}

export function isStreamUrl(text: string): boolean {
  return /^rtsps?:\/\/[^\s\\]+$/iu.test(text.trim())
}

/** A port as it is typed: null where nothing is, undefined where it is none. */
export function portOf(text: string): number | null | undefined {
  const typed = text.trim()
  if (!typed) return null
  const port = /^\d{1,5}$/u.test(typed) ? Number(typed) : 0
  return port >= 1 && port <= 65535 ? port : undefined
}
