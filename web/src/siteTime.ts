/** The site's time zone: every time on a page is told in it, whatever zone the machine in front of the screen is set to. */

export interface ClockParts {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
}

/** Zones that were named, the last one first: those that this browser does not know are left out when the format is made. */
let zones: string[] = []
/** Made when it is first used: the first one of a page takes tens of milliseconds. */
let format: Intl.DateTimeFormat | undefined

function formatOf(timeZone: string | undefined): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
}

/** The hub names its zone (setting site.time_zone). A browser that does not know it keeps its own. */
export function setTimeZone(name: string): void {
  if (name === zones[0]) return
  zones = [name, ...zones]
  format = undefined
}

function siteFormat(): Intl.DateTimeFormat {
  while (!format) {
    const name = zones[0]
    try {
      format = formatOf(name)
      zones.length = Math.min(1, zones.length)
    } catch {
      console.warn(`this browser does not know the time zone ${name}`)
      zones.shift()
    }
  }
  return format
}

/** What clock and calendar at the site say at that moment. */
export function clockParts(at: Date | number): ClockParts {
  const parts: Record<string, number> = {}
  for (const { type, value } of siteFormat().formatToParts(at)) parts[type] = Number(value)
  return parts as unknown as ClockParts
}

/**
 * The moment as if the site's clock were UTC's: for charts, which can only label UTC (`useUTC`). Spans within it are right
 * but for the hour in which a zone's summer time begins or ends.
 */
export function asUtc(at: number): number {
  const { year, month, day, hour, minute, second } = clockParts(at)
  return Date.UTC(year, month - 1, day, hour, minute, second, ((at % 1000) + 1000) % 1000)
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}

/** `2026-11-24` at the site. */
export function dateText(at: Date | number): string {
  const { year, month, day } = clockParts(at)
  return `${year}-${two(month)}-${two(day)}`
}

/** `14:02`, or `14:02:05`, at the site. */
export function timeText(at: Date | number, seconds = false): string {
  const { hour, minute, second } = clockParts(at)
  return `${two(hour)}:${two(minute)}${seconds ? `:${two(second)}` : ''}`
}

/** `2026-11-28T08:30` at the site, as `<input type="datetime-local">` writes it. */
export function inputText(at: Date | number): string {
  return `${dateText(at)}T${timeText(at)}`
}

/** The moment (ms) at which the site's clock shows what such an input holds. An hour that summer time skips counts as the one after it. */
export function momentOfInput(text: string): number {
  const shown = Date.parse(`${text}Z`)
  const first = shown - (asUtc(shown) - shown)
  return shown - (asUtc(first) - first)
}
