/** Every code that the hub or a relay can give has its words in both languages; the codes are read out of the Python sources. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { messages } from './languages'

const HUB = '../camera_hub'
const WITHOUT = new Set(['simulator', 'bench', 'demo', 'web_dist', '__pycache__', 'migrations'])

function sources(folder: string): [string, string][] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry): [string, string][] => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return WITHOUT.has(entry.name) ? [] : sources(path)
    return entry.name.endsWith('.py') ? [[path, readFileSync(path, 'utf8')]] : []
  })
}
const files = sources(HUB)
const text = (part: string): string => files.filter(([path]) => path.includes(part)).map(([, source]) => source).join('\n')

/** All first groups of a pattern, with the files where they stand. */
function codes(pattern: RegExp, part = ''): Map<string, string> {
  const found = new Map<string, string>()
  for (const [path, source] of files) {
    if (!path.includes(part)) continue
    for (const match of source.matchAll(pattern)) for (const code of match.slice(1)) if (code) found.set(code, path)
  }
  return found
}

type Tree = Record<string, unknown>
function has(language: keyof typeof messages, key: string): boolean {
  return typeof key.split('.').reduce<unknown>((node, name) => (node as Tree | undefined)?.[name], messages[language]) === 'string'
}
function wordless(found: Iterable<string>, ...under: string[]): string[] {
  const languages = Object.keys(messages) as (keyof typeof messages)[]
  return [...found].flatMap((code) => languages.filter((language) => !under.some((one) => has(language, `${one}.${code}`))).map((language) => `${language}: ${code}`))
}

describe('words for', () => {
  it('every Reason', () => {
    const found = text('errors.py').split('class Reason')[1]!.split('class HubError')[0]!.matchAll(/^ {4}[A-Z0-9_]+ = "(\w+)"/gm)
    const reasons = [...found].map((match) => match[1]!)
    expect(reasons.length).toBeGreaterThan(35)
    expect(wordless(reasons, 'reason')).toEqual([])
  })

  it('everything that a test of a channel may say', () => {
    const found = [...codes(/"(channel_[a-z_]+)"/g, 'health/notices/').keys()].filter((code) => !['channel_option', 'channel_name_taken', 'channel_of_settings', 'channel_id'].includes(code))
    expect(found.length).toBeGreaterThan(15)
    for (const under of ['channels.failed', 'channels.remedy']) expect(wordless(found, under)).toEqual([])
  })

  it('every kind of error', () => {
    const found = text('errors.py').split('class Kind')[1]!.split('@property')[0]!.matchAll(/^ {4}[A-Z_]+ = "(\w+)"/gm)
    const kinds = [...found].map((match) => match[1]!)
    expect(kinds.length).toBeGreaterThan(10)
    expect(wordless(kinds, 'error')).toEqual([])
  })

  it('every other reason of an error, also where it is chosen between several', () => {
    const found = codes(/\breason=\(?"([a-z]\w+)"(?: if .{1,80}? else "([a-z]\w+)")?/g)
    for (const [code, path] of codes(/\breason=\{\d+: "(\w+)"/g)) found.set(code, path)
    for (const [code, path] of codes(/^ {4}"(password_\w+)": f?"/gm, 'passwords.py')) found.set(code, path)
    for (const state of ['running', 'paused', 'ended']) found.set(`run_${state}`, 'timetable.py')
    found.delete('ptz') // why a patrol waits, no error: words of records.pauseReason
    expect(found.size).toBeGreaterThan(50)
    for (const code of ['bad_range', 'password_short', 'second_instance', 'method_not_allowed']) expect([...found.keys()]).toContain(code)
    expect(wordless(found.keys(), 'reason')).toEqual([])
  })

  it('every end of a page’s viewer', () => {
    const found = codes(/close_all\([^\n]*"([a-z_]+)"/g, 'media')
    for (const [code, path] of codes(/(?:_close_viewer\(\w+, |_close_viewer\(.*?reason: str = |return )"(replaced|closed|reaped|gone|[a-z]+_gone)"/g, 'relay')) found.set(code, path)
    for (const [code, path] of codes(/ViewerEnded\(.*?, "(\w+)"\)/g)) found.set(code, path)
    for (const code of ['replaced', 'signed_out', 'page_gone', 'reaped', 'gone', 'unknown']) expect([...found.keys()]).toContain(code)
    expect(wordless(found.keys(), 'reason')).toEqual([])
  })

  it('every end of a player’s session', () => {
    const listed = text(join('rtsp_server', 'connection.py')).split('class EndReason')[1]!.split(/^class /m)[0]!.matchAll(/^ {4}[A-Z_]+ = "(\w+)"/gm)
    const found = new Map([...listed].map((match) => [match[1]!, 'connection.py']))
    for (const [code, path] of codes(/_end\(\w+, "(\w+)"\)/g, 'rtsp_out')) found.set(code, path)
    for (const code of ['closed', 'timeout', 'codec_changed', 'out_of_scope']) expect([...found.keys()]).toContain(code)
    expect(wordless(found.keys(), 'rtsp.end')).toEqual([])
  })

  it('every end of a run', () => {
    const listed = /end_reason: str \| None = None\s+# ([a-z_ |]+)/.exec(text('timetable.py'))![1]!.split('|').map((code) => code.trim())
    expect(listed).toContain('all_dead')
    for (const code of listed) expect(text('timetable.py')).toContain(`"${code}"`)
    expect(wordless(listed, 'records.end')).toEqual([])
  })

  it('every state, note and kind that the API’s schemas name', () => {
    const literal = (file: string, pattern: RegExp): string[] => [...pattern.exec(text(file))![1]!.matchAll(/"([^"]+)"/g)].map((match) => match[1]!)
    const media = join('schemas', 'media.py')
    expect(wordless(literal(media, /^Note = Literal\[(.*)\]/m), 'wall.note')).toEqual([])
    expect(wordless(literal(media, /^TileState = Literal\[(.*)\]/m), 'wall.phase')).toEqual([])
    const base = join('schemas', 'base.py')
    expect(wordless(literal(base, /^Role = Literal\[(.*)\]/m), 'role')).toEqual([])
    expect(wordless(literal(base, /^PlaceClass = Literal\[([^\]]*)\]/m), 'place')).toEqual([])
    const tours = join('schemas', 'tours.py')
    expect(wordless(literal(tours, /^Confirm = Literal\[(.*)\]/m), 'tours.settings.confirms')).toEqual([])
    expect(wordless(literal(tours, /^Interrupt = Literal\[(.*)\]/m), 'tours.settings.interrupts')).toEqual([])
    expect(wordless(literal(base, /^CameraState = Literal\[(.*)\]/m), 'devices.state')).toEqual([])
    expect(wordless(literal(base, /^Health = Literal\[(.*)\]/m), 'devices.healthWord')).toEqual([])
    expect(wordless(literal(join('schemas', 'health.py'), /level: Literal\[(.*)\]/), 'alarms.level')).toEqual([])
    expect(wordless(literal(join('schemas', 'runs.py'), /outcome: Literal\[(.*)\]/), 'runs.record.outcomes')).toEqual([])
    expect(wordless(literal(join('schemas', 'runs.py'), /^ {4}state: Literal\[(.*)\]$/m), 'runs.state')).toEqual([])
  })
})
