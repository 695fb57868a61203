/** The list that a person takes along: what the hub could not set, where, and what to do there. Pure. */
export interface TripRow {
  village: string
  device: string
  host: string
  camera: string
  part: string
  before: string
  after: string
  why: string
  remedy: string
}

export const COLUMNS = ['village', 'device', 'host', 'camera', 'part', 'before', 'after', 'why', 'remedy'] as const satisfies readonly (keyof TripRow)[]

const cell = (text: string): string => text.replace(/[\t\r\n]+/g, ' ')

/** As spreadsheets take it from the clipboard: a line each, tabs between. */
export function tripText(head: readonly string[], rows: readonly TripRow[]): string {
  return [head, ...rows.map((row) => COLUMNS.map((column) => row[column]))].map((line) => line.map(cell).join('\t')).join('\n')
}
