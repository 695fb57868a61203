/**
 * The map itself: Leaflet moves and zooms, two canvases lie on it (the ground, and the cameras' marks above it), a picture below.
 * No framework in here: a component hands in what is to be seen, and hears what was clicked.
 */
import { DivIcon, ImageOverlay, LatLng, LatLngBounds, Map as LeafletMap, Marker, type LeafletMouseEvent } from 'leaflet'
import { CanvasLayer, type Sheet } from './canvasLayer'
import { distance, inside, metresPerPixel, worldPixel, type Box, type LngLat } from './geo'
import type { KeyPlace, PlacedCamera } from './mapApi'
import { levelOf, MarkGrid, RADIUS, roomFor, spread, type Counts, type Level, type Shape, type Spread } from './marks'
import { coloursOf, drawGap, drawGrid, drawLabels, drawLeader, drawPlace, drawRing, drawSector, drawVillage, Stamps, type Colours, type Label, type VillageShape } from './painter'
import type { PlaceClass } from '@/api/types'

export interface CameraMark extends PlacedCamera {
  name: string
  place_class: PlaceClass
  shape: Shape
}
export interface VillageMark extends VillageShape {
  name: string
  at: LngLat
  counts: Counts
  /** What the badge says aloud. */
  words: string
}
export interface Gap {
  kind: KeyPlace['kind']
  points: readonly LngLat[]
}
/** A point that can be dragged: a corner of a place or of the picture, a camera, the end of its direction. */
export interface Handle {
  key: string
  at: LngLat
  kind: 'corner' | 'middle' | 'camera' | 'turn' | 'place'
  label: string
  onMove?: (to: LngLat) => void
  onEnd?: (to: LngLat) => void
  onClick?: () => void
  onRemove?: () => void
}
export interface MapEvents {
  click(at: LngLat, camera: number | null, place: number | null): void
  hover(camera: number | null, x: number, y: number): void
  village(id: number): void
  /** The map has been moved or zoomed. */
  moved(): void
  double?(): void
}

const HANDLE_STEP = 4
const EDGE = 40
/** About how much room a village's badge takes, in pixels. */
const BADGE = { around: 36, wide: 12, narrow: 7, high: 26 }

export class MapView {
  readonly map: LeafletMap
  private readonly ground: CanvasLayer
  private readonly marks: CanvasLayer
  private colours: Colours
  private stamps: Stamps | null = null
  private cameras = new Map<number, CameraMark>()
  private villages = new Map<number, VillageMark>()
  private places: readonly KeyPlace[] = []
  private gaps: readonly Gap[] = []
  private draft: Pick<KeyPlace, 'kind' | 'geometry'> | null = null
  private preview: PlacedCamera | null = null
  private chosen: number | null = null
  private hovered: number | null = null
  private chosenPlace: number | null = null
  private laid: { zoom: number; marks: Map<number, Spread>; grid: MarkGrid } | null = null
  private readonly badges = new Map<number, Marker>()
  private readonly handles = new Map<string, { marker: Marker; handle: Handle }>()
  private picture: { overlay: ImageOverlay; url: string } | null = null
  private defaults = { angle: 80, reach: 50 }
  private anchor: LngLat = [0, 0]
  private readonly observer: ResizeObserver
  private english = false
  /** When cameras were first seen on the map, ms of performance.now(). */
  private drawnAt: number | null = null

