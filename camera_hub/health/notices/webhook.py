"""Tells alarms to a web address: delivers the outbox, in order, at least once, always with the same id.

A POST of JSON:

    {"id": 12, "kind": "opened" | "closed", "at": time,
     "alarm": {"id", "level": "hub" | "village" | "device" | "camera", "cause": a Reason,
               "village", "device", "camera": {"id", "name"} | null, "cameras": [{"id", "name"}], "detail",
               "opened_at", "closed_at", "duration_s", "merged": ids of alarms that this one now speaks for}}

Any 2xx is a receipt. A receiver that has seen an `id` before ignores the repetition. Redirects are not followed.
Without a receipt the notice is sent again, later and later, and those behind it wait, so that order is kept. A notice
that the receiver refuses as such (4xx, five times) or that is older than a day is given up: `delivered_at` and `error`
are both set. Rounds never wait for any of this.
"""

import asyncio
import logging
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Self
from urllib.parse import urlsplit

import httpx
from sqlalchemy import select

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.running import Backoff, keep_running, running
from camera_hub.settings import NoticeSettings
from camera_hub.store.database import Database
from camera_hub.store.tables import Notice

log = logging.getLogger(__name__)

POLL = 1.0
REFUSALS = 5
TOO_OLD = timedelta(days=1)
NOT_A_REFUSAL = frozenset({408, 425, 429})


class Webhook:
    """An async context manager; without a URL it does nothing. `delivered` and `failed` count attempts."""

    def __init__(
        self, settings: NoticeSettings, clock: Clock, database: Database, *, backoff: Backoff = Backoff()
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._database = database
        self._backoff = backoff
        self._stack = AsyncExitStack()
        # Robot addresses carry their key in the query: only the host may be named.
        self._host = urlsplit(settings.webhook_url).hostname or "?"
        self.delivered = 0
        self.failed = 0

    async def __aenter__(self) -> Self:
        if not self._settings.webhook_url:
            return self
        if urlsplit(self._settings.webhook_url).scheme not in ("http", "https"):
            raise HubError(Kind.INVALID, "setting notices.webhook_url must begin with http:// or https://")
        await self._stack.enter_async_context(running(keep_running("webhook", self._run, clock=self._clock), "webhook"))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _run(self) -> None:
        # httpx's own log lines hold the whole URL; trust_env: a proxy must be a setting, never an accident.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        async with httpx.AsyncClient(
            follow_redirects=False, trust_env=False, timeout=self._settings.webhook_timeout
        ) as client:
            while True:
                if not await self.deliver_next(client):
                    await self._clock.sleep(POLL)

    async def deliver_next(self, client: httpx.AsyncClient) -> bool:
        """Try the oldest notice that waits, if it is due. Whether there was one to try."""
        now = self._clock.now()
        async with self._database.read() as session:
            notice = await session.scalar(
                select(Notice).where(Notice.delivered_at.is_(None)).order_by(Notice.id).limit(1)
            )
        if notice is None or notice.next_attempt_at > now:
            return False
        if now - notice.created_at > TOO_OLD:
            await self._note(notice.id, "given up: older than a day", final=True)
            return True
        error, refused = await self._post(client, notice)
        self.delivered += error is None
        self.failed += error is not None
        if error is not None:
            log.warning("notice %d was not taken by %s: %s", notice.id, self._host, error)
        await self._note(notice.id, error, final=error is None or (refused and notice.attempts + 1 >= REFUSALS))
        return True

    async def _post(self, client: httpx.AsyncClient, notice: Notice) -> tuple[str | None, bool]:
        """(why it was not taken, whether the receiver refused this very notice)."""
        try:
            async with asyncio.timeout(2 * self._settings.webhook_timeout):
                async with client.stream(
                    "POST", self._settings.webhook_url, json={"id": notice.id, **notice.payload}
                ) as answer:
                    status = answer.status_code  # the body is not read: it may be endless
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            return type(error).__name__, False
        if 200 <= status < 300:
            return None, False
        return f"HTTP {status}", 400 <= status < 500 and status not in NOT_A_REFUSAL

    async def _note(self, notice_id: int, error: str | None, *, final: bool) -> None:
        async with self._database.write() as session:
            notice = await session.get(Notice, notice_id)
            if notice is None:
                return
            now = self._clock.now()
            notice.attempts += 1
            notice.error = error
            if final:
                notice.delivered_at = now
            else:
                notice.next_attempt_at = now + timedelta(seconds=self._backoff.pause(notice.attempts))
