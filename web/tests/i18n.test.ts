import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { remedyText, setLanguage, t } from '@/i18n'
import { messages } from './languages'

type Tree = Record<string, unknown>

function keys(tree: Tree, before = ''): string[] {
  return Object.entries(tree).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null ? keys(value as Tree, `${before}${name}.`) : [`${before}${name}`],
  )
}
function values(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!).sort()
}
function at(tree: Tree, key: string): unknown {
  return key.split('.').reduce<unknown>((node, name) => (node as Tree | undefined)?.[name], tree)
}

describe('what helps', () => {
  it('follows from the codec where the camera does not name one', () => {
    expect(remedyText('codec_unsupported', { codec: 'mjpeg' })).toBe(remedyText('codec_unsupported'))
    expect(remedyText('codec_unsupported', { codec: 'unknown' })).not.toBe(remedyText('codec_unsupported'))
  })
})

describe('languages', () => {
  const zh = keys(messages['zh-CN'])

  it('have the same keys', () => {
    expect(keys(messages.en).sort()).toEqual([...zh].sort())
  })

  it('put in the same values', () => {
    for (const key of zh) {
      const pair = [at(messages['zh-CN'], key), at(messages.en, key)].map((text) => values(String(text)))
      expect(new Set(pair[1]), key).toEqual(new Set(pair[0]))
    }
  })

  it('know every key that a page asks for by name', () => {
    const known = new Set(zh)
    const missing: string[] = []
    const sources = import.meta.glob<string>('../src/**/*.{vue,ts}', { eager: true, query: '?raw', import: 'default' })
    for (const [file, source] of Object.entries(sources)) {
      for (const [, key] of source.matchAll(/\bt\(\s*'([a-z_]+(?:\.[\w]+)+)'/gi)) {
        if (!known.has(key!)) missing.push(`${file}: ${key}`)
      }
    }
    expect(missing).toEqual([])
  })

  it('leave no Chinese colon, bracket or list comma in what every language shows', () => {
    const sources = import.meta.glob<string>('../src/**/*.{vue,ts}', { eager: true, query: '?raw', import: 'default' })
    const found = Object.entries(sources).flatMap(([file, source]) => {
      if (file.includes('/i18n/zh-CN/') || file.endsWith('/setup/names.ts')) return [] // names.ts reads them in pasted lists
      const shown = source.replace(/\/\*[^]*?\*\/|<!--[^]*?-->|^\s*\/\/.*$/gmu, '')
      return [...shown.matchAll(/.*(?:[：（）]|join\('、'\)).*/gu)].map(([line]) => `${file}: ${line.trim()}`)
    })
    expect(found).toEqual([])
  })

  it('count one as one in English', async () => {
    await setLanguage('en')
    const found = [0, 1, 2].map((n) => t('records.findingsN', { n }))
    const open = [1, 2].map((n) => t('due.own.open', { n }))
    const size = [1, 2].map((n) => t('due.size', { n, span: '20 s' }))
    await setLanguage('zh-CN')
    expect(found).toEqual(['0 findings', '1 finding', '2 findings'])
    expect(open).toEqual(['1 camera still to be confirmed', '2 cameras still to be confirmed'])
    expect(size).toEqual(['1 stop, about 20 s', '2 stops, about 20 s'])
  })

  it('name every reason the hub can give', () => {
    const source = readFileSync('../camera_hub/errors.py', 'utf8').split('class Reason')[1]!.split('class HubError')[0]!
    const codes = [...source.matchAll(/^ {4}[A-Z0-9_]+ = "(\w+)"/gm)].map((match) => match[1]!)
    expect(codes.length).toBeGreaterThan(20)
    for (const code of codes) expect(zh).toContain(`reason.${code}`)
  })
})
