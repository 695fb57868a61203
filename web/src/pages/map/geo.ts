/** Plane geometry of a township: positions are [longitude, latitude] in degrees, WGS-84; distances in metres. Pure. */

export type LngLat = readonly [number, number]
export interface Box {
  west: number
  south: number
  east: number
  north: number
}

/** Metres of a degree of latitude (WGS-84, mean). Over a township the plane is wrong by less than a metre in a kilometre. */
const METRES = 111_195
const RADIANS = Math.PI / 180

export function isPosition(longitude: number | null | undefined, latitude: number | null | undefined): boolean {
  return Number.isFinite(longitude) && Number.isFinite(latitude) && Math.abs(longitude!) <= 180 && Math.abs(latitude!) < 85
}

/** The point so many metres east and north of another. */
export function moved(from: LngLat, east: number, north: number): LngLat {
  return [from[0] + east / (METRES * Math.cos(from[1] * RADIANS)), from[1] + north / METRES]
}

/** Metres east and north from one point to another. */
export function offset(from: LngLat, to: LngLat): [number, number] {
  return [(to[0] - from[0]) * METRES * Math.cos(from[1] * RADIANS), (to[1] - from[1]) * METRES]
}

export function distance(a: LngLat, b: LngLat): number {
  return Math.hypot(...offset(a, b))
}

/** Degrees clockwise from north, 0 ≤ x < 360. */
export function bearing(from: LngLat, to: LngLat): number {
  const [east, north] = offset(from, to)
  return (Math.atan2(east, north) / RADIANS + 360) % 360
}

/** The smaller angle between two directions, 0–180. */
export function turn(a: number, b: number): number {
  const difference = Math.abs(a - b) % 360
  return difference > 180 ? 360 - difference : difference
}

export function boxOf(points: readonly LngLat[]): Box | null {
  if (!points.length) return null
  const box = { west: Infinity, south: Infinity, east: -Infinity, north: -Infinity }
  for (const [lng, lat] of points) {
    box.west = Math.min(box.west, lng)
    box.east = Math.max(box.east, lng)
    box.south = Math.min(box.south, lat)
    box.north = Math.max(box.north, lat)
  }
  return box
}

export function within(box: Box, [lng, lat]: LngLat): boolean {
  return lng >= box.west && lng <= box.east && lat >= box.south && lat <= box.north
}

/** A box of at least so many metres each way around the same centre, with a margin (a share of its size) on each side. */
export function roomy(box: Box, least: number, margin = 0.08): Box {
  const centre: LngLat = [(box.west + box.east) / 2, (box.south + box.north) / 2]
  const [width, height] = offset([box.west, box.south], [box.east, box.north])
  const [halfWidth, halfHeight] = [Math.max(width, least), Math.max(height, least)].map((one) => one * (0.5 + margin)) as [number, number]
  const [west, south] = moved(centre, -halfWidth, -halfHeight)
  const [east, north] = moved(centre, halfWidth, halfHeight)
  return { west, south, east, north }
}

function cross(o: LngLat, a: LngLat, b: LngLat): number {
  return (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])
}

/** The convex hull, counter-clockwise, without its first point repeated (Andrew's monotone chain). */
export function hull(points: readonly LngLat[]): LngLat[] {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]).filter((one, i, all) => i === 0 || one[0] !== all[i - 1]![0] || one[1] !== all[i - 1]![1])
  if (sorted.length < 3) return sorted
  const half = (list: readonly LngLat[]): LngLat[] => {
    const chain: LngLat[] = []
    for (const point of list) {
      while (chain.length >= 2 && cross(chain.at(-2)!, chain.at(-1)!, point) <= 0) chain.pop()
      chain.push(point)
    }
    chain.pop()
    return chain
  }
  return [...half(sorted), ...half([...sorted].reverse())]
}

/** The hull of the points, `metres` wider on every side, with round corners: what a village looks like whose outline nobody has drawn. */
export function area(points: readonly LngLat[], metres: number): LngLat[] {
  const around = hull(points).flatMap((point) =>
    Array.from({ length: 24 }, (_, i) => moved(point, metres * Math.sin(i * 15 * RADIANS), metres * Math.cos(i * 15 * RADIANS))),
  )
  return hull(around)
}

export function middle(points: readonly LngLat[]): LngLat | null {
  if (!points.length) return null
  return [points.reduce((sum, one) => sum + one[0], 0) / points.length, points.reduce((sum, one) => sum + one[1], 0) / points.length]
}

