"""The first start: a one-time link, shown on the console, with which the first township admin is created.

There is no default account and no default password. A link expires, and it can be used once; each start without users
creates a new link and makes older ones invalid.
"""

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.accounts import Account, Accounts
from camera_hub.access.policy import Role
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.store.database import Database
from camera_hub.store.tables import SetupLink, User


class FirstSetup:
    """Creates and redeems the link. `minutes`: how long it is valid."""

    def __init__(self, database: Database, clock: Clock, accounts: Accounts, minutes: float) -> None:
        self._database = database
        self._clock = clock
        self._accounts = accounts
        self._lifetime = timedelta(minutes=minutes)

    async def needed(self) -> bool:
        """Whether the hub still waits for its first user."""
        return await self._accounts.count() == 0

    async def new_token(self) -> str | None:
        """The token of a new link, None when there are users. Earlier links become invalid."""
        if not await self.needed():
            return None
        token = secrets.token_urlsafe(32)
        now = self._clock.now()
        async with self._database.write() as session:
            await session.execute(delete(SetupLink))
            session.add(SetupLink(token_hash=_hash(token), created_at=now, expires_at=now + self._lifetime))
        return token

    async def redeem(self, token: str, username: str, display_name: str, password: str) -> Account:
        """Create the first township admin. Raises HubError: "setup_link_bad", or what is wrong with the password."""
        now = self._clock.now()

        async def use_up(session: AsyncSession) -> None:
            """One statement decides between two browsers that use the link at the same moment."""
            used = await session.execute(
                update(SetupLink)
                .where(SetupLink.token_hash == _hash(token), SetupLink.used_at.is_(None), SetupLink.expires_at > now)
                .values(used_at=now)
                .returning(SetupLink.token_hash)
            )
            if used.scalar_one_or_none() is None:
                raise _bad()
            if await session.scalar(select(User.id).limit(1)) is not None:
                raise HubError(Kind.CONFLICT, "the hub has users already; sign in", reason="setup_done")

        async with self._database.read() as session:
            if await session.get(SetupLink, _hash(token)) is None:
                raise _bad()  # before a password hash is computed for it
        return await self._accounts.create(username, display_name, Role.TOWNSHIP_ADMIN, password, guard=use_up)


def _bad() -> HubError:
    return HubError(
        Kind.FORBIDDEN,
        "this set-up link is no longer valid; restart the hub and use the new link that it shows",
        reason="setup_link_bad",
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
