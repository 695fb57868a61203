import { describe, expect, it } from 'vitest'
import type { Camera, Village } from '@/api/types'
import { pointOf } from '@/pages/map/compass'
import { ordered, percentOf, rowsOf, sorted, worstFirst } from '@/pages/map/coverageRows'
import { added, closed, draftOf, inserted, middles, MOST_POINTS, movedPoint, newDraft, problemOf, removed, undone } from '@/pages/map/draft'
import { filtered, isFiltered, NO_FILTERS, toggled } from '@/pages/map/filters'
import { area, bearing, boxOf, crossesItself, distance, extent, fitted, hull, inside, metresPerPixel, moved, offset, roomy, roundBelow, scaleBar, sector, turn, within, withoutStray, worldPixel, type LngLat } from '@/pages/map/geo'
import type { CoverageRow, KeyPlace, PlaceCoverage } from '@/pages/map/mapApi'
import { countsOf, levelOf, MarkGrid, roomFor, shapeOf, spread } from '@/pages/map/marks'
import { pictureProblem } from '@/pages/map/pictureFile'
import { camera, village } from '../components/hub'

const HOME: LngLat = [117.25, 31.8]
const at = (east: number, north: number): LngLat => moved(HOME, east, north)

describe('geometry of the township', () => {
  it('measures in metres', () => {
    expect(distance(HOME, at(300, 400))).toBeCloseTo(500, 0)
    const [east, north] = offset(HOME, at(-120, 45))
    expect(east).toBeCloseTo(-120, 1)
    expect(north).toBeCloseTo(45, 1)
    expect([[0, 10], [10, 0], [0, -10], [-10, 0], [-5, 5]].map(([e, n]) => Math.round(bearing(HOME, at(e!, n!))))).toEqual([0, 90, 180, 270, 315])
    expect([turn(350, 10), turn(10, 350), turn(0, 180), turn(90, 90)]).toEqual([20, 20, 180, 0])
    expect(extent('line', [at(0, 0), at(100, 0), at(100, 50)])).toBeCloseTo(150, 0)
    expect(extent('area', [at(0, 0), at(100, 0), at(100, 50), at(0, 50)])).toBeCloseTo(5_000, -1)
    expect(extent('area', [at(0, 0), at(1, 1)]) + extent('point', [HOME])).toBe(0)
  })
  it('finds the hull, whatever the points are', () => {
    const square = [at(0, 0), at(100, 0), at(100, 100), at(0, 100)]
    const found = hull([...square, at(50, 50), at(20, 30), at(0, 0)])
    expect(found).toHaveLength(4)
    for (const corner of square) expect(found).toContainEqual(corner)
    expect(hull([HOME, HOME])).toHaveLength(1)
    expect(hull([[0, 0], [1, 1], [2, 2], [3, 3]])).toEqual([[0, 0], [3, 3]]) // on one line
    expect(hull([])).toEqual([])
  })
  it('draws a village around its cameras, also around one or two', () => {
    for (const points of [[HOME], [HOME, at(200, 0)], [HOME, at(200, 0), at(0, 200), at(90, 90)]]) {
      const outline = area(points, 70)
      for (const point of points) {
        expect(inside(outline, point)).toBe(true)
        expect(inside(outline, moved(point, 0, 60)) || points.length > 1).toBe(true)
      }
      expect(inside(outline, at(-500, 0))).toBe(false)
    }
  })
  it('leaves out what lies in another county', () => {
    const own = Array.from({ length: 9 }, (_, i) => at(i * 40, (i * 70) % 300))
    expect(withoutStray([...own, [0, 0], [31.8, 117.25]])).toEqual(own)
    expect(withoutStray(own.slice(0, 3))).toHaveLength(3)
  })
  it('knows boxes', () => {
    const box = boxOf([at(0, 0), at(100, 200)])!
    expect(within(box, at(50, 50)) && !within(box, at(150, 50))).toBe(true)
    expect(boxOf([])).toBeNull()
    const wide = roomy(boxOf([HOME])!, 600, 0)
    expect(distance([wide.west, wide.south], [wide.east, wide.south])).toBeCloseTo(600, 0)
    const laid = fitted(wide, 2000, 1000)
    const [width, height] = offset([laid.west, laid.south], [laid.east, laid.north])
    expect(width / height).toBeCloseTo(2, 2)
    expect(width).toBeCloseTo(600, 0)
  })
  it('sees when an edge crosses itself', () => {
    expect(crossesItself([at(0, 0), at(100, 100), at(100, 0), at(0, 100)])).toBe(true)
    expect(crossesItself([at(0, 0), at(100, 0), at(100, 100), at(0, 100)])).toBe(false)
    expect(crossesItself([at(0, 0), at(100, 0), at(50, 90)])).toBe(false)
  })
  it('turns a direction into what a camera sees', () => {
    const east = sector(HOME, 90, 60, 100)
    expect(east[0]).toBe(HOME)
    expect(inside(east, at(80, 0)) && !inside(east, at(-10, 0)) && !inside(east, at(0, 80)) && !inside(east, at(120, 0))).toBe(true)
    expect(inside(sector(HOME, 350, 60, 100), at(10, 60))).toBe(true) // over north
    expect(inside(sector(HOME, 0, 360, 100), at(0, -90))).toBe(true)
    expect([0, 44, 46, 359, -90, 725].map(pointOf)).toEqual(['n', 'ne', 'ne', 'n', 'w', 'n'])
  })
  it('projects as web maps do, and tells the scale', () => {
    expect(worldPixel([0, 0], 0)).toEqual([128, 128])
    expect(worldPixel([180, 85.0511287798], 1).map(Math.round)).toEqual([512, 0])
    const [x] = worldPixel(HOME, 16)
    const [further] = worldPixel(at(100, 0), 16)
    expect((further - x) * metresPerPixel(HOME[1], 16)).toBeCloseTo(100, 0)
    expect([1, 1.9, 2, 49, 50, 999, 0.3].map(roundBelow)).toEqual([1, 1, 2, 20, 50, 500, 0.2])
    expect(scaleBar(1)).toEqual({ metres: 100, pixels: 100 })
  })
})

