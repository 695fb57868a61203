/** Draws the map: the ground (grid, villages, key places, gaps, fields of view, names) and the cameras' marks. */
import type { PlaceClass } from '@/api/types'
import type { Sheet } from './canvasLayer'
import { metresPerPixel, roundBelow, sector, type LngLat } from './geo'
import type { KeyPlace, PlacedCamera } from './mapApi'
import { GLYPHS, RADIUS, roomFor, type Level, type Shape, type Spread } from './marks'

export interface Colours {
  surface: string
  ground: string
  line: string
  text: string
  quiet: string
  faint: string
  accent: string
  amber: string
  red: string
  font: string
}

export function coloursOf(element: HTMLElement): Colours {
  const style = getComputedStyle(element)
  const value = (name: string): string => style.getPropertyValue(name).trim()
  return {
    surface: value('--surface-1'), ground: value('--surface-0'), line: value('--line'), text: value('--text-1'), quiet: value('--text-2'), faint: value('--text-3'),
    accent: value('--accent'), amber: value('--amber'), red: value('--red'), font: value('--font') || 'sans-serif',
  } // prettier-ignore
}

function path(ctx: CanvasRenderingContext2D, sheet: Sheet, points: readonly LngLat[], close: boolean): void {
  ctx.beginPath()
  points.forEach((point, i) => {
    const [x, y] = sheet.at(point)
    if (i) ctx.lineTo(x, y)
    else ctx.moveTo(x, y)
  })
  if (close) ctx.closePath()
}

/** Slanting lines within the path of now: what is told by colour is told by a pattern, too. */
function hatch(ctx: CanvasRenderingContext2D, sheet: Sheet, colour: string, gap: number): void {
  ctx.save()
  ctx.clip()
  ctx.beginPath()
  // Anchored at the world, so that the pattern does not swim while the map is dragged.
  const shift = (sheet.left + sheet.top) % gap
  for (let x = -shift; x < sheet.width + sheet.height; x += gap) {
    ctx.moveTo(x, 0)
    ctx.lineTo(x - sheet.height, sheet.height)
  }
  ctx.strokeStyle = colour
  ctx.lineWidth = 2
  ctx.stroke()
  ctx.restore()
}

/** Lines every so many metres: where no picture lies below, distances can be judged at least. */
export function drawGrid(sheet: Sheet, colours: Colours, latitude: number): void {
  const { ctx } = sheet
  const scale = metresPerPixel(latitude, sheet.zoom)
  const step = roundBelow(scale * 160) / scale
  ctx.strokeStyle = colours.line
  ctx.globalAlpha = 0.6
  ctx.lineWidth = 1
  ctx.beginPath()
  for (let x = step - (sheet.left % step); x < sheet.width; x += step) {
    ctx.moveTo(Math.round(x) + 0.5, 0)
    ctx.lineTo(Math.round(x) + 0.5, sheet.height)
  }
  for (let y = step - (sheet.top % step); y < sheet.height; y += step) {
    ctx.moveTo(0, Math.round(y) + 0.5)
    ctx.lineTo(sheet.width, Math.round(y) + 0.5)
  }
  ctx.stroke()
  ctx.globalAlpha = 1
}

export interface VillageShape {
  id: number
  outline: readonly LngLat[]
  /** Whether somebody has drawn it; else it is what the cameras' positions give. */
  drawn: boolean
  shape: Shape
  chosen: boolean
}

export function drawVillage(sheet: Sheet, colours: Colours, village: VillageShape): void {
  const { ctx } = sheet
  if (village.outline.length < 3) return
  path(ctx, sheet, village.outline, true)
  ctx.fillStyle = village.chosen ? colours.accent : colours.faint
  ctx.globalAlpha = village.chosen ? 0.12 : 0.08
  ctx.fill()
  ctx.globalAlpha = 1
  if (village.shape === 'lost') {
    ctx.globalAlpha = 0.4
    hatch(ctx, sheet, colours.red, 12)
    ctx.globalAlpha = 1
    path(ctx, sheet, village.outline, true)
  }
  ctx.setLineDash(village.drawn ? [] : [4, 4])
  ctx.lineWidth = village.shape === 'lost' || village.chosen ? 2 : 1
  ctx.strokeStyle = village.shape === 'lost' ? colours.red : village.chosen ? colours.accent : colours.faint
  ctx.stroke()
  ctx.setLineDash([])
}

