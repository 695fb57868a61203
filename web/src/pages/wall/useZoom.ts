/** Digital zoom of one picture: wheel towards the pointer, drag to move, never past the picture's edge. */
import { computed, ref, type Ref } from 'vue'

export interface Zoom {
  scale: number
  x: number
  y: number
}

const MOST = 8

/** Zooms about a point (fractions of the box); pure. */
export function zoomed(zoom: Zoom, factor: number, px: number, py: number): Zoom {
  const scale = Math.min(MOST, Math.max(1, zoom.scale * factor))
  if (scale < 1.01) return { scale: 1, x: 0, y: 0 }
  const grown = scale / zoom.scale
  return bounded({ scale, x: px - (px - zoom.x) * grown, y: py - (py - zoom.y) * grown })
}

/** Keeps the picture covering the box: its left edge x is within [1 - scale, 0], in fractions of the box. */
export function bounded(zoom: Zoom): Zoom {
  const within = (value: number) => Math.min(0, Math.max(1 - zoom.scale, value))
  return { scale: zoom.scale, x: within(zoom.x), y: within(zoom.y) }
}

export function useZoom(box: Ref<HTMLElement | null>) {
  const zoom = ref<Zoom>({ scale: 1, x: 0, y: 0 })
  let grabbed: { x: number; y: number; from: Zoom } | null = null
  const style = computed(() => ({
    transform: zoom.value.scale === 1 ? 'none' : `translate(${zoom.value.x * 100}%, ${zoom.value.y * 100}%) scale(${zoom.value.scale})`,
  }))

  function onWheel(event: WheelEvent): void {
    const rect = box.value?.getBoundingClientRect()
    if (!rect || (event.deltaY > 0 && zoom.value.scale === 1)) return
    event.preventDefault()
    zoom.value = zoomed(zoom.value, Math.exp(-event.deltaY / 400), (event.clientX - rect.left) / rect.width, (event.clientY - rect.top) / rect.height)
  }
  function onPointerDown(event: PointerEvent): void {
    if (zoom.value.scale === 1 || event.button !== 0 || (event.target as HTMLElement).closest('button')) return
    grabbed = { x: event.clientX, y: event.clientY, from: zoom.value }
    ;(event.currentTarget as HTMLElement).setPointerCapture(event.pointerId)
  }
  function onPointerMove(event: PointerEvent): void {
    const rect = box.value?.getBoundingClientRect()
    if (!grabbed || !rect) return
    const { from } = grabbed
    zoom.value = bounded({ scale: from.scale, x: from.x + (event.clientX - grabbed.x) / rect.width, y: from.y + (event.clientY - grabbed.y) / rect.height })
  }
  function onPointerUp(): void {
    grabbed = null
  }
  function reset(): void {
    zoom.value = { scale: 1, x: 0, y: 0 }
  }
  return { zoom, style, onWheel, onPointerDown, onPointerMove, onPointerUp, reset }
}