const live = [{ aspect: 'media', state: 'ok', cause: null, since: '' }] as Camera['states']

describe('marks', () => {
  it('tell by shape what is wrong', () => {
    expect(shapeOf(camera(1))).toBe('live')
    expect(shapeOf(camera(1, { health: 'fault', states: live }))).toBe('degraded') // it sends, its picture is wrong
    expect(shapeOf(camera(1, { health: 'fault' }))).toBe('lost')
    expect(shapeOf(camera(1, { health: 'unknown' }))).toBe('waiting')
    expect(shapeOf(camera(1, { state: 'waiting', health: 'fault' }))).toBe('waiting')
    expect(shapeOf(camera(1), { down_since: '2026-01-01T00:00:00Z' })).toBe('lost')
    expect(shapeOf(undefined)).toBe('waiting')
  })
  it('sum up a village', () => {
    expect(countsOf(['live', 'lost', 'degraded', 'waiting'], false)).toEqual({ ok: 1, fault: 2, total: 4, shape: 'degraded' })
    expect(countsOf(['lost', 'lost'], false).shape).toBe('lost')
    expect(countsOf(['live'], true).shape).toBe('lost')
    expect(countsOf(['live', 'waiting'], false).shape).toBe('live')
    expect(countsOf([], false)).toEqual({ ok: 0, fault: 0, total: 0, shape: 'waiting' })
  })
  it('step aside where several stand on one pole', () => {
    const pole = Array.from({ length: 20 }, (_, id) => ({ id, x: 100, y: 100 }))
    const alone = { id: 99, x: 300, y: 300 }
    const placed = spread([...pole, alone], 4, 20)
    expect(placed).toHaveLength(21)
    expect(placed.find((one) => one.id === 99)).toEqual({ ...alone, from: null })
    const ring = placed.filter((one) => one.id !== 99)
    expect(ring.every((one) => one.from?.x === 100)).toBe(true)
    for (const a of ring) for (const b of ring) if (a.id !== b.id) expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThan(12)
    expect(spread([...pole].reverse(), 4, 20)).toEqual(spread(pole, 4, 20)) // whatever order they come in
    expect(spread([{ id: 1, x: 3.9, y: 0 }, { id: 2, x: 4.1, y: 0 }], 4, 20).every((one) => one.from)).toBe(true) // across the border of two cells
    expect(spread([{ id: 1, x: 0, y: 0 }, { id: 2, x: 5, y: 0 }], 4, 20).every((one) => !one.from)).toBe(true)
  })
  it('are found where they are', () => {
    const marks = [[-40, -40], [0, 0], [31, 31], [200, 5]].map(([x, y], id) => ({ id, x: x!, y: y!, from: null }))
    const grid = new MarkGrid(marks)
    expect(grid.nearest(2, 3, 10)?.id).toBe(1)
    expect(grid.nearest(-38, -41, 10)?.id).toBe(0)
    expect(grid.nearest(100, 100, 20)).toBeNull()
    expect(grid.in(-10, -10, 40, 40).map((one) => one.id).sort()).toEqual([1, 2])
  })
  it('show more the nearer one is, and labels only where there is room', () => {
    expect([10, 3, 0.5].map(levelOf)).toEqual(['far', 'middle', 'near'])
    const label = (left: number, top: number) => ({ left, top, width: 40, height: 16 })
    expect(roomFor([label(0, 0), label(20, 8), label(41, 0), label(0, 17)])).toHaveLength(3)
  })
})

