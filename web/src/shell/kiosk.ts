/** Kiosk: bars hidden, pictures only. The wall sets it (from /wall?kiosk=1 or its full-screen button). */
import { ref } from 'vue'

export const kiosk = ref(false)
