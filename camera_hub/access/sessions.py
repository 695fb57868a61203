"""Signed-in browsers: opaque tokens, of which only the SHA-256 is stored, with an absolute lifetime.

An actor is cached for at most 5 s, so that a page's many requests cost one read, and a right that was withdrawn, even
by another process, is gone within 5 s; one that ends by the clock ends on time. A change made through this object takes
effect at once.
"""

import hashlib
import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.actors import read_actor
from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.store.database import Database
from camera_hub.store.tables import UserSession

log = logging.getLogger(__name__)

CACHE_SECONDS = 5.0
_CACHE_ENTRIES = 4096
_SEEN_EVERY = timedelta(minutes=5)
SESSIONS_PER_USER = 64
"""A user's sessions beyond these end, oldest first; their browsers go to sign-in."""


@dataclass(frozen=True, slots=True)
class _CachedActor:
    actor: Actor
    until: float  # monotonic


class Sessions:
    """The sessions of this hub. `hours`: how long one lasts, used or not."""

    def __init__(self, database: Database, clock: Clock, hours: float) -> None:
        self._database = database
        self._clock = clock
        self._lifetime = timedelta(hours=hours)
        self._known: dict[str, _CachedActor] = {}
        self._changes = 0  # made through this object: what was read before one is not remembered after it

    @property
    def lifetime_seconds(self) -> int:
        return int(self._lifetime.total_seconds())

    async def start(self, user_id: int, *, address: str = "", agent: str = "") -> str:
        """Start a session and return its token; expired sessions, and the user's oldest beyond SESSIONS_PER_USER, are
        deleted at the same time.
        """
        token = secrets.token_urlsafe(32)
        now = self._clock.now()
        async with self._database.write() as session:
            await session.execute(delete(UserSession).where(UserSession.expires_at <= now))
            theirs = select(UserSession.token_hash).where(UserSession.user_id == user_id)
            newest_first = theirs.order_by(UserSession.created_at.desc(), UserSession.token_hash)
            old = (await session.scalars(newest_first.offset(SESSIONS_PER_USER - 1))).all()
            if old:
                await session.execute(delete(UserSession).where(UserSession.token_hash.in_(old)))
            session.add(
                UserSession(
                    token_hash=_hash(token),
                    user_id=user_id,
                    created_at=now,
                    seen_at=now,
                    expires_at=now + self._lifetime,
                    address=address[:64],
                    agent=agent[:255],
                )
            )
        if old:
            self.forget(user_id)
        return token

    async def actor(self, token: str) -> Actor | None:
        """The user of the session; None when it is unknown, expired, or its user is disabled."""
        key = _hash(token)
        known = self._known.get(key)
        if known is not None and self._clock.monotonic() < known.until:
            return known.actor
        self._known.pop(key, None)
        now, changes = self._clock.now(), self._changes
        async with self._database.read() as session:
            held = await session.get(UserSession, key)
            if held is None or held.expires_at <= now:
                return None
            reading = await read_actor(session, held.user_id, now)
        if reading is None:
            return None
        if now - held.seen_at >= _SEEN_EVERY:
            await self._note_seen(key, now)
        ends = min(held.expires_at, reading.holds_until or held.expires_at)
        seconds = min(CACHE_SECONDS, (ends - now).total_seconds())
        if changes == self._changes:
            self._remember(key, _CachedActor(reading.actor, self._clock.monotonic() + seconds))
        return reading.actor

    async def _note_seen(self, key: str, now: datetime) -> None:
        """Record that the session is in use; where nothing can be written (disk full), the session works without."""
        try:
            async with self._database.write() as session:
                await session.execute(update(UserSession).where(UserSession.token_hash == key).values(seen_at=now))
        except HubError as error:
            log.debug("the use of a session could not be recorded: %s", error)

    async def end(self, token: str) -> None:
        """End one session; an unknown one is not an error."""
        async with self._database.write() as session:
            await session.execute(delete(UserSession).where(UserSession.token_hash == _hash(token)))
        self._changes += 1
        self._known.pop(_hash(token), None)

    async def end_all(self, session: AsyncSession, user_id: int, *, keep: str = "") -> None:
        """End all sessions of a user except `keep`, in the caller's transaction. Call `forget` after its commit."""
        await session.execute(
            delete(UserSession).where(
                UserSession.user_id == user_id, UserSession.token_hash != (_hash(keep) if keep else "")
            )
        )

    def forget(self, user_id: int) -> None:
        """Drop a user from the cache, so that the next request reads what is stored."""
        self._changes += 1
        self._known = {key: known for key, known in self._known.items() if known.actor.user_id != user_id}

    def _remember(self, key: str, known: _CachedActor) -> None:
        while len(self._known) >= _CACHE_ENTRIES:
            del self._known[next(iter(self._known))]
        self._known[key] = known


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
