/** What is being dragged from the list of cameras and scenes into the tour. */
import { ref } from 'vue'

export type Incoming = { kind: 'cameras'; ids: readonly number[] } | { kind: 'scene'; id: number }

export const incoming = ref<Incoming | null>(null)
