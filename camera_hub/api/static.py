"""The pages (camera_hub/web_dist, built with the package) and the headers that every answer carries.

A path that matches no route comes here: a file if there is one, else index.html, since the pages do their own routing.
"""

from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

WEB_DIST = Path(__file__).parent.parent / "web_dist"

# Element Plus sets style attributes: 'unsafe-inline' is allowed for styles only, never for scripts.
CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob: data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_YEAR = "public, max-age=31536000, immutable"
_NOT_BUILT = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>camera hub</title>
<body style="font-family: sans-serif; max-width: 42em; margin: 4em auto">
<h1>网页尚未构建 · The pages are not built</h1>
<p>服务已运行，但缺少网页文件。请用 <code>pip install .</code> 安装（会自动构建网页），
或在 web/ 目录运行 <code>npm ci &amp;&amp; npm run build</code>。</p>
<p>The hub runs, but its pages are missing. Install it with <code>pip install .</code>, which builds them, or run
<code>npm ci &amp;&amp; npm run build</code> in web/. The API answers under <code>/api</code>.</p>
</body></html>"""


class StaticPages:
    """ASGI app for whatever no route matches. `root`: the folder of the built pages."""

    def __init__(self, root: Path = WEB_DIST) -> None:
        self._root = root.resolve()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "nothing here"})
            return
        await self._answer(scope)(scope, receive, send)

    def _answer(self, scope: Scope) -> Response:
        path: str = scope["path"]
        if path == "/api" or path.startswith("/api/"):
            raise HTTPException(404)
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"allow": "GET, HEAD"})
        file = self._file(path)
        if file is None and "." in path.rpartition("/")[2]:
            raise HTTPException(404)  # a missing asset must not look like a page
        file = file or self._file("/index.html")
        if file is None:
            return HTMLResponse(_NOT_BUILT, 503, {"cache-control": "no-store"})
        hashed = file.parent == self._root / "assets"
        return FileResponse(file, headers={"cache-control": _YEAR if hashed else "no-cache"})

    def _file(self, path: str) -> Path | None:
        """The file of that path, None when there is none or it lies outside the pages."""
        if "\x00" in path or "\\" in path:
            return None
        file = (self._root / path.lstrip("/")).resolve()
        return file if file.is_relative_to(self._root) and file.is_file() else None


class SafeHeaders:
    """Middleware: headers that every answer carries. Answers of the API are never stored by a browser or proxy."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        private = scope["path"].startswith("/api/")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if private:
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, with_headers)
