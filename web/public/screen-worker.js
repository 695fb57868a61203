// Answers for the hub while it is not there: the browser of a screen may be started before the hub, or without the network.
// It stores nothing and changes nothing: as soon as the hub answers, its own page is loaded.
const WAITING = `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>大屏</title>
<style>
  html { height: 100%; background: #000; color: #949ba4; font: 20px/1.8 system-ui, sans-serif; cursor: none }
  body { display: grid; place-items: center; height: 100%; margin: 0; text-align: center }
  p { margin: 0 } p + p { font-size: 14px; color: #7a818a }
</style>
<body><div><p>正在等待主机，连通后自动恢复画面</p><p>Waiting for the hub; the pictures return by themselves</p></div>
<script>
  const again = async () => {
    try {
      // Once only: a second reload would abort the first, for ever on a slow machine.
      if ((await fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(4000) })).ok) return location.reload()
    } catch { /* not yet */ }
    setTimeout(again, 3000)
  }
  setTimeout(again, 1000)
</script></body></html>`

self.addEventListener('install', () => self.skipWaiting())
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))
self.addEventListener('fetch', (event) => {
  if (event.request.mode !== 'navigate') return
  event.respondWith(
    fetch(event.request, { signal: AbortSignal.timeout(8000) })
      .then((answer) => (answer.status >= 500 ? Promise.reject(answer.status) : answer))
      .catch(() => new Response(WAITING, { status: 200, headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' } })),
  )
})
