"""Verifying the whole audit chain: link by link, in bounded memory, while the hub runs or not.

Links are read in pages, each page with what it sealed from one snapshot of the database; of their copies, as many at
once as have COPIES_BYTES together. What a kind of link has sealed
is compared by the room that sealed it (`SealedKind`). Kinds that nobody compares are verified as links alone.
"""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import LargeBinary, Row, cast, func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import NullType

from camera_hub.access.audit.anchor import Anchor, AnchorFile
from camera_hub.access.audit.canonical import Json
from camera_hub.access.audit.chain import RESTORED, opened
from camera_hub.access.audit.faults import AuditFault, link_fault
from camera_hub.access.audit.links import GENESIS, Link, digest, link_hash, mac
from camera_hub.access.vault import Vault
from camera_hub.errors import HubError
from camera_hub.store.database import Database
from camera_hub.store.tables import AuditCopy, AuditKey, AuditLink
from camera_hub.store.tables.base import table_of

PAGE = 500
"""Links in one snapshot."""
COPIES_BYTES = 4 * 1024 * 1024
"""Compressed copies of what links have sealed that are read at once: more only where a single one is larger."""
MOST_FAULTS = 1000
"""Faults that are listed; the others are counted."""
MOST_NAMED = 20
"""Missing links of which it is told what they had sealed."""
MOST_BYTES = 64 * 1024 * 1024
"""Of one copy, unpacked."""
_SAY_SO = 'then say so: camera-hub verify-audit --restored "why, by whom"'


@dataclass(frozen=True, slots=True)
class SealedCopy:
    """What a link has sealed. `content`: the copy, None where there is none or it does not fit the link's digest;
    `changed`: there is one, and it does not fit."""

    content: Json
    changed: bool