  constructor(
    private readonly element: HTMLElement,
    private readonly events: MapEvents,
  ) {
    this.map = new LeafletMap(element, {
      zoomControl: false, attributionControl: false, zoomSnap: 0.25, zoomDelta: 0.75, wheelPxPerZoomLevel: 90, minZoom: 7, maxZoom: 21, doubleClickZoom: false,
      center: [35, 110], zoom: 12, fadeAnimation: false, inertiaMaxSpeed: 3000,
    }) // prettier-ignore
    this.colours = coloursOf(element)
    for (const [name, z] of [['picture', '200'], ['ground', '300'], ['marks', '450'], ['badges', '500'], ['handles', '650']] as const) this.map.createPane(name).style.zIndex = z
    this.ground = new CanvasLayer('ground', (sheet) => this.paintGround(sheet)).addTo(this.map)
    this.marks = new CanvasLayer('marks', (sheet) => this.paintMarks(sheet)).addTo(this.map)
    this.map.on('click', (event: LeafletMouseEvent) => this.clicked(event))
    this.map.on('dblclick', () => this.events.double?.())
    this.map.on('mousemove', (event: LeafletMouseEvent) => this.hover(event))
    this.map.on('mouseout', () => this.setHovered(null, 0, 0))
    this.map.on('moveend', () => this.events.moved())
    this.map.on('zoomend', () => {
      this.element.classList.toggle('is-near', this.level === 'near')
      this.makeRoom()
    })
    this.observer = new ResizeObserver(() => {
      this.map.invalidateSize({ pan: false })
      this.ground.later()
      this.marks.later()
    })
    this.observer.observe(element)
  }

  get level(): Level {
    return levelOf(this.metresPerPixel)
  }

  get metresPerPixel(): number {
    return metresPerPixel(this.map.getCenter().lat, this.map.getZoom())
  }

  /** Milliseconds that the last painting of each canvas took. */
  get spent(): { ground: number; marks: number } {
    return { ground: this.ground.spent, marks: this.marks.spent }
  }

  /** What is drawn, for browser journeys: where each mark stands in the window. */
  snapshot(): { level: Level; zoom: number; drawnAt: number | null; spent: { ground: number; marks: number }; cameras: { id: number; shape: Shape; x: number; y: number }[] } {
    const { left, top } = this.element.getBoundingClientRect()
    const [ax, ay] = worldPixel(this.anchor, this.map.getZoom())
    const corner = this.map.getPixelBounds().min!
    const { marks } = this.layout()
    const cameras = [...this.cameras.values()].map(({ id, shape }) => {
      const mark = marks.get(id)!
      return { id, shape, x: left + ax + mark.x - corner.x, y: top + ay + mark.y - corner.y }
    })
    return { level: this.level, zoom: this.map.getZoom(), drawnAt: this.drawnAt, spent: this.spent, cameras }
  }

  destroy(): void {
    this.observer.disconnect()
    this.map.remove()
  }

  /** Colours have changed, or the language. */
  restyle(english: boolean): void {
    this.english = english
    this.colours = coloursOf(this.element)
    this.stamps = null
    this.ground.later()
    this.marks.later()
  }

  /** What is assumed of cameras whose field of view is not known: degrees, metres. */
  setDefaults(angle: number, reach: number): void {
    this.defaults = { angle, reach }
    this.ground.later()
  }

  setCameras(cameras: readonly CameraMark[]): void {
    this.cameras = new Map(cameras.map((one) => [one.id, one]))
    this.anchor = cameras.length ? [cameras[0]!.longitude, cameras[0]!.latitude] : this.anchor
    this.laid = null
    this.ground.later()
    this.marks.later()
  }

  /** Other states at the same places: only those marks are painted again. */
  setShapes(shapes: ReadonlyMap<number, Shape>): void {
    const changed: number[] = []
    for (const [id, shape] of shapes) {
      const camera = this.cameras.get(id)
      if (!camera || camera.shape === shape) continue
      camera.shape = shape
      changed.push(id)
    }
    if (changed.length > 60) this.marks.later()
    else for (const id of changed) this.touch(id)
  }

  setVillages(villages: readonly VillageMark[]): void {
    const before = this.villages
    this.villages = new Map(villages.map((one) => [one.id, one]))
    for (const [id, badge] of this.badges) {
      if (this.villages.has(id)) continue
      badge.remove()
      this.badges.delete(id)
    }
    let redraw = before.size !== this.villages.size
    for (const one of villages) {
      const old = before.get(one.id)
      redraw ||= !old || old.shape !== one.shape || old.outline !== one.outline || old.chosen !== one.chosen || old.drawn !== one.drawn
      this.badge(one, old)
    }
    if (redraw) this.ground.later()
    this.makeRoom()
  }

