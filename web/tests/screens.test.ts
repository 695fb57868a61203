import { describe, expect, it } from 'vitest'
import { gridOn, magnifyingGridOn, playing } from '@/pages/screens/grid'
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

it('gives up the small tile that is shown large before any other', () => {
  expect(playing([1, 2, 3, 2], 3, 3, 1)).toEqual([true, false, true, true])
  expect(playing([1, 2, 3, 2], 4, 3, 1)).toEqual([true, true, true, true])
  expect(playing([1, 2, 3, null], 2, 3, null)).toEqual([true, true, false, false])
})

it.each([
  ['9', 16 / 9, 10],
  ['9', 9 / 16, 10], // upright: over the whole width
  ['1+5', 16 / 9, 6], // its own large tile
  ['1+5', 9 / 16, 6],
  ['36', 16 / 9, 37],
])('%s at %f has room for the tile that is shown large', (layout, ratio, count) => {
  const grid = magnifyingGridOn(layout, ratio)
  const area = (text: string) => {
    const [row, column, bottom, right] = text.split(' / ').map(Number)
    return (bottom! - row!) * (right! - column!)
  }
  const areas = grid.areas.map(area)
  const large = areas.indexOf(Math.max(...areas))
  expect([grid.areas.length, new Set(grid.areas).size, large]).toEqual([count, count, count === 6 ? 0 : count - 1])
  expect(areas.reduce((sum, one) => sum + one)).toBeLessThanOrEqual(grid.rows * grid.columns)
  if (ratio < 1) expect(grid.areas[large]).toBe('1 / 1 / 3 / 3')
})

it('knows a version of the pages by its entry', () => {
  const html = '<link rel="modulepreload" href="/assets/a.js"><script type="module" crossorigin src="/assets/start-Ab1.js"></script>'
  expect(entryOf(html)).toBe('/assets/start-Ab1.js')
  expect(entryOf('<html></html>')).toBeNull()
})
