// Runs in each page before its own scripts. It only observes and records; it does not change the page.
(() => {
  const MOST = 20000
  const kept = { frames: [], clicks: [], offered: [], uncovered: {} }
  window.__bench = kept
  const watched = new WeakSet()

  const Native = window.RTCPeerConnection
  window.RTCPeerConnection = class extends Native {
    constructor(...values) {
      super(...values)
      kept.last = this
    }

    setLocalDescription(...values) {
      kept.offered.push(performance.now())
      return super.setLocalDescription(...values)
    }
  }

  document.addEventListener('click', (event) => kept.clicks.push(event.timeStamp), true)

  const tileOf = (video) => Number(video.closest('[data-tile]')?.dataset.tile ?? -1)
  const watch = (video) => {
    if (watched.has(video)) return
    watched.add(video)
    let covered = video.classList.contains('covered')
    if (!covered) kept.uncovered[tileOf(video)] = performance.now()
    new MutationObserver(() => {
      const now = video.classList.contains('covered')
      if (covered && !now) kept.uncovered[tileOf(video)] = performance.now()
      covered = now
    }).observe(video, { attributes: true, attributeFilter: ['class'] })
  }

  const prototype = HTMLVideoElement.prototype
  const native = prototype.requestVideoFrameCallback
  prototype.requestVideoFrameCallback = function (callback) {
    watch(this)
    return native.call(this, (now, frame) => {
      const row = [tileOf(this), performance.now(), frame.rtpTimestamp ?? null, frame.receiveTime ?? null]
      if (kept.frames.length < MOST) kept.frames.push(row)
      callback(now, frame)
    })
  }
})()