class ProvedLinks(Protocol):
    """Looks up other links of the chain."""

    async def proved(self, session: AsyncSession, subject: str, kind: str) -> Link | None:
        """The newest link of that kind whose hash and keyed seal fit; None where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class MissingLinks:
    """Links that the chain has not any more, by their sequences. `cut`: they stood at its end, as far as the anchor
    tells; `known`: the copy of the link is left, and is what was asked for."""

    first: int
    last: int
    cut: bool
    known: bool = False


class SealedKind(Protocol):
    """What a room knows of the links that it appends."""

    async def named(self, session: AsyncSession, link: Link, content: Json) -> str:
        """What people call what the link has sealed: what, when, by whom. `content`: its copy, perhaps another one's or
        none; "": nobody knows."""
        ...

    def copied(self, content: Json) -> str:
        """The same by a sealed copy whose link is gone; "": it is not of this kind."""
        ...

    async def compare(
        self, session: AsyncSession, link: Link, copy: SealedCopy, chain: ProvedLinks
    ) -> Sequence[AuditFault]:
        """What differs between what was sealed and what is there now."""
        ...

    def unsealed(self, session: AsyncSession, chain: ProvedLinks) -> AsyncIterator[AuditFault]:
        """Rows that say of themselves that they are sealed, and of which no link tells."""
        ...


class AuditProgress(Protocol):
    """Who is told how far verifying has come."""

    def __call__(self, done: int, total: int) -> None:
        """`done` of about `total` links; called often."""
        ...


@dataclass(slots=True)
class AuditReport:
    """What verifying has found. `unproved`: links whose keyed seal could not be checked, because their key is not at
    hand. `notes`: what is no fault, and should be known."""

    links: int = 0
    head: str = GENESIS
    anchored: int | None = None
    unproved: int = 0
    faults: list[AuditFault] = field(default_factory=list)
    more_faults: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, *faults: AuditFault) -> None:
        """Add faults; beyond MOST_FAULTS they are counted."""
        room = max(0, MOST_FAULTS - len(self.faults))
        self.faults += faults[:room]
        self.more_faults += len(faults[room:])

    @property
    def exit_code(self) -> int:
        """0: all as it was sealed · 1: something was changed · 2: not everything could be verified."""
        return 1 if self.faults else 2 if self.unproved else 0

    def lines(self) -> list[str]:
        """What is told in a shell."""
        anchored = "no anchor" if self.anchored is None else f"anchored at {self.anchored}"
        found = [f"{self.links} links, head {self.head[:16]}, {anchored}", *(f"note: {note}" for note in self.notes)]
        found += [f"CHANGED: {fault.detail}" for fault in self.faults]
        if self.more_faults:
            found.append(f"CHANGED: {self.more_faults} more")
        if self.unproved:
            found.append(f"NOT VERIFIED: the key of {self.unproved} keyed seals is not at hand; restore vault.key")
        verdict = {0: "OK: all is as it was sealed · 封存完好", 1: "封存内容被改动", 2: "未能全部核验"}
        return [*found, verdict[self.exit_code]]

    def as_json(self) -> str:
        """One JSON object."""
        return json.dumps({**asdict(self), "exit_code": self.exit_code}, ensure_ascii=False, default=str)


class AuditVerifier:
    """Verifies the chain of a database. `kinds`: who compares what links of a kind have sealed."""

    def __init__(self, database: Database, vault: Vault, anchor: AnchorFile, kinds: Mapping[str, SealedKind]) -> None:
        self._database = database
        self._vault = vault
        self._anchor = anchor
        self._kinds = kinds
        self._keys: dict[int, bytes | None] = {}

    async def verify(self, progress: AuditProgress | None = None) -> AuditReport:
        """Verify everything. Raises HubError when the database or the anchor's file cannot be read."""
        report, total = AuditReport(), await self._total()
        anchor = await self._read_anchor(report)  # before the chain: what is added meanwhile stands behind it
        previous: str | None = GENESIS
        expected, at_anchor = 1, GENESIS if anchor is not None and anchor.sequence == 0 else None
        while True:
            async with snapshot(self._database) as session:
                if not self._keys:
                    await self._read_keys(session)
                page = await _page(session, expected)
                async for link, packed in _with_copies(session, page):
                    if link.sequence > expected:
                        left = await self._copied(session, expected, link.sequence - 1)
                        report.add(_missing(expected, link.sequence - 1, left))
                        previous = None
                    report.add(*await self._link(session, link, previous, packed))
                    report.unproved += self._keys.get(link.key) is None
                    previous, expected = self._true_hash(link), link.sequence + 1
                    report.links, report.head = report.links + 1, link.hash
                    if anchor is not None and link.sequence == anchor.sequence:
                        at_anchor = previous
                    if link.kind == RESTORED:
                        report.notes.append(f"link {link.sequence}: {_restored(link, packed)}")
            if progress is not None:
                progress(report.links, max(total, report.links))
            if len(page) < PAGE:
                break
        for kind in dict.fromkeys(self._kinds.values()):
            async with snapshot(self._database) as session:
                async for fault in kind.unsealed(session, self):
                    report.add(fault)
        left = ""
        if anchor is not None and anchor.sequence >= expected:
            async with snapshot(self._database) as session:
                left = await self._copied(session, expected, anchor.sequence)
        self._judge_anchor(report, anchor, at_anchor, expected - 1, left)
        return report

    async def one(self, subject: str, kind: str) -> tuple[Link | None, Sequence[AuditFault]]:
        """Verify the newest link of that kind for that subject, and what it has sealed; not its place in the chain."""
        async with snapshot(self._database) as session:
            await self._read_keys(session)
            query = select(*_COLUMNS).where(AuditLink.subject == subject, AuditLink.kind == kind)
            row = (await session.execute(query.order_by(AuditLink.sequence.desc()).limit(1))).first()
            if row is None:
                return None, ()
            link = _link_of(row)
            before = await session.scalar(select(AuditLink.hash).where(AuditLink.sequence == link.sequence - 1))
            packed = await session.scalar(select(_CONTENT).where(AuditCopy.sequence == link.sequence))
            return link, await self._link(session, link, GENESIS if link.sequence == 1 else before, packed)

    async def missing(self, wanted: Callable[[Json], bool]) -> tuple[Sequence[MissingLinks], bool]:
        """Which links are gone: the one whose copy is still there and is `wanted`, else each gap (MOST_NAMED at most);
        and whether an anchor tells where the chain had come to."""
        try:
            anchor = await asyncio.to_thread(self._anchor.read)  # before the chain, which goes on meanwhile
        except HubError:
            anchor = None
        async with snapshot(self._database) as session:
            newest = await session.scalar(select(func.max(AuditLink.sequence))) or 0
            linked = select(AuditLink.sequence).where(AuditLink.sequence == AuditCopy.sequence).exists()
            left = select(AuditCopy.sequence, _CONTENT).where(~linked).order_by(AuditCopy.sequence.desc())
            for sequence, packed in await session.execute(left.limit(MOST_NAMED)):
                if wanted(_parsed(_unpacked(packed) or b"null")):
                    return [MissingLinks(sequence, sequence, sequence > newest, True)], anchor is not None
            before = func.lag(AuditLink.sequence, 1, 0).over(order_by=AuditLink.sequence)
            steps = select(AuditLink.sequence.label("sequence"), before.label("before")).subquery()
            gaps = select(steps.c.before, steps.c.sequence).where(steps.c.sequence > steps.c.before + 1)
            rows = await session.execute(gaps.order_by(steps.c.sequence.desc()).limit(MOST_NAMED))
            found = [MissingLinks(low + 1, high - 1, False) for low, high in rows]
        if anchor is not None and anchor.sequence > newest:
            found.insert(0, MissingLinks(newest + 1, anchor.sequence, True))
        return found, anchor is not None

    async def proved(self, session: AsyncSession, subject: str, kind: str) -> Link | None:
        """See ProvedLinks."""
        query = select(*_COLUMNS).where(AuditLink.subject == subject, AuditLink.kind == kind)
        for row in await session.execute(query.order_by(AuditLink.sequence.desc())):
            link = _link_of(row)
            if link_fault(link, link.sequence, None, None, self._keys.get(link.key)) is None:
                return link
        return None

    async def _total(self) -> int:
        """About how many links there are."""
        async with snapshot(self._database) as session:
            return await session.scalar(select(func.max(AuditLink.sequence))) or 0

    async def _link(
        self, session: AsyncSession, link: Link, previous: str | None, packed: bytes | None
    ) -> list[AuditFault]:
        """What is wrong with a link and with what it has sealed; `packed`: its copy, if there is one."""
        sealed = None if packed is None else _unpacked(packed)
        found = None if sealed is None else digest(sealed)
        faults = []
        kind = self._kinds.get(link.kind)
        fault = link_fault(link, link.sequence, previous, found, self._keys.get(link.key))
        changed = packed is not None and found != link.digest
        name = ""
        if kind is not None and (fault is not None or changed):  # what is wrong is told by its name
            name = await kind.named(session, link, None if sealed is None else _parsed(sealed))
            fault = link_fault(link, link.sequence, previous, found, self._keys.get(link.key), name)
        if fault is not None:
            faults.append(fault)
        if changed and not (fault is not None and fault.params.get("field") == "digest"):
            faults.append(
                AuditFault(
                    "copy_changed",
                    f"link {link.sequence} ({name or f'{link.kind} {link.subject}'}): the sealed copy was changed",
                    link.sequence,
                    link.subject,
                    {"kind": link.kind},
                )
            )
        if kind is not None:
            content: Json = None if changed or sealed is None else json.loads(sealed)
            faults += await kind.compare(session, link, SealedCopy(content, changed), self)
        return faults

    async def _copied(self, session: AsyncSession, first: int, last: int) -> str:
        """What the copies of missing links say that these had sealed; "" where they are gone as well."""
        within = AuditCopy.sequence.between(first, last)
        rows = await session.execute(
            select(AuditCopy.sequence, _CONTENT).where(within).order_by(AuditCopy.sequence).limit(MOST_NAMED)
        )
        found = []
        for sequence, packed in rows:
            content = _parsed(_unpacked(packed) or b"null")
            name = next(filter(None, (kind.copied(content) for kind in self._kinds.values())), "")
            if name:
                found.append(f"{sequence} {name}")
        return "; ".join(found)

    async def _read_keys(self, session: AsyncSession) -> None:
        for row in await session.scalars(select(AuditKey)):
            try:
                self._keys[row.id] = opened(self._vault, row)
            except HubError:
                self._keys[row.id] = None

    async def _read_anchor(self, report: AuditReport) -> Anchor | None:
        try:
            return await asyncio.to_thread(self._anchor.read)
        except HubError as error:
            report.add(AuditFault("anchor_damaged", error.detail))
            return None

    def _true_hash(self, link: Link) -> str:
        """The hash that the next link must name: the stored one if the key proves it, else that of the values."""
        key = self._keys.get(link.key)
        if key is not None and link.mac == mac(key, link.hash):
            return link.hash
        return link_hash(link.sequence, link.at, link.kind, link.subject, link.digest, link.previous)

    def _judge_anchor(
        self, report: AuditReport, anchor: Anchor | None, at_anchor: str | None, last: int, left: str
    ) -> None:
        """Compare the chain with the anchor. `left`: what missing links at the end had sealed, as far as known."""
        if anchor is None:
            if last and not any(fault.reason == "anchor_damaged" for fault in report.faults):
                report.add(
                    AuditFault(
                        "anchor_missing",
                        f"the anchor {self._anchor.path} is missing, so nobody can tell whether the last links were cut"
                        " off; restore it from the backup of the data folder",
                    )
                )
            return
        report.anchored = anchor.sequence
        key = self._keys.get(anchor.key)
        if key is not None and not anchor.proved_by(key):
            report.add(AuditFault("anchor_forged", f"the anchor {self._anchor.path} was not written by this hub"))
        elif key is None and anchor.sequence:
            report.unproved += 1
        if anchor.sequence > last:
            gone = (
                f"link {anchor.sequence} is"
                if anchor.sequence == last + 1
                else f"links {last + 1} to {anchor.sequence} are"
            )
            report.add(
                AuditFault(
                    "tail_cut",
                    f"{gone} missing at the end: cut off, or an older state of the database was restored ({_SAY_SO})"
                    + _had_sealed(left),
                    anchor.sequence,
                    params={"first": last + 1, "last": anchor.sequence, "sealed": left},
                )
            )
        elif at_anchor is not None and at_anchor != anchor.hash:
            report.add(
                AuditFault(
                    "other_chain",
                    f"link {anchor.sequence} is another one than the anchor names: the chain was written anew, or an "
                    f"older state of the database was restored and has gone on since ({_SAY_SO})",
                    anchor.sequence,
                )
            )


@asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[AsyncSession]:
    """A session all of whose statements see the same state of the database."""
    async with database.read() as session:
        if not database.is_sqlite:
            await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        yield session


_TABLE = table_of(AuditLink)
_COLUMNS = (
    _TABLE.c.sequence,
    type_coerce(_TABLE.c.at, NullType()).label("at"),  # SQLite may hold anything there, and each link is to be read
    *(column for column in _TABLE.columns if column.name not in ("sequence", "at")),
)

_CONTENT = cast(AuditCopy.content, LargeBinary)
"""SQLite may hold a text there, which nobody would get as bytes otherwise."""


def _link_of(row: Row[Any]) -> Link:
    at = row.at
    if not isinstance(at, datetime):
        try:
            at = datetime.fromisoformat(str(at))
        except ValueError:
            at = datetime.min
    aware = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    values = (row.kind, row.subject, row.digest, row.previous, row.hash)
    return Link(row.sequence, aware, *values, row.key, row.mac)


async def _page(session: AsyncSession, first: int) -> list[Link]:
    """The next links."""
    query = select(*_COLUMNS).where(AuditLink.sequence >= first).order_by(AuditLink.sequence).limit(PAGE)
    return [_link_of(row) for row in await session.execute(query)]


async def _with_copies(session: AsyncSession, page: Sequence[Link]) -> AsyncIterator[tuple[Link, bytes | None]]:
    """Each link with its copy, if there is one: those of several links at once, of few where they are large."""
    if not page:
        return
    within = AuditCopy.sequence.between(page[0].sequence, page[-1].sequence)
    lengths = await session.execute(select(AuditCopy.sequence, func.length(_CONTENT)).where(within))
    sizes = {sequence: size for sequence, size in lengths}
    for group in _groups(page, sizes):
        ends = AuditCopy.sequence.between(group[0].sequence, group[-1].sequence)
        rows = await session.execute(select(AuditCopy.sequence, _CONTENT).where(ends))
        copies: dict[int, bytes] = {sequence: content for sequence, content in rows}
        for link in group:
            yield link, copies.pop(link.sequence, None)