  /** Badges that would cover more important ones shrink to their mark; a fault is never covered by what works. */
  private makeRoom(): void {
    const rank: Record<Shape, number> = { lost: 0, degraded: 1, waiting: 2, live: 3 }
    const zoom = this.map.getZoom()
    const boxes = [...this.villages.values()]
      .sort((a, b) => Number(b.chosen) - Number(a.chosen) || rank[a.shape] - rank[b.shape] || a.id - b.id)
      .map((one) => {
        const [x, y] = worldPixel(one.at, zoom)
        const width = BADGE.around + [...one.name].reduce((sum, letter) => sum + (letter > '\u02ff' ? BADGE.wide : BADGE.narrow), 0) + 7 * `${one.counts.fault || ''}${one.counts.total}`.length
        return { id: one.id, left: x - width / 2, top: y - BADGE.high / 2, width, height: BADGE.high }
      })
    const kept = new Set(roomFor(boxes).map((one) => one.id))
    for (const [id, badge] of this.badges) badge.getElement()?.classList.toggle('is-small', !kept.has(id))
  }

  setPlaces(places: readonly KeyPlace[], gaps: readonly Gap[], chosen: number | null): void {
    this.places = places
    this.gaps = gaps
    this.chosenPlace = chosen
    this.ground.later()
  }

  /** What is being drawn, and the camera whose place or direction is being changed. */
  setEdited(draft: Pick<KeyPlace, 'kind' | 'geometry'> | null, preview: PlacedCamera | null): void {
    this.draft = draft
    this.preview = preview
    this.ground.later()
  }

  setPicture(url: string | null, box: Box | null, opacity: number): void {
    if (!url || !box) {
      this.picture?.overlay.remove()
      this.picture = null
      this.element.classList.remove('has-picture')
      this.ground.later()
      return
    }
    const bounds = boundsOf(box)
    if (this.picture?.url !== url) {
      this.picture?.overlay.remove()
      this.picture = { url, overlay: new ImageOverlay(url, bounds, { pane: 'picture', opacity }).addTo(this.map) }
      this.element.classList.add('has-picture')
      this.ground.later()
    }
    this.picture.overlay.setBounds(bounds)
    this.picture.overlay.setOpacity(opacity)
  }

  choose(camera: number | null): void {
    if (camera === this.chosen) return
    const before = this.chosen
    this.chosen = camera
    for (const id of [before, camera]) if (id !== null) this.touch(id)
    if (this.level === 'near') this.ground.later()
  }

  /** The row of the list under the pointer. */
  point(camera: number | null): void {
    if (camera === this.hovered) return
    const before = this.hovered
    this.hovered = camera
    for (const id of [before, camera]) if (id !== null) this.touch(id)
  }

  fit(box: Box, animate = false): void {
    this.map.fitBounds(boundsOf(box), { animate, maxZoom: 19 })
  }

  /** Brings a place into the middle, near enough to see what is there; no move where it is well in sight already. */
  show(at: LngLat, least: Level = 'middle'): void {
    const zooms = { far: 0, middle: 15, near: 18 }
    const there = this.map.getBounds().pad(-0.15).contains(latLng(at))
    const zoom = Math.max(this.map.getZoom(), zooms[least])
    if (there && zoom === this.map.getZoom()) return
    this.map.setView(latLng(at), zoom, { animate: distance([this.map.getCenter().lng, this.map.getCenter().lat], at) < 8_000 })
  }

  /** Moves a place out from under what covers the map at the right and below, in pixels. */
  uncover(at: LngLat, right: number, bottom: number): void {
    this.map.panInside(latLng(at), { paddingTopLeft: [EDGE, EDGE], paddingBottomRight: [right + EDGE, bottom + EDGE] })
  }

  /** Where a place is in the map's box. */
  pixel(at: LngLat): [number, number] {
    const { x, y } = this.map.latLngToContainerPoint(latLng(at))
    return [x, y]
  }

  zoom(by: number): void {
    this.map.setZoom(this.map.getZoom() + by)
  }

  view(): Box {
    const bounds = this.map.getBounds()
    return { west: bounds.getWest(), south: bounds.getSouth(), east: bounds.getEast(), north: bounds.getNorth() }
  }

