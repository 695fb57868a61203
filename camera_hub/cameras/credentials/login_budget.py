"""The count of login attempts per device: whoever sends a login to a device asks here first, whatever the protocol.

The contract of those who ask (`begin` or `trying`, then the Attempt):

- ask before each attempt, with the address that is connected to (resolved, not a name) and its port;
- say `accepted` as soon as the device answers a signed request with something that only a right login gets;
- say `refused` when the device refused a request that was signed with a challenge of its own: 401 whatever its headers
  (unless it says stale, or renews a nonce that it had accepted before), or a fault that names the login. LOCKED_OUT
  where it says so;
- say `doubted` where a nonce was renewed that it had accepted before, without saying stale: if what is signed next is
  refused, too, the device has refused both;
- say nothing (`end`) for all else: no answer, no challenge, a challenge that cannot be answered, another error;
- one attempt is one signed request that may be refused. Before another one (another scheme, another clock) `again`.

Which attempts meet the same device: login_targets. How often it is tried: retry_rules. A login that is not proved is
tried by one caller at a time and is stored before it is sent, so that no crash makes room for more tries; a proved one
may be in use twice at the same time, so that a password that was changed at the camera costs two refusals, however many
channels a recorder has, and costs no writing. What a crash has left open counts as refused.
"""

import asyncio
import hashlib
import secrets
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, Self

from camera_hub.cameras.credentials import retry_rules
from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.login_memory import DeviceAccount, Kept, LoginKey, LoginMemory, RememberedLogin
from camera_hub.cameras.credentials.login_targets import canonical
from camera_hub.cameras.credentials.login_writer import LoginStore, LoginWriter
from camera_hub.cameras.credentials.retry_rules import FREE_TRIES, SERVICES, Service
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.running import Backoff, ended, keep_running

REFUSALS = frozenset({Reason.WRONG_PASSWORD, Reason.LOCKED_OUT, Reason.CLOCK_REFUSED})
"""What counts as a refused login: the device has seen it, whatever it dislikes about it."""

PAUSES = REFUSALS | {Reason.LOGIN_PAUSED, Reason.NOT_ACTIVATED}
"""Why a login is not tried now. LOGIN_PAUSED: this one was not refused, but others were, too often."""

WAITING = 256
"""Attempts that may wait for their turn at one address."""


class PlaceTrust(Protocol):
    """Whether a registered device's place is still its own (cameras.matches.trust)."""

    async def clear(self, device_id: int) -> None:
        """Raise HubError(CONFLICT, identity_changed) if another device answers there."""
        ...


@dataclass(frozen=True, slots=True)
class LoginPause:
    """What a device's page tells: until when its refused login rests and why, and how many refusals a day are left."""

    until: datetime | None
    tries_left: int
    reason: str | None


@dataclass(eq=False, slots=True)
class _Waiter:
    key: LoginKey
    service: Service
    turn: "asyncio.Future[Attempt]"


@dataclass(eq=False, slots=True)
class _Turns:
    """Attempts at one address: those that are being made, and those that wait for them."""

    flying: "list[Attempt]" = field(default_factory=list)
    waiting: deque[_Waiter] = field(default_factory=deque)


