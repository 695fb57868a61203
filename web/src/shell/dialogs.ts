/** What the page's dialogs have in common. */

/** Is a dialog or drawer open, so that keys belong to it? */
export function dialogOpen(root: ParentNode = document): boolean {
  return [...root.querySelectorAll<HTMLElement>('[aria-modal="true"]')].some((one) => one.closest('[style*="display: none"]') === null)
}

/** Keys that an input method uses belong to it alone: Esc gives up the pinyin, and would close the dialog with all that is written in it. */
export function leaveToInputMethod(event: KeyboardEvent): void {
  if (event.isComposing) event.stopImmediatePropagation()
}

/** Element Plus gives the focus to the dialog itself when it opens: it goes on to the field that asks for it. */
export function focusFields(event: FocusEvent): void {
  const dialog = event.target
  if (!(dialog instanceof HTMLElement) || !dialog.classList.contains('el-dialog')) return
  dialog.querySelector<HTMLElement>('[autofocus]:not([autofocus="false"], :disabled)')?.focus()
}
