"""Delivers the outbox: one task per channel, so that no receiver ever waits for another.

Within a channel notices go out in order, at least once, always with the same id. Without a receipt the notice is sent
again with growing intervals, and those behind it wait. It is given up when the receiver refuses it as such (4xx, five
times), when it is older than a day, or when the receiver answers 5xx to it (five times) but accepts the next one:
`delivered_at` and `error` are both set. Rounds never wait for any of this.
"""

import asyncio
import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from sqlalchemy import select, update

from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.events import EventBus, Lagged, NoticeChannelChanged
from camera_hub.health.notices.channels import AddressSealer, open_target
from camera_hub.health.notices.senders import sender_of
from camera_hub.health.notices.sending import ChannelTarget, HttpClients, OutgoingNotice, PostOutcome, PostResult
from camera_hub.running import Backoff, ended, keep_running, running
from camera_hub.store.database import Database
from camera_hub.store.tables import Notice, NoticeChannel

log = logging.getLogger(__name__)

POLL = 1.0
REFUSALS = 5
"""Answers without receipt after which the receiver may be given the next notice, or this one is given up."""

TOO_OLD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Pending:
    id: int
    payload: dict[str, object]
    created_at: datetime
    attempts: int
    sent: int
    next_attempt_at: datetime
    error: str | None


class ChannelDelivery:
    """Delivers the notices of one channel. `delivered` and `failed` count attempts."""

    def __init__(
        self, destination: ChannelTarget, clock: Clock, database: Database, clients: HttpClients, backoff: Backoff
    ) -> None:
        self._to = destination
        self._clock = clock
        self._database = database
        self._sender = sender_of(destination, clients, clock)
        self._backoff = backoff
        self._accepted: set[int] = set()  # by the receiver, and not noted yet because the database was away
        self.delivered = 0
        self.failed = 0

    async def run(self) -> None:
        """Deliver for ever; ends by cancellation."""
        while True:
            before = self.delivered + self.failed
            if not await self.deliver_next():
                await self._clock.sleep(POLL)
            elif self._sender.spacing and self.delivered + self.failed > before:
                await self._clock.sleep(self._sender.spacing)

    async def deliver_next(self) -> bool:
        """Try the oldest pending notice, if it is due. Whether there was one to try."""
        now = self._clock.now()
        head, following = await self._oldest()
        if head is None or head.next_attempt_at > now:
            return False
        if now - head.created_at > TOO_OLD:
            await self._note(
                head, PostResult(PostOutcome.REFUSED, "given up: older than a day"), final=True, attempted=False
            )
            return True
        attempt = await self._post(head)
        tried = head.attempts + 1
        if attempt.outcome is PostOutcome.FAILED and tried >= REFUSALS and following is not None:
            return await self._try_following(head, attempt, following)
        final = attempt.outcome is PostOutcome.DELIVERED or (
            attempt.outcome is PostOutcome.REFUSED and tried >= REFUSALS
        )
        await self._note(head, attempt, final=final)
        return True

    async def _try_following(self, head: _Pending, attempt: PostResult, following: _Pending) -> bool:
        """The receiver fails at `head` again and again: if it accepts the next one, the fault lies with `head`."""
        second = await self._post(following)
        if second.outcome is not PostOutcome.DELIVERED:
            await self._note(head, attempt, final=False)
            return True
        error = f"given up: {attempt.error}, while the next one was accepted"
        await self._note(head, PostResult(attempt.outcome, error), final=True)
        await self._note(following, second, final=True)
        return True

    async def _oldest(self) -> tuple[_Pending | None, _Pending | None]:
        query = (
            select(Notice)
            .where(Notice.channel_id == self._to.channel_id, Notice.delivered_at.is_(None))
            .order_by(Notice.id)
            .limit(2)
        )
        async with self._database.read() as session:
            found = [
                _Pending(row.id, row.payload, row.created_at, row.attempts, row.sent, row.next_attempt_at, row.error)
                for row in await session.scalars(query)
            ]
        return (found[0] if found else None), (found[1] if len(found) > 1 else None)

    async def _post(self, notice: _Pending) -> PostResult:
        if notice.id in self._accepted:
            return PostResult(PostOutcome.DELIVERED)

        async def progress(sent: int) -> None:
            async with self._database.write() as session:
                await session.execute(update(Notice).where(Notice.id == notice.id).values(sent=sent))

        attempt = await self._sender.send(OutgoingNotice(notice.id, notice.payload, notice.sent, progress))
        if attempt.outcome is PostOutcome.DELIVERED:
            self._accepted.add(notice.id)
        self.delivered += attempt.outcome is PostOutcome.DELIVERED
        self.failed += attempt.outcome is not PostOutcome.DELIVERED
        if attempt.error is not None:
            log.warning("notice %d was not accepted by %s: %s", notice.id, self._to.host, attempt.error)
        return attempt

    async def _note(self, notice: _Pending, attempt: PostResult, *, final: bool, attempted: bool = True) -> None:
        """Write the result into the notice and its channel."""
        now, attempts = self._clock.now(), notice.attempts + (attempt.outcome is not PostOutcome.THROTTLED)
        delivered = attempt.outcome is PostOutcome.DELIVERED
        values: dict[str, object] = {"attempts": attempts, "error": None if delivered else attempt.error}
        if final:
            values["delivered_at"] = now
        else:
            pause = max(attempt.pause, self._backoff.pause(max(1, attempts)))
            values["next_attempt_at"] = now + timedelta(seconds=pause)
        async with self._database.write() as session:
            if attempted:
                # The channel before the notice, as its removal locks them: the other way round is a deadlock.
                result: dict[str, object] = {"last_attempt_at": now, "last_error": attempt.error}
                if delivered:
                    result["last_success_at"] = now
                channel = update(NoticeChannel).where(NoticeChannel.id == self._to.channel_id)
                await session.execute(channel.values(result))
            await session.execute(update(Notice).where(Notice.id == notice.id).values(values))
        self._accepted.discard(notice.id)