export function drawPlace(sheet: Sheet, colours: Colours, place: Pick<KeyPlace, 'kind' | 'geometry'>, strong: boolean): void {
  const { ctx } = sheet
  const [first] = place.geometry
  if (!first) return
  ctx.strokeStyle = ctx.fillStyle = colours.accent
  if (place.kind === 'point') {
    const [x, y] = sheet.at(first)
    const r = strong ? 8 : 6
    ctx.beginPath()
    ctx.moveTo(x, y - r)
    ctx.lineTo(x + r, y)
    ctx.lineTo(x, y + r)
    ctx.lineTo(x - r, y)
    ctx.closePath()
    ctx.lineWidth = 6
    ctx.strokeStyle = colours.surface
    ctx.stroke()
    ctx.fillStyle = colours.surface
    ctx.fill()
    ctx.lineWidth = 2
    ctx.strokeStyle = colours.accent
    ctx.stroke()
    return
  }
  path(ctx, sheet, place.geometry, place.kind === 'area')
  ctx.lineJoin = ctx.lineCap = 'round'
  // A dark or light seam, so that it stands out from whatever picture lies below.
  ctx.globalAlpha = 0.55
  ctx.strokeStyle = colours.surface
  ctx.lineWidth = place.kind === 'area' ? 4.5 : 8
  ctx.stroke()
  ctx.strokeStyle = colours.accent
  if (place.kind === 'area') {
    ctx.globalAlpha = strong ? 0.22 : 0.12
    ctx.fill()
    ctx.globalAlpha = strong ? 1 : 0.7
    ctx.lineWidth = strong ? 2 : 1.5
  } else {
    ctx.globalAlpha = strong ? 0.9 : 0.55
    ctx.lineWidth = strong ? 6 : 5
  }
  ctx.stroke()
  ctx.globalAlpha = 1
}

/** What no camera sees of a place: a broken line, a hatched area, a crossed point. */
export function drawGap(sheet: Sheet, colours: Colours, kind: KeyPlace['kind'], gap: readonly LngLat[]): void {
  const { ctx } = sheet
  const [first] = gap
  if (!first) return
  ctx.strokeStyle = colours.amber
  if (kind === 'point' || gap.length === 1) {
    const [x, y] = sheet.at(first)
    ctx.lineWidth = 3
    ctx.beginPath()
    ctx.arc(x, y, 13, 0, 7)
    ctx.moveTo(x - 5, y - 5)
    ctx.lineTo(x + 5, y + 5)
    ctx.moveTo(x + 5, y - 5)
    ctx.lineTo(x - 5, y + 5)
    ctx.stroke()
    return
  }
  path(ctx, sheet, gap, kind === 'area')
  if (kind === 'area') {
    hatch(ctx, sheet, colours.amber, 8) // without an edge: one gap may come in several pieces
    return
  }
  ctx.lineCap = 'butt'
  ctx.lineWidth = 9
  ctx.strokeStyle = colours.surface
  ctx.stroke()
  ctx.lineWidth = 6
  ctx.strokeStyle = colours.amber
  ctx.setLineDash([9, 6])
  ctx.stroke()
  ctx.setLineDash([])
}

export function drawSector(sheet: Sheet, colours: Colours, camera: PlacedCamera, strong: boolean, defaults: { angle: number; reach: number }): void {
  if (camera.direction_deg === null) return
  const { ctx } = sheet
  path(ctx, sheet, sector([camera.longitude, camera.latitude], camera.direction_deg, camera.angle_deg ?? defaults.angle, camera.reach_m ?? defaults.reach), true)
  ctx.fillStyle = ctx.strokeStyle = colours.accent
  ctx.globalAlpha = strong ? 0.3 : 0.14
  ctx.fill()
  ctx.globalAlpha = strong ? 0.9 : 0.35
  ctx.lineWidth = 1
  ctx.stroke()
  ctx.globalAlpha = 1
}

export interface Label {
  text: string
  x: number
  y: number
  strong: boolean
}

/** Words with a halo; those that would overlap others or marks are left out, the first ones win. */
export function drawLabels(sheet: Sheet, colours: Colours, labels: readonly Label[], marks: readonly { x: number; y: number; r: number }[]): void {
  const { ctx } = sheet
  ctx.font = `12px ${colours.font}`
  ctx.textAlign = 'center'
  ctx.textBaseline = 'top'
  ctx.lineJoin = 'round'
  const boxes = labels
    .filter(({ x, y }) => x > -80 && y > -20 && x < sheet.width + 80 && y < sheet.height + 20)
    .map((label) => {
      const width = ctx.measureText(label.text).width
      return { label, left: label.x - width / 2 - 2, top: label.y, width: width + 4, height: 16 }
    })
  const there = marks.map(({ x, y, r }) => ({ left: x - r, top: y - r, width: 2 * r, height: 2 * r }))
  for (const { label } of roomFor(boxes, there)) {
    ctx.lineWidth = 3
    ctx.strokeStyle = colours.ground
    ctx.strokeText(label.text, label.x, label.y)
    ctx.fillStyle = label.strong ? colours.text : colours.quiet
    ctx.fillText(label.text, label.x, label.y)
  }
}