/** Points that lie kilometres off (a slip of a digit, another datum's town) do not pull a village's outline across the township. */
export function withoutStray(points: readonly LngLat[]): LngLat[] {
  if (points.length < 4) return [...points]
  const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!
  const centre: LngLat = [median(points.map((one) => one[0])), median(points.map((one) => one[1]))]
  const typical = median(points.map((one) => distance(centre, one)))
  return points.filter((one) => distance(centre, one) <= Math.max(1_500, typical * 6))
}

/** Whether a point lies in a polygon (even-odd rule). */
export function inside(polygon: readonly LngLat[], [x, y]: LngLat): boolean {
  let odd = false
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i, i += 1) {
    const [[xi, yi], [xj, yj]] = [polygon[i]!, polygon[j]!]
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) odd = !odd
  }
  return odd
}

/** Metres along a line, or square metres of a polygon (0 for a point). */
export function extent(kind: 'point' | 'line' | 'area', points: readonly LngLat[]): number {
  if (kind === 'line') return points.slice(1).reduce((sum, one, i) => sum + distance(points[i]!, one), 0)
  if (kind === 'point' || points.length < 3) return 0
  const plane = points.map((one) => offset(points[0]!, one))
  return Math.abs(plane.reduce((sum, [x, y], i) => { const [u, v] = plane[(i + 1) % plane.length]!; return sum + x * v - u * y }, 0)) / 2
}

/** Whether two sides of a polygon cross each other: such an area has no inside that could be covered. */
export function crossesItself(points: readonly LngLat[]): boolean {
  const n = points.length
  for (let i = 0; i < n; i += 1) {
    for (let j = i + 2; j < n; j += 1) {
      if (i === 0 && j === n - 1) continue
      const [a, b, c, d] = [points[i]!, points[(i + 1) % n]!, points[j]!, points[(j + 1) % n]!]
      if (cross(a, b, c) * cross(a, b, d) < 0 && cross(c, d, a) * cross(c, d, b) < 0) return true
    }
  }
  return false
}

/** The sector that a camera sees: its own place, then the arc. A full circle has no place in it. */
export function sector(at: LngLat, direction: number, angle: number, reach: number): LngLat[] {
  const wide = Math.min(360, Math.max(1, angle))
  const steps = Math.max(4, Math.ceil(wide / 6))
  const arc = Array.from({ length: steps + (wide < 360 ? 1 : 0) }, (_, i) => {
    const to = (direction - wide / 2 + (wide * i) / steps) * RADIANS
    return moved(at, reach * Math.sin(to), reach * Math.cos(to))
  })
  return wide < 360 ? [at, ...arc] : arc
}

/** The greatest of 1, 2, 5 × 10ⁿ that is not above the value. */
export function roundBelow(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  const [digit] = [5, 2, 1].filter((one) => one * power <= value)
  return (digit ?? 1) * power
}

/** The scale bar: a round length of at most so many pixels. */
export function scaleBar(metresPerPixel: number, pixels = 110): { metres: number; pixels: number } {
  const metres = roundBelow(metresPerPixel * pixels)
  return { metres, pixels: metres / metresPerPixel }
}

/** Metres that a pixel of the map stands for (Web Mercator, tiles of 256 pixels). */
export function metresPerPixel(latitude: number, zoom: number): number {
  return (40_075_017 * Math.cos(latitude * RADIANS)) / (256 * 2 ** zoom)
}

/** Where a picture of this shape fits into a box, not stretched and in the middle: the corners that are proposed for a new base picture. */
export function fitted(box: Box, width: number, height: number): Box {
  const centre: LngLat = [(box.west + box.east) / 2, (box.south + box.north) / 2]
  const [wide, high] = offset([box.west, box.south], [box.east, box.north])
  const scale = Math.min(wide / width, high / height)
  const [west, south] = moved(centre, (-width * scale) / 2, (-height * scale) / 2)
  const [east, north] = moved(centre, (width * scale) / 2, (height * scale) / 2)
  return { west, south, east, north }
}

/** Pixels of the map (Web Mercator at this zoom) from the north-west corner of the world. */
export function worldPixel([lng, lat]: LngLat, zoom: number): [number, number] {
  const size = 256 * 2 ** zoom
  return [size * (lng / 360 + 0.5), size * (0.5 - Math.log(Math.tan(Math.PI / 4 + (lat * RADIANS) / 2)) / (2 * Math.PI))]
}
