import { describe, expect, it } from 'vitest'
import { LAYOUTS, LAYOUT_NAMES, fitted, layoutFor, neighbour, sceneFromQuery, sceneToQuery, tileCount } from '@/wall/layout'

describe('grids', () => {
  it.each(LAYOUT_NAMES)('%s covers every cell of its square exactly once', (name) => {
    const { side, areas } = LAYOUTS[name]
    const cells = areas.flatMap((area) => {
      const [row, column, toRow, toColumn] = area.split(' / ').map(Number) as [number, number, number, number]
      const covered: string[] = []
      for (let r = row; r < toRow; r += 1) for (let c = column; c < toColumn; c += 1) covered.push(`${r},${c}`)
      return covered
    })
    expect(cells.length).toBe(side * side)
    expect(new Set(cells).size).toBe(side * side)
  })

  it('have as many tiles as their names say', () => {
    expect(LAYOUT_NAMES.map(tileCount)).toEqual([1, 4, 9, 16, 25, 36, 6, 8])
  })

  it('choose the smallest even grid that holds a number of cameras', () => {
    expect([0, 1, 2, 4, 5, 9, 10, 16, 17, 26].map(layoutFor)).toEqual(['1', '1', '4', '4', '9', '9', '16', '16', '25', '36'])
  })
})

describe('the scene in the URL', () => {
  it('goes there and comes back', () => {
    const scene = { layout: '4' as const, cameras: [12, 15, null, 7] }
    expect(sceneToQuery(scene)).toEqual({ layout: '4', cams: '12,15,,7' })
    expect(sceneFromQuery(sceneToQuery(scene))).toEqual(scene)
  })

  it('names no cameras when there are none, and drops empty tiles at the end', () => {
    expect(sceneToQuery({ layout: '9', cameras: fitted('9', []) })).toEqual({ layout: '9' })
    expect(sceneToQuery({ layout: '9', cameras: fitted('9', [null, 3]) })).toEqual({ layout: '9', cams: ',3' })
  })

  it('takes a layout whose plus became a blank', () => {
    expect(sceneFromQuery({ layout: '1 5', cams: '1' })?.layout).toBe('1+5')
  })

  it('finds a layout for bare cameras and shows nothing for what is no id', () => {
    expect(sceneFromQuery({ cams: '5,x,-1,0,8' })).toEqual({ layout: '9', cameras: fitted('9', [5, null, null, null, 8]) })
    expect(sceneFromQuery({})).toBeNull()
    expect(sceneFromQuery({ layout: '7' })).toBeNull()
  })
})

describe('arrows', () => {
  it('go to the tile beside, and stay at the edge', () => {
    expect(neighbour('9', 4, 'left')).toBe(3)
    expect(neighbour('9', 4, 'down')).toBe(7)
    expect(neighbour('9', 2, 'right')).toBe(2)
  })

  it('know the large tile', () => {
    expect(neighbour('1+5', 0, 'right')).toBe(1)
    const below = neighbour('1+5', 0, 'down')
    expect(LAYOUTS['1+5'].areas[below]).toBe('3 / 1 / 4 / 2')
    expect(neighbour('1+5', below, 'up')).toBe(0)
  })
})
