import { withoutRanges } from '../devices/ranges'

/** Village names as people paste them: one a line, or with commas; numbered lists, tabs and address ranges from a sheet are cleaned; doubles go. Pure. */
export function namesFrom(text: string): string[] {
  const names = withoutRanges(text)
    .split(/[\n\r\t,，、;；]+/)
    .map((name) => name.replace(/^\s*(?:\(?\d{1,3}[.)．、:：]|（\d{1,3}）|[-*•·])\s*/, '').trim())
    .filter((name) => name && !/^\d+$/.test(name))
  return [...new Set(names)]
}
