import { describe, expect, it } from 'vitest'
import { gridOn, playing, turningCamera } from '@/pages/screens/grid'
import { entryOf } from '@/pages/screens/kiosk/machine'

describe('how tiles lie on a screen', () => {
  it.each([
    ['9', 16 / 9, 3, 3],
    ['9', 9 / 16, 5, 2], // upright, two columns make the pictures larger than three
    ['4', 9 / 16, 4, 1],
    ['16', 9 / 16, 8, 2],
    ['1', 9 / 16, 1, 1],
    ['3x4', 16 / 9, 3, 4],
    ['1+5', 9 / 16, 5, 2], // the large one over the whole width
  ])('%s at %f', (layout, ratio, rows, columns) => {
    const grid = gridOn(layout, ratio)
    expect([grid.rows, grid.columns]).toEqual([rows, columns])
    expect(new Set(grid.areas).size).toBe(grid.areas.length)
  })
})

it('plays the first cameras that the machine can manage', () => {
  expect(playing([1, null, 2, 3], 2)).toEqual([true, false, true, false])
  expect(playing([1, 2], 9)).toEqual([true, true])
})

it('turns by the time of the hub, past what cannot be shown', () => {
  const well = { state: 'approved', fault: null }
  const members = [{ id: 1, ...well }, { id: 2, state: 'approved', fault: 'frozen' }, { id: 3, ...well }]
  const at = (seconds: number) => turningCamera(members, 10, seconds * 1_000)?.id
  expect([at(0), at(9.9), at(10), at(20)]).toEqual([1, 1, 3, 1])
  expect(turningCamera([members[1]!], 10, 0)?.id).toBe(2) // with its word, rather than black
  expect(turningCamera([], 10, 0)).toBeNull()
})

it('knows a version of the pages by its entry', () => {
  const html = '<link rel="modulepreload" href="/assets/a.js"><script type="module" crossorigin src="/assets/start-Ab1.js"></script>'
  expect(entryOf(html)).toBe('/assets/start-Ab1.js')
  expect(entryOf('<html></html>')).toBeNull()
})