  centre(): LngLat {
    const { lng, lat } = this.map.getCenter()
    return [lng, lat]
  }

  /** While something is placed or drawn, a click is a place and no choice. */
  setAiming(on: boolean): void {
    this.element.classList.toggle('aiming', on)
  }

  setHandles(handles: readonly Handle[]): void {
    const wanted = new Map(handles.map((one) => [one.key, one]))
    for (const [key, { marker }] of this.handles) {
      if (wanted.has(key)) continue
      marker.remove()
      this.handles.delete(key)
    }
    for (const handle of handles) {
      const known = this.handles.get(handle.key)
      if (known) {
        known.handle = handle
        const now = known.marker.getLatLng()
        if (now.lng !== handle.at[0] || now.lat !== handle.at[1]) known.marker.setLatLng(latLng(handle.at))
      } else this.handles.set(handle.key, { handle, marker: this.handle(handle) })
    }
  }

  private handle(first: Handle): Marker {
    const icon = new DivIcon({ className: `map-handle ${first.kind}`, iconSize: first.kind === 'middle' ? [14, 14] : [18, 18] })
    const marker = new Marker(latLng(first.at), { icon, pane: 'handles', draggable: true, keyboard: true, title: first.label, alt: first.label }).addTo(this.map)
    const now = (): Handle | undefined => this.handles.get(first.key)?.handle
    const at = (): LngLat => [marker.getLatLng().lng, marker.getLatLng().lat]
    marker.on('drag', () => now()?.onMove?.(at()))
    marker.on('dragend', () => now()?.onEnd?.(at()))
    marker.on('click', () => now()?.onClick?.())
    marker.on('contextmenu', () => now()?.onRemove?.())
    const element = marker.getElement()
    element?.setAttribute('aria-label', first.label)
    element?.addEventListener('keydown', (event) => {
      const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key]
      if (by) {
        event.preventDefault()
        event.stopPropagation()
        const step = event.shiftKey ? HANDLE_STEP * 4 : HANDLE_STEP
        const point = this.map.latLngToLayerPoint(marker.getLatLng()).add([by[0]! * step, by[1]! * step])
        marker.setLatLng(this.map.layerPointToLatLng(point))
        now()?.onMove?.(at())
        now()?.onEnd?.(at())
      } else if ((event.key === 'Delete' || event.key === 'Backspace') && now()?.onRemove) {
        event.preventDefault()
        now()?.onRemove?.()
      }
    })
    return marker
  }

  private badge(village: VillageMark, old: VillageMark | undefined): void {
    const same = old && old.name === village.name && old.words === village.words && old.chosen === village.chosen
    let marker = this.badges.get(village.id)
    if (!marker) {
      marker = new Marker(latLng(village.at), { icon: new DivIcon({ className: 'map-badge', iconSize: undefined }), pane: 'badges', keyboard: true }).addTo(this.map)
      marker.on('click', () => this.events.village(village.id))
      this.badges.set(village.id, marker)
    } else if (old && (old.at[0] !== village.at[0] || old.at[1] !== village.at[1])) marker.setLatLng(latLng(village.at))
    if (same) return
    const element = marker.getElement()
    if (!element) return
    const { counts } = village
    element.className = element.className.replace(/ ?\bis-\w+/g, '') + ` is-${counts.shape}${village.chosen ? ' is-chosen' : ''}`
    element.setAttribute('aria-label', village.words)
    element.title = village.words
    element.dataset.village = String(village.id)
    const part = (tag: string, className: string, text = ''): HTMLElement => Object.assign(document.createElement(tag), { className, textContent: text })
    const pill = part('span', 'map-badge-pill')
    pill.append(part('i', 'map-badge-mark'), part('b', 'map-badge-name', village.name), part('span', 'map-badge-count', counts.fault ? `${counts.fault}/${counts.total}` : String(counts.total)))
    element.replaceChildren(pill)
    marker.setZIndexOffset(counts.shape === 'lost' ? 2000 : counts.shape === 'degraded' ? 1000 : 0)
  }

  /** Where marks stand at this zoom, in pixels from the anchor: computed once per zoom and set of cameras. */
  private layout(): { marks: Map<number, Spread>; grid: MarkGrid } {
    const zoom = this.map.getZoom()
    if (this.laid?.zoom === zoom) return this.laid
    const [ax, ay] = worldPixel(this.anchor, zoom)
    const spots = [...this.cameras.values()].map((one) => {
      const [x, y] = worldPixel([one.longitude, one.latitude], zoom)
      return { id: one.id, x: x - ax, y: y - ay }
    })
    const level = levelOf(metresPerPixel(this.anchor[1], zoom))
    const step = RADIUS[level] * 2 + 4
    const placed = level === 'far' ? spots.map((one) => ({ ...one, from: null })) : spread(spots, level === 'near' ? RADIUS.near : 2, step)
    // Faults are drawn last: above what works.
    const rank: Record<Shape, number> = { live: 0, waiting: 1, degraded: 2, lost: 3 }
    placed.sort((a, b) => rank[this.cameras.get(a.id)!.shape] - rank[this.cameras.get(b.id)!.shape])
    this.laid = { zoom, marks: new Map(placed.map((one) => [one.id, one])), grid: new MarkGrid(placed) }
    return this.laid
  }

  /** From pixels of the anchor to pixels of the sheet. */
  private shift(sheet: Sheet): [number, number] {
    return sheet.at(this.anchor)
  }

  private touch(id: number): void {
    const { marks } = this.layout()
    const mark = marks.get(id)
    if (!mark) return
    const [ax, ay] = worldPixel(this.anchor, this.map.getZoom())
    const reach = RADIUS[this.level] + 12
    this.marks.patch(ax + mark.x - reach, ay + mark.y - reach, reach * 2, reach * 2, (sheet) => this.paintMarks(sheet, { x: mark.x, y: mark.y, reach: reach * 2 }))
  }

  private paintMarks(sheet: Sheet, only?: { x: number; y: number; reach: number }): void {
    const { marks, grid } = this.layout()
    const stamps = (this.stamps ??= new Stamps(this.colours, sheet.ratio, this.english))
    const [ax, ay] = this.shift(sheet)
    const level = this.level
    const { ctx } = sheet
    const rank: Record<Shape, number> = { live: 0, waiting: 1, degraded: 2, lost: 3 }
    const found = only
      ? grid.in(only.x - only.reach, only.y - only.reach, only.x + only.reach, only.y + only.reach)
      : grid.in(-ax - 20, -ay - 20, sheet.width - ax + 20, sheet.height - ay + 20)
    const seen = found.flatMap((mark) => {
      const camera = this.cameras.get(mark.id)
      return camera ? [{ mark, camera }] : []
    })
    seen.sort((a, b) => rank[a.camera.shape] - rank[b.camera.shape] || a.mark.id - b.mark.id)
    if (seen.length) this.drawnAt ??= performance.now()
    for (const { mark, camera } of seen) stamps.put(ctx, camera.shape, level, camera.place_class, mark.x + ax, mark.y + ay)
    for (const [id, strong] of [[this.hovered, false], [this.chosen, true]] as const) {
      const mark = id === null ? undefined : marks.get(id)
      if (mark) drawRing(ctx, this.colours, { ...mark, x: mark.x + ax, y: mark.y + ay }, level, strong)
    }
  }

  private paintGround(sheet: Sheet): void {
    const { colours } = this
    const level = this.level
    if (!this.picture) drawGrid(sheet, colours, this.map.getCenter().lat)
    for (const village of this.villages.values()) drawVillage(sheet, colours, village)
    for (const place of this.places) drawPlace(sheet, colours, place, place.id === this.chosenPlace)
    for (const gap of this.gaps) drawGap(sheet, colours, gap.kind, gap.points)
    if (this.draft) drawPlace(sheet, colours, this.draft, true)
    const labels: Label[] = []
    let obstacles: { x: number; y: number; r: number }[] = []
    const { grid } = this.layout()
    const [ax, ay] = this.shift(sheet)
    if (level !== 'far') {
      const seen = grid.in(-ax - 60, -ay - 60, sheet.width - ax + 60, sheet.height - ay + 60)
      if (level === 'near') {
        for (const { id } of seen) {
          const camera = this.cameras.get(id)!
          if (id !== this.preview?.id) drawSector(sheet, colours, camera, id === this.chosen, this.defaults)
        }
      }
      for (const mark of seen) if (mark.from) drawLeader(sheet, colours, { x: mark.from.x + ax, y: mark.from.y + ay }, { x: mark.x + ax, y: mark.y + ay })
      obstacles = seen.map((mark) => ({ x: mark.x + ax, y: mark.y + ay, r: RADIUS[level] }))
      if (level === 'near') for (const mark of seen) labels.push({ text: this.cameras.get(mark.id)!.name, x: mark.x + ax, y: mark.y + ay + RADIUS.near + 5, strong: false })
    }
    if (this.preview) drawSector(sheet, colours, this.preview, true, this.defaults)
    if (level !== 'far' || this.places.length <= 12) {
      for (const place of this.places) {
        const middle = place.geometry[Math.floor(place.geometry.length / 2)]
        const [x, y] = middle ? sheet.at(place.kind === 'area' ? centreOf(place.geometry) : middle) : [0, 0]
        if (middle) labels.unshift({ text: place.name, x, y: y + 9, strong: true })
      }
    }
    drawLabels(sheet, colours, labels, obstacles)
  }

  private nearestCamera(event: LeafletMouseEvent): Spread | null {
    const world = this.map.project(event.latlng)
    const [ax, ay] = worldPixel(this.anchor, this.map.getZoom())
    return this.layout().grid.nearest(world.x - ax, world.y - ay, Math.max(RADIUS[this.level] + 5, matchMedia('(pointer: coarse)').matches ? 18 : 0))
  }

  /** The smallest key place under a point: a point or line within some pixels, else an area. */
  private placeAt(at: LngLat): number | null {
    const near = this.metresPerPixel * 8
    for (const place of this.places) if (place.kind === 'point' && distance(place.geometry[0]!, at) <= near * 1.3) return place.id
    for (const place of this.places) if (place.kind === 'line' && this.beside(place.geometry, at, near)) return place.id
    return this.places.find((place) => place.kind === 'area' && inside(place.geometry, at))?.id ?? null
  }

  private beside(line: readonly LngLat[], at: LngLat, near: number): boolean {
    const zoom = this.map.getZoom()
    const [px, py] = worldPixel(at, zoom)
    const most = near / this.metresPerPixel
    return line.slice(1).some((end, i) => {
      const [[x1, y1], [x2, y2]] = [worldPixel(line[i]!, zoom), worldPixel(end, zoom)]
      const length = (x2 - x1) ** 2 + (y2 - y1) ** 2
      const along = length ? Math.max(0, Math.min(1, ((px - x1) * (x2 - x1) + (py - y1) * (y2 - y1)) / length)) : 0
      return Math.hypot(px - x1 - along * (x2 - x1), py - y1 - along * (y2 - y1)) <= most
    })
  }

  private clicked(event: LeafletMouseEvent): void {
    const at: LngLat = [event.latlng.lng, event.latlng.lat]
    const camera = this.nearestCamera(event)
    this.events.click(at, camera?.id ?? null, camera ? null : this.placeAt(at))
  }

  private hover(event: LeafletMouseEvent): void {
    const mark = this.nearestCamera(event)
    this.setHovered(mark?.id ?? null, event.containerPoint.x, event.containerPoint.y)
  }

  private setHovered(id: number | null, x: number, y: number): void {
    if (id === this.hovered) return
    this.point(id)
    this.element.classList.toggle('over-mark', id !== null)
    this.events.hover(id, x, y)
  }
}

function latLng([lng, lat]: LngLat): LatLng {
  return new LatLng(lat, lng)
}

function boundsOf(box: Box): LatLngBounds {
  return new LatLngBounds([box.south, box.west], [box.north, box.east])
}

function centreOf(points: readonly LngLat[]): LngLat {
  return [points.reduce((sum, one) => sum + one[0], 0) / points.length, points.reduce((sum, one) => sum + one[1], 0) / points.length]
}
