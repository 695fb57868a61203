/** Whether a connected peer still hears anything of its relay. Pure but for what was heard before. */

/** Looks, one a second, without a single packet: the relay answers the browser's checks every 2.5 s even on an idle wall. */
const SILENT_LOOKS = 4
/** When the network may have changed a peer that carries pictures must be heard at once. */
const SILENT_LOOKS_AFTER_WAKE = 2
/** Looks after a change in which it may show. */
const WARY_LOOKS = 8

export class Life {
  private heard: number | null = null
  private silent = 0
  private wary = 0

  /** The network may have changed, or the computer slept. */
  woken(): void {
    this.wary = WARY_LOOKS
    this.silent = 0
  }

  /** `heard`: packets and answers counted so far; `carries`: whether pictures are due. Answers whether it is dead. */
  look(heard: number, carries: boolean): boolean {
    this.silent = heard === this.heard ? this.silent + 1 : 0
    this.heard = heard
    const most = this.wary > 0 && carries ? SILENT_LOOKS_AFTER_WAKE : SILENT_LOOKS
    this.wary = Math.max(0, this.wary - 1)
    return this.silent >= most
  }
}