class Attempt:
    """One attempt, from its turn to its end. `accepted` may be called early: the next caller then need not wait."""

    def __init__(self, budget: "LoginBudget", login: RememberedLogin, key: LoginKey, service: Service) -> None:
        self._budget = budget
        self.login = login
        self.key = key
        self.service: Service = service
        self.stored = False  # as under way
        self._holds = True
        self._over = False
        self._doubts = 0

    def accepted(self) -> None:
        """The device accepted the login."""
        if not self._over:
            self._doubts = 0
            self._budget._accepted(self)
            self._release()

    def refused(self, reason: str = Reason.WRONG_PASSWORD) -> None:
        """The device refused the login; ends the attempt."""
        if not self._over:
            self._over = True
            self._count(reason)
            self._release()

    def doubted(self) -> None:
        """The device answered 401 to what an accepted challenge had signed: it has renewed its nonce, or refuses the
        login. Until `accepted` it may be a refusal."""
        if not self._over:
            self._doubts += 1

    def forbidden(self) -> None:
        """The device refused a call right after it had accepted the login: nor was there a doubt of the login."""
        self.accepted()

    async def again(self, reason: str = Reason.WRONG_PASSWORD) -> bool:
        """The device refused the login; may one more signed request follow at once? If not, the attempt is over."""
        if self._over:
            return False
        self._count(reason)
        if self._holds and await self._budget._once_more(self):
            return True
        self.end()
        return False

    def end(self) -> None:
        """The attempt is over; without `accepted` or `refused` it says nothing about the login. Idempotent."""
        if not self._over:
            self._over = True
            self._lose_doubts()
            self._release()

    def lost(self) -> None:
        """Nobody knows what became of the attempt: it may have been refused, and counts so."""
        if not self._over:
            self._over = True
            if self._holds and self.stored:
                self._budget._lost(self)
            self._lose_doubts()
            self._release()

    def _count(self, reason: str) -> None:
        for _ in range(1 + self._doubts):
            self._budget._refused(self, reason)
        self._doubts = 0

    def _lose_doubts(self) -> None:
        for _ in range(self._doubts):
            self._budget._lost(self)
        self._doubts = 0

    def _release(self) -> None:
        if self._holds:
            self._holds = False
            self._budget._released(self)


