import { withoutRanges } from '../devices/ranges'

/** What a pasted list of village names becomes, line by line, before anything is sent. */

export type Verdict = 'new' | 'exists' | 'twice' | 'too_long'

export interface PastedName {
  name: string
  verdict: Verdict
}

const LONGEST = 64
// "1." "(3)" "（十二）" "①" in front of a name: lists are pasted out of documents.
const NUMBERING = /^(?:[(\uFF08]?(?:\d{1,3}|[一二三四五六七八九十]{1,3})[)\uFF09]|\d{1,3}[.\uFF0E]|[①-⑳])\s*/u

/** Names in the order of the text; empty lines vanish, every other line keeps a verdict. */
export function parsePasted(text: string, existing: Iterable<string>): PastedName[] {
  const known = new Set(existing)
  const seen = new Set<string>()
  const result: PastedName[] = []
  const lines = withoutRanges(text).replace(/^\s*(?:\d{1,3}|[一二三四五六七八九十]{1,3})\u3001/gmu, '')
  for (const piece of lines.split(/[\r\n\t,;\uFF0C\uFF1B\u3001]+/u)) {
    const name = piece.trim().replace(NUMBERING, '').replace(/\s+/gu, ' ').trim()
    if (name === '') continue
    let verdict: Verdict = 'new'
    if ([...name].length > LONGEST) verdict = 'too_long'
    else if (seen.has(name)) verdict = 'twice'
    else if (known.has(name)) verdict = 'exists'
    seen.add(name)
    result.push({ name, verdict })
  }
  return result
}