class NoticeDelivery:
    """A part of the hub, an async context manager: keeps one delivery task per enabled channel."""

    def __init__(
        self, clock: Clock, bus: EventBus, database: Database, sealer: AddressSealer, *, backoff: Backoff = Backoff()
    ) -> None:
        self._clock = clock
        self._bus = bus
        self._database = database
        self._sealer = sealer
        self._backoff = backoff
        self._stack = AsyncExitStack()
        self._tasks: dict[ChannelTarget, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            clients = await stack.enter_async_context(HttpClients())
            work = keep_running("notice channels", lambda: self._follow(clients), clock=self._clock)
            await stack.enter_async_context(running(work, "notice channels"))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _follow(self, clients: HttpClients) -> None:
        """Start and stop deliveries as channels come, change and go."""
        try:
            with self._bus.subscribe(NoticeChannelChanged) as events:
                await self._adjust(clients)
                async for event in events:
                    if isinstance(event, NoticeChannelChanged | Lagged):
                        await self._adjust(clients)
        finally:
            await self._stop(list(self._tasks))

    async def _adjust(self, clients: HttpClients) -> None:
        wanted = await self._destinations()
        await self._stop([one for one in self._tasks if one not in wanted])
        for one in wanted - self._tasks.keys():
            delivery = ChannelDelivery(one, self._clock, self._database, clients, self._backoff)
            name = f"notices to channel {one.channel_id}"
            self._tasks[one] = asyncio.create_task(keep_running(name, delivery.run, clock=self._clock), name=name)

    async def _stop(self, destinations: list[ChannelTarget]) -> None:
        for one in destinations:
            if (task := self._tasks.pop(one, None)) is not None:
                await ended(task)

    async def _destinations(self) -> set[ChannelTarget]:
        """The enabled channels. One whose address cannot be decrypted with this hub's key is left out, and says so."""
        query = select(NoticeChannel).where(NoticeChannel.enabled.is_(True), NoticeChannel.url_sealed.is_not(None))
        async with self._database.read() as session:
            rows = (await session.scalars(query)).all()
        found: set[ChannelTarget] = set()
        for row in rows:
            try:
                found.add(open_target(row, self._sealer))
            except (HubError, ValueError):
                log.error(
                    "the address of channel %s cannot be decrypted with this hub's key file; enter it again", row.name
                )
        return found
