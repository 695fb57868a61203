/** The wall's keys as commands. Pure but for the short memory of a first digit. */

export type Command =
  | { do: 'pick'; tile: number }
  | { do: 'move'; direction: 'left' | 'right' | 'up' | 'down' }
  | { do: 'solo' }
  | { do: 'back' }
  | { do: 'remove' }
  | { do: 'fullscreen' }
  | { do: 'snapshot' }
  | { do: 'sound' }
  | { do: 'figures' }
  | { do: 'steer' }
  | { do: 'carousel' }
  | { do: 'magnify' }
  | { do: 'turn'; by: 1 | -1 }
  | { do: 'hold' }

export interface Pressed {
  key: string
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
}

const SECOND_DIGIT_MS = 800

export class WallKeys {
  private first: { digit: number; at: number } | null = null

  /** Space is left to the running tour, which also takes Enter and F: Z and Shift+F do the same. With more than nine tiles two digits in quick order name one. */
  command(pressed: Pressed, tiles: number, now: number): Command | null {
    if (pressed.ctrlKey || pressed.metaKey || pressed.altKey) return null
    if (/^\d$/.test(pressed.key)) return this.digit(Number(pressed.key), tiles, now)
    this.first = null
    switch (pressed.key) {
      case 'ArrowLeft':
        return { do: 'move', direction: 'left' }
      case 'ArrowRight':
        return { do: 'move', direction: 'right' }
      case 'ArrowUp':
        return { do: 'move', direction: 'up' }
      case 'ArrowDown':
        return { do: 'move', direction: 'down' }
      case 'Enter':
      case 'z':
      case 'Z':
        return { do: 'solo' }
      case 'Escape':
        return { do: 'back' }
      case 'Delete':
      case 'Backspace':
        return { do: 'remove' }
      case 'f':
      case 'F':
        return { do: 'fullscreen' }
      case 's':
      case 'S':
        return { do: 'snapshot' }
      case 'm':
      case 'M':
        return { do: 'sound' }
      case 'i':
      case 'I':
        return { do: 'figures' }
      case 'p':
      case 'P':
        return { do: 'steer' }
      case 'c':
      case 'C':
        return { do: 'carousel' }
      case 'g':
      case 'G':
        return { do: 'magnify' }
      case 'h':
      case 'H':
        return { do: 'hold' }
      case '[':
        return { do: 'turn', by: -1 }
      case ']':
        return { do: 'turn', by: 1 }
      default:
        return null
    }
  }

  private digit(digit: number, tiles: number, now: number): Command | null {
    const first = this.first
    this.first = null
    const both = first && now - first.at <= SECOND_DIGIT_MS ? first.digit * 10 + digit : digit
    const number = both >= 1 && both <= tiles ? both : digit
    if (number < 1 || number > tiles) return null
    if (number < 10 && number * 10 <= tiles) this.first = { digit: number, at: now }
    return { do: 'pick', tile: number - 1 }
  }
}
