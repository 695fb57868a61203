"""The pages (camera_hub/web_dist, built with the package) and the headers that every answer carries.

A path that matches no route comes here: a file if there is one, else index.html, since the pages do their own routing.
"""

import hashlib
import mimetypes
import re
from contextlib import suppress
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
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
    "permissions-policy": "camera=(), microphone=(), geolocation=(self)",
}
_SUFFIXES = {"br": ".br", "gzip": ".gz"}
"""Content codings and the ending of their files, best first."""
_ZERO = re.compile(r"q\s*=\s*0(\.0{0,3})?")
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}
"""Not left to the machine's table of types: a wrong entry there would keep scripts from running (nosniff)."""
_PAGE = re.compile(r"(/[A-Za-z0-9_-]{0,64}){1,8}")
"""Paths that may be a page's; which of them are, the pages know."""
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
    """ASGI app for whatever no route matches. `root`: the folder of the built pages.

    The build leaves compressed copies (`name.br`, `name.gz`) beside its files; browsers that take them get those.
    """

    def __init__(self, root: Path = WEB_DIST) -> None:
        self._root = root.resolve()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "nothing here"})
            return
        # In a thread, and only one hop there: a cold disk may take long, and a page is a handful of files.
        answer = await run_in_threadpool(self._answer, scope)
        await answer(scope, receive, send)

    def _answer(self, scope: Scope) -> Response:
        path: str = scope["path"]
        if path == "/api" or path.startswith("/api/"):
            raise HTTPException(404)
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"allow": "GET, HEAD"})
        file = self._file(path)
        if file is None and not _PAGE.fullmatch(path):
            raise HTTPException(404)  # a missing asset must not look like a page, nor whatever a stranger types
        file = file or self._file("/index.html")
        if file is None:
            return HTMLResponse(_NOT_BUILT, 503, {"cache-control": "no-store"})
        return self._content(file, Headers(scope=scope))

    def _content(self, file: Path, request: Headers) -> Response:
        """The file in the best encoding that the browser takes, or 304 when it has it already.

        There are no ranges: every file is small, and RFC 9110 14.2 lets a server ignore them.
        """
        headers = {
            "cache-control": _YEAR if file.parent == self._root / "assets" else "no-cache",
            "vary": "accept-encoding",
        }
        encoding, content = _encoded(file, accepted_encodings(request.get("accept-encoding", "")))
        if encoding is not None:
            headers["content-encoding"] = encoding
        # Of the content, not of time and size: a wheel's files may all have the same time, and index.html its size.
        tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        headers["etag"] = tag
        if matches(request.get("if-none-match", ""), tag):
            return Response(status_code=304, headers=headers)
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return Response(content, headers=headers, media_type=_TYPES.get(file.suffix, kind))

    def _file(self, path: str) -> Path | None:
        """The file of that path, None when there is none or it lies outside the pages.

        A compressed copy is none: it is sent in place of its file, which its type and encoding belong to.
        """
        if "\x00" in path or "\\" in path or path.endswith(tuple(_SUFFIXES.values())):
            return None
        try:
            file = (self._root / path.lstrip("/")).resolve()
            return file if file.is_relative_to(self._root) and file.is_file() else None
        except (OSError, ValueError, RuntimeError):  # no name of this file system: too long, no text, a loop
            return None


def accepted_encodings(header: str) -> frozenset[str]:
    """Which of our encodings an Accept-Encoding header takes (RFC 9110 12.5.3): those with a weight above 0."""
    weights: dict[str, bool] = {}
    for item in header.lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        weights[name] = not any(_ZERO.fullmatch(one) for one in parameters)
    others = weights.get("*", False)
    return frozenset(name for name in _SUFFIXES if weights.get(name, others))


def matches(header: str, tag: str) -> bool:
    """Whether an If-None-Match header names this entity tag (RFC 9110 13.1.2, weak comparison)."""
    return header.strip() == "*" or tag in (one.strip().removeprefix("W/") for one in header.split(","))


def _encoded(file: Path, accepted: frozenset[str]) -> tuple[str | None, bytes]:
    """The encoding, None for none, and the file's bytes in it."""
    for encoding, suffix in _SUFFIXES.items():
        if encoding in accepted:
            with suppress(FileNotFoundError):
                return encoding, file.with_name(file.name + suffix).read_bytes()
    return None, file.read_bytes()


class SafeHeaders:
    """Middleware: headers that every answer carries. Answers of the API are never stored by a browser or proxy."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        private = scope["path"].startswith(("/api/", "/whep/"))

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if private:
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, with_headers)