describe('drawing a key place', () => {
  const points = [at(0, 0), at(100, 0), at(100, 100)]
  it('adds points, undoes them, and is done when it has enough', () => {
    let draft = newDraft('area')
    expect(problemOf(draft)).toBe('few')
    for (const point of points) draft = added(draft, point)
    draft = added(draft, points[2]!) // a double click
    expect(draft.points).toEqual(points)
    expect(problemOf(draft)).toBeNull()
    expect(undone(draft).points).toEqual(points.slice(0, 2))
    expect(undone(undone(undone(undone(draft)))).points).toEqual([])
    draft = closed(draft)
    expect(added(draft, at(0, 100))).toBe(draft)
    expect(middles(draft).map(({ index }) => index)).toEqual([0, 1, 2])
  })
  it('moves, inserts and removes points', () => {
    const line = draftOf('line', points)
    expect(middles(line)).toHaveLength(2)
    expect(movedPoint(line, 1, at(50, 5)).points[1]).toEqual(at(50, 5))
    expect(movedPoint(line, 9, HOME)).toBe(line)
    expect(inserted(line, 0, at(50, 0)).points).toEqual([points[0], at(50, 0), points[1], points[2]])
    const two = removed(line, 1)
    expect(two.points).toEqual([points[0], points[2]])
    expect(removed(two, 0)).toBe(two) // a line needs two
    expect(undone(two).points).toEqual(points)
  })
  it('has one place where it is a point, and no more points than the hub takes', () => {
    expect(added(added(newDraft('point'), points[0]!), points[1]!).points).toEqual([points[1]])
    let draft = newDraft('line')
    for (let i = 0; i < MOST_POINTS + 5; i += 1) draft = added(draft, at(i, 0))
    expect(draft.points).toHaveLength(MOST_POINTS)
    expect(inserted(draft, 0, HOME)).toBe(draft)
  })
  it('says when an area crosses itself', () => {
    expect(problemOf(draftOf('area', [at(0, 0), at(100, 100), at(100, 0), at(0, 100)]))).toBe('crosses')
  })
})

