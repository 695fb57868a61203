/** Address ranges as typed. Only the shape is judged here; the hub decides and says why it refuses one. */

const OCTET = '(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)'
const ADDRESS = `${OCTET}(?:\\.${OCTET}){3}`
const SHAPE = new RegExp(`^${ADDRESS}(?:/(?:3[0-2]|[12]?\\d)|\\s*[-–—~]\\s*(?:${ADDRESS}|${OCTET}))?$`, 'u')

/** One range per line; commas and semicolons, Chinese ones too, divide as well. Duplicates vanish. */
export function splitRanges(text: string): string[] {
  const pieces = text.split(/[\r\n,;\uFF0C\uFF1B\u3001]+/u).map((piece) => piece.trim())
  return [...new Set(pieces.filter((piece) => piece !== ''))]
}

export function looksLikeRange(text: string): boolean {
  return SHAPE.test(text)
}

const WITHIN = new RegExp(`(?<![\\d.])${ADDRESS}(?:/(?:3[0-2]|[12]?\\d)|\\s*[-–—~]\\s*(?:${ADDRESS}|${OCTET}))?(?![\\d./])`, 'gu')

/** The ranges within a text, and the text with a tab in place of each. */
export function rangesIn(text: string): string[] {
  return text.match(WITHIN) ?? []
}
export function withoutRanges(text: string): string {
  return text.replace(WITHIN, '\t')
}