class LoginBudget:
    """An async context manager: entering reads what is stored. Without a store, a restart forgets all attempts.

    `trust` is asked before each attempt with a registered device's login. `secret`: the key of the hashes of logins;
    with another one stored logins are unknown, their refusals are not.
    """

    def __init__(
        self, clock: Clock, store: LoginStore | None = None, secret: bytes = b"", trust: PlaceTrust | None = None
    ) -> None:
        self._trust = trust
        self._clock = clock
        self._store = store
        self._secret = (secret or secrets.token_bytes(32))[:64]
        self._memory = LoginMemory(clock, self._mark)
        self._writer = LoginWriter(store, clock, self._row)
        self._turns: dict[str, _Turns] = {}
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._store is not None:
            self._memory.resume(await self._store.load())
            backoff = Backoff(first=1.0, cap=10.0)
            work = keep_running("login accounts", self._writer.run, clock=self._clock, backoff=backoff)
            self._task = asyncio.create_task(work, name="login accounts")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            await ended(self._task)
            await self._writer.flush()

    def account(self, login: DeviceLogin, address: str, port: int | None = None) -> LoginKey:
        """Where attempts with that login are counted. `address`: as it is connected to; without `port` it holds both
        ("192.0.2.7:80").
        """
        if port is None:
            address, _, number = address.rpartition(":")
            port = int(number) if number.isdecimal() else 0
        address = canonical(address)
        self._memory.targets.learn(login, address, port)
        text = "\0".join((login.username, login.password)).encode("utf-8", "surrogatepass")
        hashed = hashlib.blake2b(text, key=self._secret, digest_size=16).hexdigest()
        version = login.version if login.device_id is not None else 0
        return LoginKey(address, port, hashed, version, login.device_id)

    def wait(self, account: LoginKey, service: Service) -> float:
        """Seconds until the login may be tried with that service; 0 = now."""
        now = self._clock.monotonic()
        return max(0.0, self._memory.account(account).due(service, now) - now)

    def pause(self, device_id: int) -> LoginPause:
        """Of a registered device, as its page tells it."""
        memory, now = self._memory, self._clock.monotonic()
        own = memory.of_device(device_id)
        keys = [one.key for one in own]
        if not keys and (place := memory.targets.place(device_id)) is not None:
            keys = [LoginKey(*place, "", device_id=device_id)]
        left = min(
            (retry_rules.tries_left(memory.account(key).refusals, now) for key in keys), default=retry_rules.TRIES_A_DAY
        )
        rests = [
            (memory.account(one.key).due(service, now), one.standing.reason)
            for one in own
            for service in SERVICES
            if service in one.standing.failures
        ]
        until, reason = max(rests, default=(0.0, ""))
        return LoginPause(memory.wall(until), left, reason) if until > now else LoginPause(None, left, None)

    async def begin(self, account: LoginKey, service: Service) -> Attempt:
        """Wait for a turn; the caller must `end` the attempt.

        Raises HubError: IDENTITY_CHANGED where another device answers at the registered one's place; one of PAUSES
        while the login must not be tried (`retry_in` seconds, `until`, `tries_left`); BUSY for one that has been
        replaced, or where too many wait or are remembered; or why it could not be stored.
        """
        if self._trust is not None and account.device_id is not None:
            await self._trust.clear(account.device_id)
        self._memory.purge()
        turns = self._turns.setdefault(account.address, _Turns())
        if len(turns.waiting) >= WAITING:
            raise HubError(Kind.BUSY, "too many attempts wait for this device; try again later", reason=Reason.BUSY)
        waiter = _Waiter(account, service, asyncio.get_running_loop().create_future())
        turns.waiting.append(waiter)
        self._let_in(turns, turns.waiting if self._memory.note_version(account) else [waiter])
        try:
            attempt = await waiter.turn
        except BaseException:
            if waiter.turn.done() and not waiter.turn.cancelled() and waiter.turn.exception() is None:
                waiter.turn.result().end()  # it got its turn at the moment it gave up
            elif waiter in turns.waiting:
                turns.waiting.remove(waiter)
            self._tidy(account.address)
            raise
        try:
            if attempt.stored:
                await self._writer.flush()
        except BaseException:
            attempt.end()
            raise
        return attempt

    @asynccontextmanager
    async def trying(self, account: LoginKey, service: Service) -> AsyncIterator[Attempt]:
        """`begin` for the length of a block; a HubError whose reason is a refused login counts as one."""
        attempt = await self.begin(account, service)
        try:
            yield attempt
        except HubError as error:
            if error.reason in REFUSALS and not error.params.get("untried"):
                attempt.refused(error.reason)
            raise
        finally:
            attempt.end()

    # Turns

    def _let_in(self, turns: _Turns, waiting: Iterable[_Waiter]) -> None:
        for waiter in list(waiting):
            if waiter.turn.done():  # cancelled just now
                continue
            try:
                attempt = self._admitted(turns, waiter.key, waiter.service)
            except HubError as error:
                waiter.turn.set_exception(error)
            else:
                if attempt is None:
                    continue
                waiter.turn.set_result(attempt)
            turns.waiting.remove(waiter)

    def _admitted(self, turns: _Turns, key: LoginKey, service: Service) -> Attempt | None:
        """The attempt whose turn it is; None while it must wait for others. Raises HubError."""
        memory, now = self._memory, self._clock.monotonic()
        if memory.outdated(key):
            raise HubError(Kind.BUSY, "the device's login has just been changed; try again", reason=Reason.BUSY)
        account = memory.account(key)
        if (due := account.due(service, now)) > now:
            raise self._blocked(account, due, now)
        proved, one = service in account.proved, memory.one(key)
        flying = sum(memory.one(other.key) == one for other in turns.flying)
        at_once = FREE_TRIES if proved and not account.standing.total else 1
        if flying and (flying >= at_once or len(account.refusals) + flying >= account.limit(service)):
            return None
        login = memory.obtain(key, bounded=True)
        attempt = Attempt(self, login, key, service)
        login.attempts += 1
        turns.flying.append(attempt)
        if not proved:
            self._store_first(attempt)
        return attempt

    async def _once_more(self, attempt: Attempt) -> bool:
        now = self._clock.monotonic()
        if self._memory.account(attempt.key).due(attempt.service, now) > now:
            return False
        self._store_first(attempt)
        await self._writer.flush()
        return True

    def _released(self, attempt: Attempt) -> None:
        self._landed(attempt)
        attempt.login.attempts -= 1
        turns = self._turns[attempt.key.address]
        turns.flying.remove(attempt)
        self._let_in(turns, turns.waiting)
        self._tidy(attempt.key.address)

    def _tidy(self, address: str) -> None:
        self._memory.tidy(address)
        turns = self._turns.get(address)
        if turns is not None and not turns.flying and not turns.waiting:
            del self._turns[address]

    # What attempts say

    def _accepted(self, attempt: Attempt) -> None:
        login = self._memory.obtain(attempt.key)
        if login.key.version != attempt.key.version:
            return
        before = (login.standing, set(login.proved), list(login.refusals))
        login.proved.add(attempt.service)
        login.standing = retry_rules.accepted(login.standing, attempt.service)
        # The device, too, counts from here.
        login.refusals = [one for one in login.refusals if one[1] != attempt.service]
        if attempt.key.device_id is not None:
            self._memory.targets.accepted(attempt.key.device_id)
        if before != (login.standing, login.proved, login.refusals):
            self._mark(login)

    def _refused(self, attempt: Attempt, reason: str) -> None:
        login, now = self._memory.obtain(attempt.key), self._clock.monotonic()
        login.refusals.append((now, attempt.service))
        login.proved.clear()  # the password may have been changed: what was proved before no longer counts
        if login.key.version == attempt.key.version:
            in_all = len(self._memory.account(attempt.key).refusals)
            login.standing = retry_rules.refused(login.standing, attempt.service, now, reason, in_all=in_all)
        self._landed(attempt)
        self._writer.mark(login, urgent=True)

    def _lost(self, attempt: Attempt) -> None:
        attempt.login.refusals.append((self._clock.monotonic(), attempt.service))
        self._mark(attempt.login)

    def _store_first(self, attempt: Attempt) -> None:
        attempt.stored = True
        attempt.login.begun(attempt.service)
        self._mark(attempt.login)

    def _landed(self, attempt: Attempt) -> None:
        if attempt.stored:
            attempt.stored = False
            attempt.login.landed(attempt.service)
            self._mark(attempt.login)

    def _mark(self, login: RememberedLogin) -> None:
        self._writer.mark(login)

    def _row(self, login: RememberedLogin) -> Kept | None:
        return self._memory.kept(login) if self._memory.remembers(login) else None

    def _blocked(self, account: DeviceAccount, due: float, now: float) -> HubError:
        others = Reason.LOCKED_OUT if account.locked_until > now else Reason.LOGIN_PAUSED
        reason = account.standing.reason if account.standing.total else others
        return blocked(reason, due - now, self._memory.wall(due), retry_rules.tries_left(account.refusals, now))


def blocked(reason: str, seconds: float, until: datetime, tries_left: int) -> HubError:
    """The error for a login that is not tried now: why, when it will be, and how many tries the device has left."""
    minutes = max(1, round(seconds / 60))
    words: dict[str, str] = {
        Reason.LOGIN_PAUSED: "this device has refused other logins too often",
        Reason.LOCKED_OUT: "the device says that it has locked itself after wrong logins",
        Reason.NOT_ACTIVATED: "the device is not activated and refuses every login",
    }
    why = words.get(reason, "the device refused this login")
    return HubError(
        Kind.UNREACHABLE,
        f"{why}; it is not tried for {minutes} min (until {until:%Y-%m-%d %H:%M} UTC), so that the device does not lock"
        f" the hub out ({tries_left} of {retry_rules.TRIES_A_DAY} tries a day are left); correct the login",
        reason=reason,
        minutes=minutes,
        retry_in=seconds,
        until=until.isoformat(timespec="seconds"),
        tries_left=tries_left,
    )