export function drawLeader(sheet: Sheet, colours: Colours, from: { x: number; y: number }, to: { x: number; y: number }): void {
  const { ctx } = sheet
  ctx.beginPath()
  ctx.moveTo(from.x, from.y)
  ctx.lineTo(to.x, to.y)
  ctx.strokeStyle = colours.quiet
  ctx.lineWidth = 1
  ctx.stroke()
  ctx.beginPath()
  ctx.arc(from.x, from.y, 1.5, 0, 7)
  ctx.fillStyle = colours.quiet
  ctx.fill()
}

function outline(ctx: CanvasRenderingContext2D, shape: Shape, r: number): void {
  ctx.beginPath()
  if (shape === 'lost') ctx.rect(-r * 0.9, -r * 0.9, r * 1.8, r * 1.8)
  else if (shape === 'degraded') {
    ctx.moveTo(0, -r * 1.25)
    ctx.lineTo(r * 1.2, r * 0.85)
    ctx.lineTo(-r * 1.2, r * 0.85)
    ctx.closePath()
  } else ctx.arc(0, 0, r, 0, 7)
}

/** One mark around (0, 0). Faults are larger than what works: they are what one looks for. */
export function drawMark(ctx: CanvasRenderingContext2D, colours: Colours, shape: Shape, level: Level, glyph: string): void {
  const fault = shape === 'lost' || shape === 'degraded'
  const r = RADIUS[level] * (fault && level !== 'near' ? 1.5 : 1)
  const near = level === 'near'
  outline(ctx, shape, r)
  ctx.lineJoin = 'round'
  ctx.lineWidth = near ? 5 : 3
  ctx.strokeStyle = colours.surface
  ctx.stroke() // a halo that parts it from the picture below and from its neighbours
  const colour = shape === 'lost' ? colours.red : shape === 'degraded' ? colours.amber : colours.quiet
  ctx.fillStyle = shape === 'waiting' || (near && !fault) ? colours.surface : colour
  ctx.fill()
  if (shape === 'waiting' || near) {
    ctx.lineWidth = near ? 2 : 1.5
    ctx.strokeStyle = colour
    if (shape === 'waiting' && near) ctx.setLineDash([3, 2])
    ctx.stroke()
    ctx.setLineDash([])
  }
  if (!near) return
  ctx.font = `600 11px ${colours.font}`
  ctx.textAlign = 'center'
  ctx.textBaseline = 'middle'
  ctx.fillStyle = fault ? colours.surface : colours.text
  ctx.fillText(glyph, 0, shape === 'degraded' ? 2 : 0.5)
}

/** Marks drawn once and copied from then on: a thousand of them cost a few milliseconds. */
export class Stamps {
  private readonly made = new Map<string, HTMLCanvasElement>()

  constructor(
    readonly colours: Colours,
    private readonly ratio: number,
    private readonly english: boolean,
  ) {}

  put(ctx: CanvasRenderingContext2D, shape: Shape, level: Level, place: PlaceClass, x: number, y: number): void {
    const glyph = level === 'near' ? (this.english ? GLYPHS[place].en : GLYPHS[place].zh) : ''
    const key = `${shape} ${level} ${glyph}`
    let stamp = this.made.get(key)
    if (!stamp) this.made.set(key, (stamp = this.make(shape, level, glyph)))
    const size = stamp.width / this.ratio
    ctx.drawImage(stamp, x - size / 2, y - size / 2, size, size)
  }

  private make(shape: Shape, level: Level, glyph: string): HTMLCanvasElement {
    const size = Math.ceil(RADIUS[level] * 4 + 8)
    const canvas = document.createElement('canvas')
    canvas.width = canvas.height = size * this.ratio
    const ctx = canvas.getContext('2d')
    if (!ctx) return canvas
    ctx.scale(this.ratio, this.ratio)
    ctx.translate(size / 2, size / 2)
    drawMark(ctx, this.colours, shape, level, glyph)
    return canvas
  }
}

/** A ring around the chosen mark. */
export function drawRing(ctx: CanvasRenderingContext2D, colours: Colours, mark: Spread, level: Level, strong: boolean): void {
  ctx.beginPath()
  ctx.arc(mark.x, mark.y, RADIUS[level] + (level === 'near' ? 7 : 6), 0, 7)
  ctx.lineWidth = strong ? 5 : 2
  if (strong) {
    ctx.strokeStyle = colours.surface
    ctx.stroke()
    ctx.lineWidth = 2.5
  }
  ctx.strokeStyle = strong ? colours.accent : colours.text
  ctx.stroke()
}
