"""The audit chain in the database: links are appended in the transaction of what they seal, the anchor follows.

On PostgreSQL a lock of the transaction lets one append at a time, on SQLite there is one writer anyway; two links with
the same `previous` are refused by the table besides. Append last in a transaction: the lock is held until its end.
"""

import asyncio
import logging
import os
import zlib
from contextlib import AsyncExitStack
from typing import Self

from sqlalchemy import delete, event, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.audit.anchor import Anchor, AnchorFile
from camera_hub.access.audit.canonical import Json, canonical
from camera_hub.access.audit.links import GENESIS, Link, digest, next_link
from camera_hub.access.vault import Vault
from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.running import keep_running, running
from camera_hub.store.database import Database
from camera_hub.store.tables import AuditCopy, AuditKey, AuditLink

log = logging.getLogger(__name__)

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('camera hub audit'), hashtext(current_schema()))")
KEY_BYTES = 32
RESTORED = "restored"
"""Kind of the link by which an administrator has told that an older state of the database was restored."""


class AuditChain:
    """Appends links, and keeps the anchor at the newest one. An async context manager."""

    def __init__(self, database: Database, vault: Vault, clock: Clock, anchor: AnchorFile) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._anchor = anchor
        self._key: tuple[int, bytes] = (0, b"")
        self._moved = asyncio.Event()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with self._database.write() as session:
            await lock(session)
            self._key = await newest_key(session, self._vault, self._clock)
        await self._begin_anchor()
        await self.follow()
        async with AsyncExitStack() as stack:
            loop = keep_running("audit anchor", self._follow, clock=self._clock)
            await stack.enter_async_context(running(loop, "audit anchor"))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        await self.follow()

    async def append(self, session: AsyncSession, kind: str, subject: str, content: Json) -> Link:
        """Seal `content` in the caller's transaction, as its last act; the anchor follows when it is committed.

        Raises ValueError for content that has no canonical JSON.
        """
        sealed = canonical(content)
        link = await append(session, self._key, self._clock, kind, subject, sealed)
        event.listen(session.sync_session, "after_commit", self._committed, once=True)
        return link

    async def follow(self) -> None:
        """Move the anchor to the newest link. It stays where the chain does not hold the link that it names: then it is
        evidence, and the log says so. Raises HubError."""
        anchor = await asyncio.to_thread(self._anchor.read)
        async with self._database.read() as session:
            head = await newest(session)
            at_anchor = GENESIS if anchor is None or anchor.sequence == 0 else await _hash_at(session, anchor.sequence)
        if anchor is None or at_anchor != anchor.hash:
            log.error(
                "the audit chain does not fit its anchor %s: links were removed, or an older state of the database was"
                " restored; run: camera-hub verify-audit",
                self._anchor.path,
            )
            return
        if head is not None and head[0] > anchor.sequence:
            await asyncio.to_thread(self._anchor.advance, Anchor.of(*head, *self._key))

    async def _begin_anchor(self) -> None:
        """A chain without a link gets its anchor before the first one: so a missing file always means something."""
        async with self._database.read() as session:
            head = await newest(session)
        if head is None and await asyncio.to_thread(self._anchor.read) is None:
            await asyncio.to_thread(self._anchor.write, Anchor.of(0, GENESIS, *self._key))

    async def _follow(self) -> None:
        while True:
            await self._moved.wait()
            self._moved.clear()
            try:
                await self.follow()
            except HubError:
                self._moved.set()  # again, after the pause that follows a failure
                raise

    def _committed(self, _session: object) -> None:
        self._moved.set()


async def anchor_anew(database: Database, vault: Vault, clock: Clock, file: AnchorFile, words: str) -> Link:
    """Add a link that says that an older state of the database was restored, and what the anchor named until then;
    then set the anchor to it. Raises HubError."""
    try:
        former = await asyncio.to_thread(file.read)
    except HubError as error:
        if error.reason != "anchor_file":
            raise
        former = None
    told: dict[str, Json] = {
        "sequence": None if former is None else former.sequence,
        "hash": None if former is None else former.hash,
        "words": words,
    }
    async with database.write() as session:
        await lock(session)
        key = await newest_key(session, vault, clock)
        link = await append(session, key, clock, RESTORED, "database", canonical(told))
    await asyncio.to_thread(file.write, Anchor.of(link.sequence, link.hash, *key))
    return link


async def append(
    session: AsyncSession, key: tuple[int, bytes], clock: Clock, kind: str, subject: str, sealed: bytes
) -> Link:
    """Add the link of `sealed`, canonical JSON, with its compressed copy."""
    await lock(session)
    link = next_link(*key, await newest(session), clock.now(), kind, subject, digest(sealed))
    # A copy whose link was deleted must not keep the hub from sealing: that the link is gone, the anchor tells.
    await session.execute(delete(AuditCopy).where(AuditCopy.sequence == link.sequence))
    session.add(AuditLink(**{name: getattr(link, name) for name in Link.__slots__}))
    session.add(AuditCopy(sequence=link.sequence, content=zlib.compress(sealed)))
    await session.flush()
    return link


async def lock(session: AsyncSession) -> None:
    """Wait until no other transaction is adding a link, and let none until this one ends."""
    connection = await session.connection()
    if connection.dialect.name == "postgresql":
        await session.execute(_LOCK)


async def newest(session: AsyncSession) -> tuple[int, str] | None:
    """Sequence and hash of the newest link."""
    query = select(AuditLink.sequence, AuditLink.hash).order_by(AuditLink.sequence.desc()).limit(1)
    row = (await session.execute(query)).first()
    return None if row is None else (row.sequence, row.hash)


async def newest_key(session: AsyncSession, vault: Vault, clock: Clock) -> tuple[int, bytes]:
    """Number and bytes of the newest key; a new one where there is none that this vault opens."""
    row = await session.scalar(select(AuditKey).order_by(AuditKey.id.desc()).limit(1))
    if row is not None:
        try:
            return row.id, opened(vault, row)
        except HubError as error:
            log.error("the key of the audit chain cannot be opened (%s); a new one signs from now on", error)
    key = os.urandom(KEY_BYTES)
    added = AuditKey(sealed=b"", created_at=clock.now())
    session.add(added)
    await session.flush()
    added.sealed = vault.seal(key.hex(), owner(added.id))
    await session.flush()
    return added.id, key


def opened(vault: Vault, row: AuditKey) -> bytes:
    """The key of a row. Raises HubError(UNAVAILABLE, credential_locked)."""
    return bytes.fromhex(vault.open(row.sealed, owner(row.id)))


def owner(key_id: int) -> str:
    """For whom the vault seals a key of the chain."""
    return f"audit key:{key_id}"


async def _hash_at(session: AsyncSession, sequence: int) -> str | None:
    return await session.scalar(select(AuditLink.hash).where(AuditLink.sequence == sequence))
