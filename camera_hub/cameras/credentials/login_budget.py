"""The count of login attempts per device: ONVIF in the hub and RTSP in every relay ask here before each attempt.

A login that is not proved yet is tried by one caller at a time while the others wait; a proved one may be in use twice
at the same time, so that a password that was changed at the camera costs two refusals, however many channels a recorder
has. Attempts whose outcome was lost in a crash are not counted.
"""

import asyncio
import hashlib
import secrets
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, Self

from camera_hub.cameras.credentials import retry_rules
from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.retry_rules import FREE_TRIES, LoginStanding, Service
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.running import Backoff, ended, keep_running

_LIMIT = 20_000

REFUSALS = frozenset({Reason.WRONG_PASSWORD, Reason.LOCKED_OUT})
"""What counts as a refused login."""


@dataclass(frozen=True, slots=True)
class LoginKey:
    """Which attempts count together: those with one version of a device's login, or one login typed for an address."""

    name: str
    version: int
    device_id: int | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What survives a restart. `blocked_until` is wall time, None = no pause."""

    device_id: int
    version: int
    failures: Mapping[str, int]
    blocked_until: datetime | None
    reason: str


class LoginStore(Protocol):
    """Stores the counts (credentials.login_store)."""

    async def load(self) -> list[Kept]: ...

    async def save(self, kept: list[Kept]) -> None:
        """Write these; one without failures is deleted."""
        ...


@dataclass(eq=False, slots=True)
class _Entry:
    account: LoginKey
    standing: LoginStanding = field(default_factory=LoginStanding)
    proved: set[Service] = field(default_factory=set)
    trying: int = 0
    waiting: deque[tuple[Service, asyncio.Future[None]]] = field(default_factory=deque)


class Attempt:
    """One attempt, from its turn to its end. `accepted` may be called early: the next caller then need not wait."""

    def __init__(self, budget: "LoginBudget", entry: _Entry, service: Service) -> None:
        self._budget = budget
        self._entry = entry
        self._service: Service = service
        self._holds = True
        self._accepted = False
        self._over = False

    def accepted(self) -> None:
        """The device accepted the login."""
        self._accepted = True
        self._release()

    def refused(self, reason: str = Reason.WRONG_PASSWORD) -> None:
        """The device refused the login; ends the attempt."""
        if not self._over:
            self._over = True
            self._budget._refused(self._entry, self._service, reason)
            self._release()

    def end(self) -> None:
        """The attempt is over; without `accepted` it says nothing about the login. Idempotent."""
        if not self._over:
            self._over = True
            if self._accepted:
                self._budget._accepted(self._entry, self._service)
            self._release()

    def _release(self) -> None:
        if self._holds:
            self._holds = False
            self._budget._released(self._entry)


class LoginBudget:
    """An async context manager: entering reads what is stored. Without a store, a restart forgets all attempts."""

    def __init__(self, clock: Clock, store: LoginStore | None = None) -> None:
        self._clock = clock
        self._store = store
        self._secret = secrets.token_bytes(16)
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._unsaved: dict[int, Kept] = {}
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._store is None:
            return self
        now, wall = self._clock.monotonic(), self._clock.now()
        for kept in await self._store.load():
            left = (kept.blocked_until - wall).total_seconds() if kept.blocked_until is not None else 0.0
            entry = self._entry(device_account(kept.device_id, kept.version))
            entry.standing = retry_rules.resumed(kept.failures, left, now, kept.reason)
        work = keep_running("login accounts", self._save, clock=self._clock, backoff=Backoff(first=1.0, cap=10.0))
        self._task = asyncio.create_task(work, name="login accounts")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            await ended(self._task)
            await self._save_all()

    def account(self, login: DeviceLogin, address: str) -> LoginKey:
        """Where attempts with that login are counted; `address` identifies a device that has no row yet."""
        if login.device_id is not None:
            return device_account(login.device_id, login.version)
        text = "\0".join((address, login.username, login.password))
        return LoginKey(hashlib.blake2b(text.encode(), key=self._secret).hexdigest(), 0)

    def wait(self, account: LoginKey, service: Service) -> float:
        """Seconds until the login may be tried with that service; 0 = now."""
        entry = self._entries.get(account.name)
        if entry is None or entry.account.version != account.version or service in entry.proved:
            return 0.0
        return max(0.0, entry.standing.until - self._clock.monotonic())

    async def begin(self, account: LoginKey, service: Service) -> Attempt:
        """Wait for a turn; the caller must `end` the attempt.

        Raises HubError with the reason of the last refusal while the login must not be tried, BUSY for a login that
        has been replaced.
        """
        entry = self._entry(account)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry.waiting.append((service, future))
        self._let_in(entry)
        try:
            await future
        except BaseException:
            if future.done() and not future.cancelled() and future.exception() is None:
                self._released(entry)  # it got its turn at the moment it gave up
            elif (service, future) in entry.waiting:
                entry.waiting.remove((service, future))
            raise
        return Attempt(self, entry, service)

    @asynccontextmanager
    async def trying(self, account: LoginKey, service: Service) -> AsyncIterator[Attempt]:
        """`begin` for the length of a block; a HubError whose reason is a refused login counts as one."""
        attempt = await self.begin(account, service)
        try:
            yield attempt
        except HubError as error:
            if error.reason in REFUSALS:
                attempt.refused(error.reason)
            raise
        finally:
            attempt.end()

    def _entry(self, account: LoginKey) -> _Entry:
        entry = self._entries.get(account.name)
        if entry is not None and entry.account.version > account.version:
            raise HubError(Kind.BUSY, "the device's login has just been changed; try again", reason=Reason.BUSY)
        if entry is None or entry.account.version < account.version:
            if entry is not None:
                while entry.waiting:
                    _settle(entry.waiting.popleft()[1], _replaced())
            entry = self._entries[account.name] = _Entry(account)
            while len(self._entries) > _LIMIT:
                self._entries.popitem(last=False)
        self._entries.move_to_end(account.name)
        return entry

    def _let_in(self, entry: _Entry) -> None:
        now = self._clock.monotonic()
        for service, future in list(entry.waiting):
            proved = service in entry.proved
            if not proved and now < entry.standing.until:
                _settle(future, blocked(entry.standing, now))
            elif entry.trying < (FREE_TRIES if proved and not entry.standing.total else 1):
                entry.trying += not future.done()
                _settle(future)
            else:
                continue
            entry.waiting.remove((service, future))

    def _released(self, entry: _Entry) -> None:
        entry.trying -= 1
        self._let_in(entry)

    def _accepted(self, entry: _Entry, service: Service) -> None:
        entry.proved.add(service)
        self._stand(entry, retry_rules.accepted(entry.standing, service))

    def _refused(self, entry: _Entry, service: Service, reason: str) -> None:
        entry.proved.clear()  # the password may have been changed: what was proved before no longer counts
        self._stand(entry, retry_rules.refused(entry.standing, service, self._clock.monotonic(), reason))

    def _stand(self, entry: _Entry, standing: LoginStanding) -> None:
        if standing == entry.standing:
            return
        entry.standing = standing
        account = entry.account
        if account.device_id is None or self._store is None or self._entries.get(account.name) is not entry:
            return
        left = standing.until - self._clock.monotonic()
        until = self._clock.now() + timedelta(seconds=left) if standing.until else None
        self._unsaved[account.device_id] = Kept(
            account.device_id, account.version, standing.failures, until, standing.reason
        )
        self._changed.set()

    async def _save(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._save_all()

    async def _save_all(self) -> None:
        unsaved, self._unsaved = self._unsaved, {}
        if self._store is None or not unsaved:
            return
        try:
            await self._store.save(list(unsaved.values()))
        except BaseException:
            self._unsaved = unsaved | self._unsaved
            self._changed.set()
            raise


def device_account(device_id: int, version: int) -> LoginKey:
    """The key of a registered device."""
    return LoginKey(f"d{device_id}", version, device_id)


def blocked(standing: LoginStanding, now: float) -> HubError:
    """The error for a login that is not tried now: why, and when it will be."""
    left = max(0.0, standing.until - now)
    minutes = max(1, round(left / 60))
    return HubError(
        Kind.UNREACHABLE,
        f"the device refused this login; it is not tried again for {minutes} min, so that the device does not lock the"
        " hub out; correct the login",
        reason=standing.reason,
        minutes=minutes,
        retry_in=left,
    )


def _replaced() -> HubError:
    return HubError(Kind.BUSY, "the device's login has just been changed; try again", reason=Reason.BUSY)


def _settle(future: "asyncio.Future[None]", error: HubError | None = None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
