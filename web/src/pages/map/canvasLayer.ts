/**
 * A canvas in a pane of the map, larger than what is seen: while the map is dragged, the browser only moves it, and it is painted again
 * at the end, or when the drag comes near its edge. While the map zooms it is scaled with it.
 */
import { DomUtil, Layer, type LatLng, type LeafletEventHandlerFn, type Map as LeafletMap, type Point, type ZoomAnimEvent } from 'leaflet'
import { worldPixel, type LngLat } from './geo'

/** What a painter gets: the context in CSS pixels, and where positions lie on it. */
export interface Sheet {
  ctx: CanvasRenderingContext2D
  width: number
  height: number
  zoom: number
  /** Device pixels per CSS pixel. */
  ratio: number
  /** World pixel of the canvas' upper left corner. */
  left: number
  top: number
  at(point: LngLat): [number, number]
}

const PADDING = 0.3

export class CanvasLayer extends Layer {
  readonly canvas = document.createElement('canvas')
  private map: LeafletMap | null = null
  private sheet: Sheet | null = null
  private centre: LatLng | null = null
  private frame = 0
  /** Milliseconds that the last painting took. */
  spent = 0

  constructor(
    private readonly pane: string,
    private readonly paint: (sheet: Sheet) => void,
  ) {
    super()
    this.canvas.className = 'leaflet-zoom-animated'
    this.canvas.style.pointerEvents = 'none'
    this.canvas.setAttribute('aria-hidden', 'true')
  }

  override onAdd(map: LeafletMap): this {
    this.map = map
    map.getPane(this.pane)?.append(this.canvas)
    this.redraw()
    return this
  }

  override onRemove(): this {
    cancelAnimationFrame(this.frame)
    this.canvas.remove()
    this.map = null
    this.sheet = null
    return this
  }

  override getEvents(): { [name: string]: LeafletEventHandlerFn } {
    return {
      moveend: () => this.redraw(),
      viewreset: () => this.redraw(),
      move: () => this.nearEdge() && this.later(),
      zoomanim: (event) => this.transform((event as ZoomAnimEvent).center, (event as ZoomAnimEvent).zoom),
    }
  }

  /** Paints again with the next frame; several wishes cost one painting. */
  later(): void {
    if (this.frame || !this.map) return
    this.frame = requestAnimationFrame(() => {
      this.frame = 0
      this.redraw()
    })
  }

  redraw(): void {
    const map = this.map
    if (!map) return
    cancelAnimationFrame(this.frame)
    this.frame = 0
    const began = performance.now()
    const size = map.getSize()
    const from = map.containerPointToLayerPoint(size.multiplyBy(-PADDING)).round()
    const [width, height] = [Math.ceil(size.x * (1 + 2 * PADDING)), Math.ceil(size.y * (1 + 2 * PADDING))]
    if (!width || !height) return
    const ratio = Math.min(2, window.devicePixelRatio || 1)
    const { canvas } = this
    if (canvas.width !== width * ratio || canvas.height !== height * ratio) {
      canvas.width = width * ratio
      canvas.height = height * ratio
      canvas.style.width = `${width}px`
      canvas.style.height = `${height}px`
    }
    DomUtil.setTransform(canvas, from, 1)
    this.centre = map.getCenter()
    const ctx = canvas.getContext('2d')
    if (!ctx) return
    const zoom = map.getZoom()
    const origin = map.getPixelOrigin()
    const [left, top] = [origin.x + from.x, origin.y + from.y]
    this.sheet = {
      ctx, width, height, zoom, ratio, left, top,
      at: (point) => {
        const [x, y] = worldPixel(point, zoom)
        return [x - left, y - top]
      },
    } // prettier-ignore
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0)
    ctx.clearRect(0, 0, width, height)
    this.paint(this.sheet)
    this.spent = performance.now() - began
  }

  /** Paints one box of the canvas again, in world pixels: what `paint` draws outside of it is cut off. */
  patch(left: number, top: number, width: number, height: number, paint: (sheet: Sheet) => void): void {
    const { sheet } = this
    if (!sheet || this.frame || sheet.zoom !== this.map?.getZoom()) return
    const [x, y] = [Math.floor(left - sheet.left), Math.floor(top - sheet.top)]
    if (x > sheet.width || y > sheet.height || x + width < 0 || y + height < 0) return
    const { ctx } = sheet
    ctx.save()
    ctx.beginPath()
    ctx.rect(x, y, Math.ceil(width), Math.ceil(height))
    ctx.clip()
    ctx.clearRect(x, y, Math.ceil(width), Math.ceil(height))
    paint(sheet)
    ctx.restore()
  }

  private nearEdge(): boolean {
    const { map, sheet } = this
    if (!map || !sheet) return false
    const corner = map.containerPointToLayerPoint([0, 0])
    const origin = map.getPixelOrigin()
    const [x, y] = [corner.x + origin.x - sheet.left, corner.y + origin.y - sheet.top]
    const size = map.getSize()
    return x < 0 || y < 0 || x + size.x > sheet.width || y + size.y > sheet.height
  }

  private transform(centre: LatLng, zoom: number): void {
    const { map, sheet } = this
    if (!map || !sheet || !this.centre) return
    const scale = map.getZoomScale(zoom, sheet.zoom)
    const half = map.getSize().multiplyBy(0.5 + PADDING)
    const paneAt: Point = DomUtil.getPosition(map.getPane('mapPane')!)
    const origin = map.project(centre, zoom).subtract(map.getSize().divideBy(2)).add(paneAt).round()
    DomUtil.setTransform(this.canvas, half.multiplyBy(-scale).add(map.project(this.centre, zoom)).subtract(origin), scale)
  }
}
