/** The approved cameras of the drill-down, filtered; kept up to date by the shared store. */
import { computed, type ComputedRef, type Ref } from 'vue'
import { approvedCameras } from '@/stores'
import type { Camera } from '@/api/types'
import { CAMERA_FILTERS, faultsFirst, matchesText, passes, type CameraFilter } from './cameraStates'

export interface Wanted {
  village: Readonly<Ref<number | null>>
  filter: Readonly<Ref<CameraFilter>>
  text: Readonly<Ref<string>>
}

export function useCameraStates(wanted: Wanted, excluded: Readonly<Ref<ReadonlySet<number>>>): {
  all: ComputedRef<Camera[]>
  shown: ComputedRef<Camera[]>
  counts: ComputedRef<Record<CameraFilter, number>>
} {
  const all = computed(() => approvedCameras.value.filter((camera) => wanted.village.value === null || camera.village_id === wanted.village.value))
  const counts = computed(() => {
    const counted = Object.fromEntries(CAMERA_FILTERS.map((one) => [one, 0])) as Record<CameraFilter, number>
    for (const camera of all.value) for (const one of CAMERA_FILTERS) if (passes(camera, one, excluded.value)) counted[one] += 1
    return counted
  })
  const shown = computed(() => faultsFirst(all.value.filter((camera) => passes(camera, wanted.filter.value, excluded.value) && matchesText(camera, wanted.text.value))))
  return { all, shown, counts }
}
