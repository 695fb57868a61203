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
  // A picture is seen once it is uncovered and its video stands in a tile of the document, whichever comes last.
  const videos = new Set()
  const seen = new WeakSet()
  const look = (video) => {
    const visible = !video.classList.contains('covered') && video.isConnected && tileOf(video) >= 0
    if (visible && !seen.has(video)) {
      kept.uncovered[tileOf(video)] = performance.now()
      seen.add(video)
    } else if (!visible) seen.delete(video)
  }
  const watch = (video) => {
    if (watched.has(video)) return
    watched.add(video)
    videos.add(video)
    look(video)
    new MutationObserver(() => look(video)).observe(video, { attributes: true, attributeFilter: ['class'] })
  }
  new MutationObserver(() => videos.forEach(look)).observe(document, { childList: true, subtree: true })

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
