/** Dark or light. Dark is the default: the picture is the only bright thing. */
import { ref } from 'vue'

export type Theme = 'dark' | 'light'

export const theme = ref<Theme>(document.documentElement.classList.contains('dark') ? 'dark' : 'light')

export function setTheme(to: Theme): void {
  theme.value = to
  document.documentElement.classList.toggle('dark', to === 'dark')
  try {
    localStorage.setItem('theme', to)
  } catch {
    /* private window: kept for this page only */
  }
}
