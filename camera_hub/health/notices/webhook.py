"""Sends one notice to a web address: a POST of JSON.

    {"id": 12, "kind": "opened" | "closed", "at": time,
     "alarm": {"id", "level": "hub" | "village" | "device" | "camera", "aspect": "media" | "picture" | "clock" |
               "recording" | "osd" | "load", "severity": "critical" | "major" | "minor" | "warning", "cause": a Reason,
               "village", "device", "camera": {"id", "name"} | null, "cameras": [{"id", "name"}], "detail",
               "params": values of the observation that gave the cause (lossy: {"cause", "percent"}), "opened_at",
               "closed_at", "duration_s", "merged": ids of alarms that this one now stands for}}

Any 2xx is a receipt. A receiver that has seen an `id` before ignores the repetition. Redirects are not followed.
"""

import asyncio
import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from camera_hub.errors import HubError, Kind

if TYPE_CHECKING:
    import httpx

NOT_A_REFUSAL = frozenset({408, 425, 429})


class PostOutcome(Enum):
    """How an attempt ended."""

    DELIVERED = "delivered"
    REFUSED = "refused"  # 4xx: the receiver does not want this very notice
    FAILED = "failed"  # 5xx: the receiver answers, and cannot accept it
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True)
class PostResult:
    """One attempt; `error` names the fault without the address (which may carry a key)."""

    outcome: PostOutcome
    error: str | None = None


def host_of(url: str) -> str:
    """The host of a webhook's address: all of it that may be shown. Raises HubError(INVALID) for an unusable one."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = None, None
    if parts is None or parts.scheme not in ("http", "https") or not host:
        raise HubError(
            Kind.INVALID,
            "a webhook's address must begin with http:// or https:// and name a host",
            reason="webhook_url",
        )
    return host


class WebhookClient:
    """The HTTP client that all webhooks share; most hubs have none, so httpx is loaded when the first is posted to."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._client = None
        await self._stack.aclose()

    async def client(self) -> "httpx.AsyncClient":
        if self._client is None:
            import httpx

            logging.getLogger("httpx").setLevel(logging.WARNING)  # its own log lines hold the whole URL
            limits = httpx.Limits(max_connections=None)  # one per channel at most: a slow one must not block a pool
            # trust_env: a proxy must be a setting, never an accident
            made = httpx.AsyncClient(follow_redirects=False, trust_env=False, limits=limits)
            self._client = made  # at once: `enter_async_context` waits, and another channel may ask meanwhile
            await self._stack.enter_async_context(made)
        return self._client


async def post(webhooks: WebhookClient, url: str, timeout_s: float, body: dict[str, Any]) -> PostResult:
    """Send one notice; takes `2 * timeout_s` at most. Never raises for a faulty receiver."""
    client = await webhooks.client()
    import httpx

    try:
        async with asyncio.timeout(2 * timeout_s):
            async with client.stream("POST", url, json=body, timeout=timeout_s) as answer:
                status = answer.status_code  # the body is not read: it may be endless
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        return PostResult(PostOutcome.NO_ANSWER, type(error).__name__)
    if 200 <= status < 300:
        return PostResult(PostOutcome.DELIVERED)
    if 400 <= status < 500 and status not in NOT_A_REFUSAL:
        return PostResult(PostOutcome.REFUSED, f"HTTP {status}")
    return PostResult(PostOutcome.FAILED, f"HTTP {status}")