def _groups(page: Sequence[Link], sizes: Mapping[int, int]) -> Iterator[Sequence[Link]]:
    """The page in runs of links whose copies have COPIES_BYTES at most, but for a larger one, which stands alone."""
    first = held = 0
    for number, link in enumerate(page):
        size = sizes.get(link.sequence) or 0
        if held + size > COPIES_BYTES and number > first:
            yield page[first:number]
            first, held = number, 0
        held += size
    yield page[first:]


def _restored(link: Link, packed: bytes | None) -> str:
    told: Any = {} if packed is None else json.loads(_unpacked(packed) or b"{}")
    return (
        f"on {link.at:%Y-%m-%d %H:%M} UTC an administrator told that an older state of the database was restored; "
        f"links up to {told.get('sequence')} ({str(told.get('hash'))[:12]}) had been there before: "
        f"{told.get('words')}"
    )


def _unpacked(packed: bytes) -> bytes | None:
    """What a copy holds; None where it holds nothing that could have been sealed."""
    try:
        unpacking = zlib.decompressobj()
        found = unpacking.decompress(packed, MOST_BYTES)
        return found if unpacking.eof else None
    except zlib.error:
        return None


def _missing(first: int, last: int, left: str) -> AuditFault:
    which = f"link {first} is" if first == last else f"links {first} to {last} are"
    told = f"{which} missing: deleted{_had_sealed(left)}"
    return AuditFault("link_missing", told, first, params={"first": first, "last": last, "sealed": left})


def _had_sealed(left: str) -> str:
    return f"; by the copies left of them they had sealed: {left}" if left else ""


def _parsed(content: bytes) -> Json:
    """What a copy holds; None where that is no JSON."""
    try:
        found: Json = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return found
