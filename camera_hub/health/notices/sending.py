"""What senders of all kinds share: one notice that goes out, how an attempt ended, and HTTP with bounds.

Redirects are not followed, no proxy is taken from the environment, an answer is read to `ANSWER` bytes at most, and an
attempt takes twice the channel's time limit at most. Errors never contain an address: it may carry a key.
"""

import asyncio
import json
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    import httpx

ANSWER = 8192
NOT_A_REFUSAL = frozenset({408, 425, 429})


class PostOutcome(Enum):
    """How an attempt ended."""

    DELIVERED = "delivered"
    REFUSED = "refused"  # the receiver does not want this very notice
    FAILED = "failed"  # the receiver answers, and cannot accept it
    NO_ANSWER = "no_answer"
    THROTTLED = "throttled"  # too many at once: later


@dataclass(frozen=True, slots=True)
class PostResult:
    """One attempt; `error` names the fault without the address (which may carry a key), `reason` is its code for pages
    (channel_*). `pause`: seconds for which the receiver wants nothing more."""

    outcome: PostOutcome
    error: str | None = None
    reason: str | None = None
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class ChannelTarget:
    """An enabled channel with its address and secrets (JSON) in the clear: never logged, never stored."""

    channel_id: int
    name: str
    host: str
    url: str
    timeout_s: float
    kind: str = "webhook"
    options: str = "{}"
    secrets: str = "{}"

    def __repr__(self) -> str:
        return f"ChannelTarget({self.channel_id}, {self.kind}, {self.host})"

    @property
    def settings(self) -> dict[str, Any]:
        """Its options (notices.options)."""
        return dict(json.loads(self.options))

    @property
    def secret(self) -> dict[str, Any]:
        """Its secrets, with `proxy` among them if it has one."""
        return dict(json.loads(self.secrets))


@dataclass(frozen=True, slots=True)
class OutgoingNotice:
    """A notice on its way. `sent`: how many of the channel's receivers have it already; `progress` notes one more."""

    id: int
    payload: Mapping[str, Any]
    sent: int
    progress: Callable[[int], Awaitable[None]]

    def said(self, name: str) -> str:
        """A text of the notice: title, text or short."""
        return str(self.payload.get(name, ""))


class Sender(Protocol):
    """Sends notices to one channel. Never raises for a faulty receiver; `spacing`: seconds between two notices."""

    spacing: float

    async def send(self, notice: OutgoingNotice) -> PostResult: ...


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """Status and the beginning of the body."""

    status: int
    body: bytes


class HttpClients:
    """The HTTP clients that all channels share, one for each proxy; most hubs have none, so httpx is loaded when the
    first is used."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._clients: dict[str, httpx.AsyncClient] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._clients.clear()
        await self._stack.aclose()

    def client(self, proxy: str = "") -> "httpx.AsyncClient":
        """The client that goes through this proxy; "": directly."""
        if proxy not in self._clients:
            import httpx

            logging.getLogger("httpx").setLevel(logging.WARNING)  # its own log lines hold the whole URL
            limits = httpx.Limits(max_connections=None)  # one per channel at most: a slow one must not block a pool
            # trust_env: a proxy must be a setting, never an accident
            made = httpx.AsyncClient(
                follow_redirects=False,
                trust_env=False,
                limits=limits,
                proxy=proxy or None,
                headers={"Accept-Encoding": "identity"},  # answers are read as they come, and bounded as such
            )
            self._clients[proxy] = made
            self._stack.push_async_callback(made.aclose)
        return self._clients[proxy]

    async def ask(
        self,
        target: ChannelTarget,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        read: bool = True,
    ) -> HttpAnswer | PostResult:
        """Send one request; the beginning of the answer (not `read`: its status alone), or why there is none."""
        import httpx

        proxy = str(target.secret.get("proxy", ""))
        client = self.client(proxy)
        try:
            async with asyncio.timeout(2 * target.timeout_s):
                async with client.stream(
                    method, url, content=body, headers=dict(headers), timeout=target.timeout_s
                ) as answer:
                    if proxy and answer.status_code == 407:  # the receiver has not even been asked
                        return PostResult(PostOutcome.NO_ANSWER, "proxy: 407", "channel_proxy")
                    found = bytearray()
                    if not read:
                        return HttpAnswer(answer.status_code, b"")
                    async for part in answer.aiter_raw():
                        found += part
                        if len(found) >= ANSWER:
                            break
                    return HttpAnswer(answer.status_code, bytes(found[:ANSWER]))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError) as error:
            return no_answer(error, bool(proxy))


def no_answer(error: BaseException, by_proxy: bool = False) -> PostResult:
    """What a failed connection means."""
    name = type(error).__name__
    if "Timeout" in name:
        reason = "channel_timeout"
    elif _is_tls(error):
        reason = "channel_tls"
    elif by_proxy and name in ("ConnectError", "ProxyError", "OSError", "ConnectionRefusedError", "gaierror"):
        reason = "channel_proxy"
    else:
        reason = "channel_unreachable"
    return PostResult(PostOutcome.NO_ANSWER, name, reason)


def by_status(status: int) -> PostResult:
    """What an HTTP status means for a notice."""
    if 200 <= status < 300:
        return PostResult(PostOutcome.DELIVERED)
    if status == 429:
        return PostResult(PostOutcome.FAILED, "HTTP 429", "channel_rate")
    if status in (401, 403, 407):  # of the channel, not of this notice: it waits until the login is put right
        return PostResult(PostOutcome.FAILED, f"HTTP {status}", "channel_login")
    if 400 <= status < 500 and status not in NOT_A_REFUSAL:
        return PostResult(PostOutcome.REFUSED, f"HTTP {status}", "channel_http")
    return PostResult(PostOutcome.FAILED, f"HTTP {status}", "channel_http")


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError) or "CERTIFICATE" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