describe('filters', () => {
  const list = [camera(1, { village_id: 1, name: '村口', initials: 'ck', pinyin: 'cunkou', place_class: 'entrance' }), camera(2, { village_id: 2, name: '小学', initials: 'xx', pinyin: 'xiaoxue', health: 'fault' })]
  const find = (more: object) => filtered(list, { ...NO_FILTERS, ...more }, (one) => shapeOf(one), (id): Village => ({ ...village(id), initials: id === 1 ? 'djc' : 'wz' })).map((one) => one.id)
  it('hold together', () => {
    expect(find({})).toEqual([1, 2])
    expect(find({ text: 'ck' })).toEqual([1])
    expect(find({ text: 'djcck' })).toEqual([1]) // village and camera in one go
    expect(find({ place: 'entrance', village: 2 })).toEqual([])
    expect(find({ shapes: ['lost'] })).toEqual([2])
    expect(find({ shapes: ['lost', 'live'] })).toEqual([1, 2])
    expect(toggled(toggled([], 'lost'), 'lost')).toEqual([])
    expect(isFiltered({ ...NO_FILTERS, text: ' ' })).toBe(false)
  })
})

describe('coverage', () => {
  const count = (covered: number, share: number) => ({ covered, partly: 0, uncovered: 2 - covered, share })
  const row = (place_class: CoverageRow['place_class'], covered: number, share: number): CoverageRow => ({ place_class, kind: 'point', count: 2, installed: count(covered, share), working: count(0, 0) })
  const rows = [row('school', 2, 1), row('key_road', 1, 0.5), row('water', 0, 0), { ...row('square', 0, 0), count: 0 }]
  it('sorts its rows, and leaves out what there is none of', () => {
    const by = (order: Parameters<typeof sorted>[1]) => sorted(rowsOf(rows, 'installed'), order).map((one) => one.place_class)
    expect(by({ by: 'share', down: false })).toEqual(['water', 'key_road', 'school'])
    expect(by({ by: 'covered', down: true })).toEqual(['school', 'key_road', 'water'])
    expect(by({ by: 'place_class', down: false })).toEqual(['key_road', 'school', 'water'])
    expect(rowsOf(rows, 'working').every((one) => one.share === 0)).toBe(true)
    expect(ordered({ by: 'share', down: false }, 'share')).toEqual({ by: 'share', down: true })
    expect(ordered({ by: 'share', down: true }, 'count')).toEqual({ by: 'count', down: true })
  })
  it('lists the worst places first', () => {
    const place = (id: number) => ({ id, place_class: id === 3 ? 'water' : 'school', kind: 'point' }) as unknown as KeyPlace
    const figure = (id: number, share: number) => ({ id, share, working_share: 1 - share, camera_ids: [], gaps: [] }) as PlaceCoverage
    const figures = [figure(1, 0.8), figure(2, 0.1), figure(3, 0)]
    const order = (...more: [Parameters<typeof worstFirst>[2], Parameters<typeof worstFirst>[3]]) => worstFirst([1, 2, 3, 4].map(place), figures, ...more).map((one) => one.place.id)
    expect(order(null, 'installed')).toEqual([3, 2, 1])
    expect(order(null, 'working')).toEqual([1, 2, 3])
    expect(order({ place_class: 'school', kind: 'point' }, 'installed')).toEqual([2, 1])
  })
  it('never rounds a gap away', () => {
    expect([0, 0.001, 0.5, 0.998, 1].map(percentOf)).toEqual([0, 1, 50, 99, 100])
  })
})

describe('a base picture', () => {
  it('is looked at before it is sent', () => {
    const MB = 1024 * 1024
    expect(pictureProblem({ type: 'image/png', size: MB })).toBeNull()
    expect(pictureProblem({ type: 'application/pdf', size: MB })).toBe('kind')
    expect(pictureProblem({ type: 'image/jpeg', size: 0 })).toBe('empty')
    expect(pictureProblem({ type: 'image/webp', size: 100 * MB })).toBe('size')
  })
})
