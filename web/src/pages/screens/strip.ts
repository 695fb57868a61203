/** Whether the strip of screens stands along the wall: kept in this browser. */
import { ref, watch } from 'vue'

const KEY = 'screens:strip'

function kept(): boolean {
  try {
    return localStorage.getItem(KEY) === '1'
  } catch {
    return false // storage is switched off
  }
}

export const stripOpen = ref(kept())

watch(stripOpen, (open) => {
  try {
    localStorage.setItem(KEY, open ? '1' : '0')
  } catch {
    /* storage is switched off */
  }
})
