/** What is being dragged from the list of cameras and scenes into the tour. */
import { ref } from 'vue'

export const incoming = ref<{ kind: 'camera' | 'scene'; id: number } | null>(null)
