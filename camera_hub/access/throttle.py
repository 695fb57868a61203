"""The brake of signing in: after some failures each further attempt has to wait, longer each time.

Failures are counted in the database, so that they survive a restart, for whoever asks:

- a browser that has signed in to this account before (known_browsers) for itself alone: nobody else can slow it down;
- others per account and address, and besides, with short pauses only, per address over all accounts and per account
  over all addresses: a search that is spread over many addresses is slow as well, and locks nobody out;
- a signed-in user who changes the password, by the account.

An address is an IPv4 address or an IPv6 network of 64 bits. An attempt is counted before its password is checked, and
the count is taken back if it was right: a hundred attempts at the same moment count as a hundred, not as one. One that
has to wait is not counted, and costs no transaction when it comes again too early; nor do strangers beyond AT_ONCE.
"""

import hashlib
import ipaddress
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.passwords import RETRY_SECONDS
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.store.database import Database
from camera_hub.store.tables import LoginFailure

ADDRESS_FACTOR = 3
"""A whole office may share one address: it is allowed more failures than one account."""
ACCOUNT_FACTOR = 5
"""Failures of one account from everywhere before all unknown browsers wait for it."""
FIRST_SECONDS = 5.0
SHARED_SECONDS = 30.0
"""The longest pause that others may cause: whoever shares the address or aims at the same account."""
KEEP = timedelta(hours=24)
SHARED_KEEP = timedelta(hours=1)
AT_ONCE = 16
"""Attempts of unknown browsers that are being counted at the same time; the database has other work, too."""
REMEMBERED = 4096
"""Pauses that are known without the database."""
ROOM_EVERY = 64
MAX_ROWS = 20_000
"""Keys that are counted; beyond it those with the fewest failures go first."""


@dataclass(frozen=True, slots=True)
class Count:
    """Failures of one key, and when the last one was."""

    failures: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Brake:
    """`free` failures cost nothing; then pauses of `first` seconds, doubled each time, up to `longest`. A key without a
    failure for `keep` begins anew.
    """

    free: int
    first: float
    longest: float
    keep: timedelta


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """Who tries. `browser`: the id of a browser that is known for this account; `inside`: within a session of it."""

    username: str
    address: str
    browser: str = ""
    inside: bool = False


def pause(failures: int, brake: Brake) -> float:
    """Seconds between the last of so many failures and the next attempt. Pure."""
    if failures < brake.free:
        return 0.0
    return min(brake.longest, brake.first * 2.0 ** min(failures - brake.free, 32))


def wait(count: Count | None, now: datetime, brake: Brake) -> float:
    """Seconds until the key's next attempt; 0: now. A clock that was set back does not lengthen the wait. Pure."""
    if count is None or now - count.last_at >= brake.keep:
        return 0.0
    return max(0.0, pause(count.failures, brake) - max(0.0, (now - count.last_at).total_seconds()))


def counted(count: Count | None, now: datetime, brake: Brake) -> Count:
    """The count after one more failure. Pure."""
    if count is None or now - count.last_at >= brake.keep:
        return Count(1, now)
    return Count(count.failures + 1, now)


