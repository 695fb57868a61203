"""Pages of other sites that may play cameras by WHEP (setting media.whep_origins); no other route is for them."""

import re
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

WHEP_PATHS = re.compile(r"/whep/.*|/api/whep/.*|/api/cameras/[^/]+/whep(?:/[^/]+)?", re.DOTALL)
_EXPOSED = "Location, Link, ETag, Accept-Patch, Accept-Post, Retry-After, WWW-Authenticate"
_PREFLIGHT = {
    "access-control-allow-methods": "OPTIONS, POST, PATCH, DELETE",
    "access-control-allow-headers": "Authorization, Content-Type, If-Match",
    "access-control-max-age": "600",
}


class WhepOrigins:
    """Middleware: CORS headers on WHEP's answers, refusals as well. `origins`: as browsers name them; "*" = any.

    Cookies are never allowed along: such a page shows a stream token.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._origins or not WHEP_PATHS.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        request = Headers(scope=scope)
        origin = request.get("origin", "")
        allowed = bool(origin) and bool({origin, "*"} & self._origins)
        preflight = scope["method"] == "OPTIONS" and "access-control-request-method" in request

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")
                if allowed:
                    headers["access-control-allow-origin"] = origin
                    headers["access-control-expose-headers"] = _EXPOSED
                    headers["cross-origin-resource-policy"] = "cross-origin"
                    if preflight:
                        headers.update(_PREFLIGHT)
            await send(message)

        await self._app(scope, receive, with_headers)
