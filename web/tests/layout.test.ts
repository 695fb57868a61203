import { describe, expect, it } from 'vitest'
import { LAYOUT_NAMES, evenLayout, gridOf, isLayout, layoutFor, neighbour, tileCount, withMagnifier } from '@/wall/layout'

describe('grids', () => {
  it.each([...LAYOUT_NAMES, '3x4', '6x2', '2x8', '1x36', '36x1'])('%s covers every cell exactly once', (name) => {
    const { rows, columns, areas } = gridOf(name)
    const cells = areas.flatMap((area) => {
      const [row, column, toRow, toColumn] = area.split(' / ').map(Number) as [number, number, number, number]
      const covered: string[] = []
      for (let r = row; r < toRow; r += 1) for (let c = column; c < toColumn; c += 1) covered.push(`${r},${c}`)
      return covered
    })
    expect(cells.length).toBe(rows * columns)
    expect(new Set(cells).size).toBe(rows * columns)
  })

  it('have as many tiles as their names say', () => {
    expect(LAYOUT_NAMES.map((name) => [name, tileCount(name)])).toEqual([['1', 1], ['4', 4], ['9', 9], ['16', 16], ['25', 25], ['36', 36], ['1+5', 6], ['1+7', 8], ['1+8', 9], ['1+12', 13]])
    expect(['3x4', '6x2', '2x8', '1x36'].map(tileCount)).toEqual([12, 12, 16, 36])
    expect(gridOf('2x8')).toMatchObject({ rows: 2, columns: 8, large: false })
  })

  it('are rows × columns up to 36 tiles, and nothing else', () => {
    for (const wrong of ['', '0x4', '6x7', '37x1', '03x4', '3X4', '3x4x1', '1+6', '2', 'constructor', 7, null]) expect(isLayout(wrong)).toBe(false)
    expect(gridOf('6x7').areas).toHaveLength(1)
    expect([evenLayout(4, 4), evenLayout(3, 4), evenLayout(1, 1)]).toEqual(['16', '3x4', '1'])
  })

  it('choose the smallest even grid that holds a number of cameras', () => {
    expect([0, 1, 2, 4, 5, 9, 10, 16, 17, 26].map(layoutFor)).toEqual(['1', '1', '4', '4', '9', '9', '16', '16', '25', '36'])
  })
})

describe('an even grid that magnifies', () => {
  it.each([['4', 5], ['9', 9], ['16', 16], ['3x4', 12], ['6x2', 12], ['36', 36], ['2x8', 16]])('%s keeps its tiles beside one large one', (name, least) => {
    const plain = gridOf(name)
    const { rows, columns, areas } = withMagnifier(plain)
    const cells = areas.flatMap((area) => {
      const [row, column, toRow, toColumn] = area.split(' / ').map(Number) as [number, number, number, number]
      return Array.from({ length: (toRow - row) * (toColumn - column) }, (_, n) => `${row + (n % (toRow - row))},${column + Math.floor(n / (toRow - row))}`)
    })
    expect(areas).toHaveLength(plain.areas.length + 1)
    expect(new Set(cells).size).toBe(cells.length)
    const large = cells.length - plain.areas.length
    expect(large / (rows * columns)).toBeGreaterThan(0.25)
    expect(large / (rows * columns)).toBeLessThan(0.75)
    expect(rows * columns - large).toBeLessThanOrEqual(least + 4)
  })
})

describe('arrows', () => {
  it('go to the tile beside, and stay at the edge', () => {
    expect(neighbour(gridOf('9'), 4, 'left')).toBe(3)
    expect(neighbour(gridOf('9'), 4, 'down')).toBe(7)
    expect(neighbour(gridOf('9'), 2, 'right')).toBe(2)
  })

  it('know the large tile', () => {
    expect(neighbour(gridOf('1+5'), 0, 'right')).toBe(1)
    const below = neighbour(gridOf('1+5'), 0, 'down')
    expect(gridOf('1+5').areas[below]).toBe('3 / 1 / 4 / 2')
    expect(neighbour(gridOf('1+5'), below, 'up')).toBe(0)
  })
})
