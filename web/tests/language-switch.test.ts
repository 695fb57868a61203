/** The user's own switch of language, in a page whose words are gone. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Language } from '@/i18n'
import type * as Words from '@/i18n/words'

const reload = vi.fn<() => void>()
const asked = vi.fn<() => Promise<{ ok: boolean }>>()
let switchLanguage: (language: Language) => Promise<void>

beforeEach(async () => {
  vi.resetModules()
  localStorage.clear()
  reload.mockReset()
  asked.mockReset().mockResolvedValue({ ok: true })
  vi.stubGlobal('fetch', asked)
  vi.spyOn(location, 'reload').mockImplementation(reload)
  const words = await vi.importActual<typeof Words>('@/i18n/words')
  const gone = new TypeError('Failed to fetch dynamically imported module')
  vi.doMock('@/i18n/words', () => ({ ...words, wordsOf: (language: Language) => (language === 'en' ? Promise.reject(gone) : words.wordsOf(language)) }))
  ;({ switchLanguage } = await import('@/i18n'))
})
afterEach(() => {
  vi.doUnmock('@/i18n/words')
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

describe('a switch of language', () => {
  it('loads no page anew while its words are there', async () => {
    await switchLanguage('zh-CN')
    expect(localStorage.getItem('language')).toBe('zh-CN')
    expect(reload).not.toHaveBeenCalled()
  })

  it('loads the page anew in that language when a newer hub no longer has its words', async () => {
    await switchLanguage('en')
    expect(localStorage.getItem('language')).toBe('en')
    expect(reload).toHaveBeenCalledOnce()
  })

  it.each([
    ['does not answer', () => Promise.reject(new TypeError('Failed to fetch'))],
    ['is being started', () => Promise.resolve({ ok: false })],
  ])('is refused, and the page kept, when the hub %s', async (_, answer) => {
    asked.mockImplementation(answer)
    await expect(switchLanguage('en')).rejects.toThrow('Failed to fetch')
    expect(localStorage.getItem('language')).toBeNull()
    expect(reload).not.toHaveBeenCalled()
  })
})
