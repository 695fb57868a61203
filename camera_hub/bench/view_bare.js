// A wall with nothing but WHEP: one RTCPeerConnection per tile. It runs before a page's own scripts, in a page of the
// server's own origin, so that no request needs a preflight. window.__bare.urls: what each tile shows;
// window.__bare.at: 'load' opens all of them at once, 'click' waits for a click and then opens what `urls` says and
// nothing does show yet.
(() => {
  const bare = window.__bare
  const tiles = []
  const ready = new Promise((resolve) => {
    if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', resolve)
    else resolve()
  })

  // Nothing but what the cameras send and its retransmission, as the hub's page does: a shorter offer is answered sooner.
  const codecs = () => {
    const all = RTCRtpReceiver.getCapabilities('video').codecs
    const h264 = all.find(({ mimeType, sdpFmtpLine = '' }) =>
      mimeType === 'video/H264' && /packetization-mode=1.*profile-level-id=42e0/.test(sdpFmtpLine))
    return h264 ? [h264, ...all.filter(({ mimeType }) => mimeType === 'video/rtx')] : []
  }

  // The picture that is shown stays until the next one's first frame, as with a considerate page.
  const show = async (index, peer, url, stream) => {
    await ready
    const video = document.createElement('video')
    video.muted = true
    video.autoplay = true
    video.playsInline = true
    video.style.cssText = 'position:absolute;inset:0;width:100%;height:100%'
    tiles[index].place.append(video)
    video.srcObject = stream
    const first = (_, frame) => {
      if (frame.rtpTimestamp === undefined) {
        video.requestVideoFrameCallback(first)
        return
      }
      const before = tiles[index].now
      tiles[index].now = { peer, url, video }
      if (before) {
        before.peer.close()
        before.video.remove()
      }
    }
    video.requestVideoFrameCallback(first)
  }

  const open = async (index, url) => {
    tiles[index].url = url
    const peer = new RTCPeerConnection()
    bare.peers.push(peer)
    const transceiver = peer.addTransceiver('video', { direction: 'recvonly' })
    transceiver.setCodecPreferences(codecs())
    peer.addEventListener('track', (event) => show(index, peer, url, new MediaStream([event.track])))
    await peer.setLocalDescription()
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp', ...bare.headers },
      body: peer.localDescription.sdp,
    })
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${(await answer.text()).slice(0, 200)}`)
    await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() })
  }

  const go = () => {
    for (const [index, url] of bare.urls.entries()) {
      if (tiles[index]?.url === url) continue
      tiles[index] ??= { place: document.createElement('div') }
      open(index, url).catch((error) => { bare.failed = String(error) })
    }
  }

  bare.peers = []
  bare.failed = null
  bare.shown = () => tiles.map((tile) => tile.now?.url ?? null)
  bare.close = () => { for (const peer of bare.peers) peer.close() }
  if (bare.at === 'load') go()
  ready.then(() => {
    const side = Math.ceil(Math.sqrt(bare.urls.length))
    document.body.replaceChildren()
    document.body.style.cssText = 'margin:0;height:100vh;display:grid;grid-template:' +
      `repeat(${side}, 1fr) / repeat(${side}, 1fr)`
    for (const index of bare.urls.keys()) {
      tiles[index] ??= { place: document.createElement('div') }
      tiles[index].place.dataset.tile = index
      tiles[index].place.style.cssText = 'position:relative;background:#222'
      document.body.append(tiles[index].place)
    }
    document.addEventListener('click', go)
  })
})()
