/** Whether the focus was moved by keyboard: then Enter and Space are the focused button's; after a click they are the patrol's again. */

/** Where Tab moves within something that goes away again, and gives the focus back. */
const APART = '[role=dialog], [role=menu], .el-popper'

export class Tabbing {
  private tabbed = false

  /** Whether a person tabbed to where the focus is. A pointer that is pressed anywhere ends that. */
  get on(): boolean {
    return this.tabbed
  }

  /** Listens until the returned function is called. */
  listen(target: Window = window): () => void {
    const key = (event: KeyboardEvent): void => {
      if (event.key === 'Tab' && !(event.target as Partial<Element>).closest?.(APART)) this.tabbed = true
    }
    const pointer = (): void => void (this.tabbed = false)
    target.addEventListener('keydown', key, true)
    target.addEventListener('pointerdown', pointer, true)
    return () => {
      target.removeEventListener('keydown', key, true)
      target.removeEventListener('pointerdown', pointer, true)
    }
  }
}