def network(address: str) -> str:
    """What counts as one address: IPv4, also when mapped into IPv6, by itself; IPv6 by its first 64 bits. Pure."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return str(ipaddress.ip_network((found, 64), strict=False))
        found = found.ipv4_mapped
    return str(found)


class Throttle:
    """`free` failures per account and address cost nothing; the longest pause is that many `minutes`."""

    def __init__(self, database: Database, clock: Clock, free: int, minutes: float) -> None:
        self._database = database
        self._clock = clock
        self._until: dict[str, float] = {}  # monotonic
        self._strangers = 0
        self._attempts = 0
        longest = minutes * 60
        self._own = Brake(free, FIRST_SECONDS, longest, KEEP)
        shared = min(SHARED_SECONDS, longest)
        self._address = Brake(free * ADDRESS_FACTOR, 1.0, shared, SHARED_KEEP)
        self._account = Brake(free * ACCOUNT_FACTOR, 1.0, shared, SHARED_KEEP)

    async def attempt(self, who: SignInAttempt) -> None:
        """Count an attempt. Raises HubError(BUSY, "too_many_failures") when it must wait, with `retry_in` seconds."""
        brakes, strange = self._brakes(who), not who.browser and not who.inside
        if (seconds := self._remembered(brakes)) > 0:
            raise too_many_failures(seconds)
        if strange and self._strangers >= AT_ONCE:
            raise HubError(
                Kind.BUSY, "too many people are signing in at once; try again in a few seconds", retry_in=RETRY_SECONDS
            )
        self._strangers += strange
        try:
            await self._count(brakes)
        finally:
            self._strangers -= strange

    def _remembered(self, keys: Iterable[str]) -> float:
        now = self._clock.monotonic()
        return max((self._until.get(key, now) - now for key in keys), default=0.0)

    async def _count(self, brakes: Mapping[str, Brake]) -> None:
        now = self._clock.now()
        self._attempts += 1
        async with self._database.write() as session:
            await session.execute(delete(LoginFailure).where(LoginFailure.last_at <= now - KEEP))
            counts = await self._counts(session, sorted(brakes), now)
            waits = {key: wait(counts[key], now, brake) for key, brake in brakes.items()}
            if (longest := max(waits.values())) > 0:
                self._remember(waits)
                raise too_many_failures(longest)
            for key, brake in brakes.items():
                count = counted(counts[key], now, brake)
                await session.execute(
                    update(LoginFailure)
                    .where(LoginFailure.key == key)
                    .values(failures=count.failures, last_at=count.last_at)
                )
            if self._attempts % ROOM_EVERY == 0:
                await self._make_room(session)

    def _remember(self, waits: Mapping[str, float]) -> None:
        now = self._clock.monotonic()
        for key, seconds in waits.items():
            if seconds > 0:
                self._until.pop(key, None)
                self._until[key] = now + seconds
        while len(self._until) > REMEMBERED:
            del self._until[next(iter(self._until))]

    async def untold(self, who: SignInAttempt) -> None:
        """The password was not looked at: the attempt is as if it had not been."""
        await self._take_back(list(self._brakes(who)))

    async def succeeded(self, who: SignInAttempt) -> None:
        """Take the attempt back: its own count ends, those that it shares are one less."""
        own, *shared = self._brakes(who)
        async with self._database.write() as session:
            await session.execute(delete(LoginFailure).where(LoginFailure.key == own))
        if shared:
            await self._take_back(shared)

    async def _take_back(self, keys: Sequence[str]) -> None:
        async with self._database.write() as session:
            await session.execute(
                update(LoginFailure)
                .where(LoginFailure.key.in_(keys), LoginFailure.failures > 0)
                .values(failures=LoginFailure.failures - 1)
            )

    async def clear(self, username: str) -> None:
        """Allow an account to try again at once (its password was reset)."""
        async with self._database.write() as session:
            await session.execute(delete(LoginFailure).where(LoginFailure.key.startswith(f"{_account(username)} ")))
        self._until.clear()

    def _brakes(self, who: SignInAttempt) -> Mapping[str, Brake]:
        """The keys that count an attempt, its own first."""
        account = _account(who.username)
        if who.inside:
            return {f"{account} inside": self._own}
        if who.browser:
            return {f"{account} browser {_hashed(who.browser)}": self._own}
        place = _hashed(network(who.address))
        return {
            f"{account} from {place}": self._own,
            f"address {place}": self._address,
            f"{account} all": self._account,
        }

    async def _counts(self, session: AsyncSession, keys: Sequence[str], now: datetime) -> dict[str, Count]:
        """The rows of the keys, created where missing and locked in a fixed order: simultaneous attempts queue up."""
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        for key in keys:
            fresh = insert(LoginFailure).values(key=key, failures=0, first_at=now, last_at=now)
            await session.execute(fresh.on_conflict_do_nothing())
        query = select(LoginFailure).where(LoginFailure.key.in_(keys)).order_by(LoginFailure.key).with_for_update()
        return {row.key: Count(row.failures, row.last_at) for row in await session.scalars(query)}

    async def _make_room(self, session: AsyncSession) -> None:
        """Delete a tenth of the rows when there are too many: those that cost an attacker the least."""
        rows = await session.scalar(select(func.count()).select_from(LoginFailure)) or 0
        if rows > MAX_ROWS:
            few = select(LoginFailure.key).order_by(LoginFailure.failures, LoginFailure.last_at)
            await session.execute(
                delete(LoginFailure).where(LoginFailure.key.in_(few.limit(rows - MAX_ROWS * 9 // 10)))
            )


def too_many_failures(seconds: float) -> HubError:
    """The error for an attempt that has to wait."""
    whole = math.ceil(seconds)
    return HubError(
        Kind.BUSY,
        f"too many failed sign-ins; try again in {whole} s, or ask a township admin for a new password",
        reason="too_many_failures",
        minutes=math.ceil(seconds / 60),
        retry_in=whole,
    )


def _account(username: str) -> str:
    return f"account {_hashed(username.casefold())}"


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
