"""How a route gets the hub's parts and states its policy.

    router = APIRouter(prefix="/api/cameras")

    @router.get("")
    async def cameras(actor: Annotated[Actor, needs(Action.VIEW)], register: Annotated[Register, part(Register)]): …

A route without `needs` or `public` stops the hub from starting (`check_policies`) and fails the suite.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from fastapi import Depends, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute, iter_route_contexts
from starlette.requests import HTTPConnection

from camera_hub.access.policy import Action, Actor, allows
from camera_hub.errors import HubError, Kind

COOKIE = "camera_hub_session"
CSRF_HEADER = "x-camera-hub"
"""Sent by our own pages with every unsafe request; a foreign page cannot set it without a preflight."""

T = TypeVar("T")


class SessionReader(Protocol):
    """What routing needs of access.sessions."""

    async def actor(self, token: str) -> Actor | None:
        """The user of the session, None when it is unknown, expired, or its user is disabled."""
        ...


class Part:
    """Provides the hub's part of one type. A class, so that `check_parts` can see what a route asks for."""

    def __init__(self, kind: type[Any]) -> None:
        self.kind = kind

    def __call__(self, connection: HTTPConnection) -> Any:
        return connection.app.state.parts[self.kind]


def part(kind: type[T]) -> Any:
    """The hub's part of that type, as app.py put it together.

    Routes name in their signature what they use, as FastAPI's dependencies do; nothing else can look parts up, and a
    part that is missing stops the hub from starting (`check_parts`) instead of failing at the first request.
    """
    return Depends(Part(kind))


class Judged:
    """A policy that asks for a right."""

    def __init__(self, action: Action) -> None:
        self.action = action


class Needs(Judged):
    """Authorizes a request: it must come from our own page (403), have a session (401), and the role must allow it
    (403). Returns the actor.
    """

    async def __call__(self, connection: HTTPConnection) -> Actor:
        refuse_foreign_pages(connection)
        sessions: SessionReader = connection.app.state.sessions
        token = session_token(connection)
        actor = await sessions.actor(token) if token else None
        if actor is None:
            raise HubError(Kind.UNAUTHENTICATED, "sign in first; the session is missing or has ended")
        if not allows(actor, self.action):
            who = f"the role {actor.role.value}" + (", bound to some villages," if actor.bound else "")
            raise HubError(Kind.FORBIDDEN, f"{who} may not do this ({self.action.value})")
        return actor


class Public:
    """Marks a route that anybody may call, except pages of other sites."""

    async def __call__(self, connection: HTTPConnection) -> None:
        refuse_foreign_pages(connection)


def cookie_name(secure: bool) -> str:
    """The cookie's name. With HTTPS browsers enforce the prefix: no other host and no page over HTTP can set it."""
    return f"__Host-{COOKIE}" if secure else COOKIE


def session_token(connection: HTTPConnection) -> str:
    """The session token sent with the request, "" when there is none.

    Programs other than browsers (WHEP players) send it as a bearer token, as the WHEP draft says.
    """
    if (bearer := _bearer(connection)) is not None:
        return bearer
    return connection.cookies.get(cookie_name(getattr(connection.app.state, "secure_cookies", False)), "")


def _bearer(connection: HTTPConnection) -> str | None:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def needs(action: Action) -> Any:
    """The route's policy; its value is the Actor."""
    return Depends(Needs(action))


def public() -> Any:
    """The policy of routes before sign-in."""
    return Depends(Public())


def refuse_foreign_pages(connection: HTTPConnection, with_bearer: Collection[str] = ()) -> None:
    """Refuse unsafe requests and WebSockets that another site's page sent. Raises HubError(FORBIDDEN).

    `with_bearer`: origins whose pages may send a bearer token ("*" = all), which no browser adds by itself.
    """
    origin = connection.headers.get("origin")
    unsafe = connection.scope["type"] == "websocket" or connection.scope.get("method") not in ("GET", "HEAD", "OPTIONS")
    if not unsafe:
        return
    allowed: tuple[str, ...] = connection.app.state.origins
    host = connection.headers.get("host", "")
    if origin is not None and _bearer(connection) is not None and {origin, "*"} & set(with_bearer):
        return
    if origin is not None and origin not in allowed and origin.partition("://")[2] != host:
        raise HubError(Kind.FORBIDDEN, "this request comes from another site's page", reason="foreign_origin")
    if _bearer(connection) is not None:
        return  # a browser never adds one by itself, and a foreign page would need a preflight
    if connection.scope["type"] == "http" and CSRF_HEADER not in connection.headers:
        raise HubError(
            Kind.FORBIDDEN,
            f"the header {CSRF_HEADER} is missing; send it with every unsafe request",
            reason="header_missing",
        )


@dataclass(frozen=True, slots=True)
class Stated:
    """A route and the policy it states: an action, or None for a public one; `stated` is false when it states none."""

    methods: tuple[str, ...]
    path: str
    stated: bool
    action: Action | None


def policies(app: FastAPI) -> list[Stated]:
    """Every route of the app with its policy, those of included routers too (`app.routes` does not show them)."""
    found = []
    for context in iter_route_contexts(app.routes):
        is_api = isinstance(context.original_route, APIRoute | APIWebSocketRoute)
        methods = tuple(sorted(context.methods or ())) or ("WS",)
        found_policies = list(_policies_of(context.dependant)) if is_api else []
        actions = [policy.action for policy in found_policies if isinstance(policy, Judged)]
        found.append(Stated(methods, context.path or "", bool(found_policies), actions[0] if actions else None))
    return found


def check_policies(app: FastAPI) -> None:
    """Raise RuntimeError naming every route that states no policy."""
    bare = [f"{'/'.join(route.methods)} {route.path}" for route in policies(app) if not route.stated]
    if bare:
        raise RuntimeError(f"routes without a policy: {', '.join(sorted(bare))}")


def check_parts(app: FastAPI, parts: Mapping[type, Any]) -> None:
    """Raise RuntimeError naming every part that a route asks for and that is not among `parts`."""
    missing = {
        f"{asked.kind.__name__} ({context.path})"
        for context in iter_route_contexts(app.routes)
        if isinstance(context.original_route, APIRoute | APIWebSocketRoute)
        for asked in _asked(context.dependant)
        if asked.kind not in parts
    }
    if missing:
        raise RuntimeError(f"routes ask for parts that do not exist: {', '.join(sorted(missing))}")


def _asked(dependant: Dependant) -> Iterator[Part]:
    for below in dependant.dependencies:
        if isinstance(below.call, Part):
            yield below.call
        yield from _asked(below)


def _policies_of(dependant: Dependant) -> Iterator[Judged | Public]:
    for below in dependant.dependencies:
        if isinstance(below.call, Judged | Public):
            yield below.call
        yield from _policies_of(below)
