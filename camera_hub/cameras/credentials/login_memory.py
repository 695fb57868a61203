"""What is remembered of logins: which were refused or accepted, at which device. No waiting, no storing."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from camera_hub.cameras.credentials import retry_rules
from camera_hub.cameras.credentials.login_targets import LoginTargets
from camera_hub.cameras.credentials.retry_rules import DAY, LoginStanding, Service
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason

LIMIT = 20_000
"""Logins that are remembered. Beyond it none is tried at a device that is not registered; none is forgotten for it."""
_PURGE_SECONDS = 600.0
_PURGE_FULL_SECONDS = 10.0


@dataclass(frozen=True)
class LoginKey:
    """One login at one target: canonical address and port, a keyed hash of user name and password.

    `version` of the login of a registered device: with a newer one it counts as entered again.
    """

    address: str
    port: int
    login: str
    version: int = 0
    device_id: int | None = None

    @cached_property
    def name(self) -> str:
        """The same for every version, and for every port of a registered device."""
        place = f"{self.address}\0{self.port if self.device_id is None else ''}\0{self.device_id}\0{self.login}"
        return hashlib.blake2b(place.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Kept:
    """What survives a restart of one login at one target, in wall time. `refused_at`: when, by which service;
    `under_way`: attempts that were begun; `proved`: services that accept it.
    """

    name: str
    key: LoginKey
    failures: Mapping[str, int] = field(default_factory=dict)
    refused_at: Sequence[tuple[datetime, str]] = ()
    blocked_until: datetime | None = None
    reason: str = Reason.WRONG_PASSWORD
    proved: frozenset[str] = frozenset()
    under_way: Mapping[str, int] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class RememberedLogin:
    """One login at one target, in monotonic time."""

    name: str
    key: LoginKey
    standing: LoginStanding = field(default_factory=LoginStanding)
    refusals: list[tuple[float, str]] = field(default_factory=list)
    proved: set[str] = field(default_factory=set)
    under_way: dict[str, int] = field(default_factory=dict)  # attempts that count as refused if nobody reports them
    attempts: int = 0  # that hold it in memory

    def begun(self, service: str) -> None:
        """An attempt that is stored before it is made."""
        self.under_way[service] = self.under_way.get(service, 0) + 1

    def landed(self, service: str) -> None:
        """Its outcome is known."""
        left = self.under_way.pop(service, 0) - 1
        if left > 0:
            self.under_way[service] = left


@dataclass(frozen=True, slots=True)
class DeviceAccount:
    """What decides about one login at one device: how the login stands and which services accept it (`proved`); when
    the device refused any login within a day, whether it accepts some login (`proofs`), until when it says that it has
    locked itself (0: it has not). `typed`: the login is of no registered device.
    """

    standing: LoginStanding
    proved: frozenset[str]
    refusals: tuple[float, ...]
    proofs: bool
    locked_until: float
    typed: bool

    def due(self, service: Service, now: float) -> float:
        """When the login may be tried with that service."""
        return retry_rules.due(
            self.standing,
            self.refusals,
            now,
            proved=service in self.proved,
            proofs=self.proofs,
            locked=self.locked_until,
            own_users=self.typed and service != "onvif",
        )

    def limit(self, service: str) -> int:
        """How many refusals a day there may be before the login is not tried any more."""
        return retry_rules.day_limit(self.standing, proved=service in self.proved, proofs=self.proofs)


class LoginMemory:
    """Of all devices. `changed` is called with each login that is to be stored again, or deleted."""

    def __init__(self, clock: Clock, changed: Callable[[RememberedLogin], None]) -> None:
        self.targets = LoginTargets()
        self._clock = clock
        self._changed = changed
        self._at: dict[str, dict[str, RememberedLogin]] = {}
        self._of_device: dict[int, set[RememberedLogin]] = {}
        self._versions: dict[int, int] = {}
        self._count = 0
        self._purge_at = 0.0

    def note_version(self, key: LoginKey) -> bool:
        """A login of a registered device is used; whether it is a newer one than any before."""
        if key.device_id is None or key.version <= self._versions.get(key.device_id, -1):
            return False
        self._versions[key.device_id] = key.version
        return True

    def outdated(self, key: LoginKey) -> bool:
        """Whether the device's login has been changed since."""
        return key.device_id is not None and key.version < self._versions.get(key.device_id, 0)

    def of_device(self, device_id: int) -> list[RememberedLogin]:
        """The logins that a registered device has now, as far as they were tried."""
        return [one for one in self._of_device.get(device_id, ()) if self._current(one)]

    def one(self, key: LoginKey) -> str:
        """The name of the real device that is met there."""
        return self.targets.one(key.address, key.port, key.device_id)

    def account(self, key: LoginKey) -> DeviceAccount:
        """How the login stands now, and the device that is met there."""
        now = self._clock.monotonic()
        others = self._same_device(key)
        standing, proved = self._known(key)
        return DeviceAccount(
            standing,
            frozenset(proved),
            tuple(at for login in others for at, _ in login.refusals if at > now - DAY),
            any(one.proved for one in others),
            max((one.standing.until for one in others if one.standing.reason == Reason.LOCKED_OUT), default=0.0),
            key.device_id is None,
        )

    def obtain(self, key: LoginKey, *, bounded: bool = False) -> RememberedLogin:
        """The memory of that login, made where there is none. With `bounded` raises HubError(BUSY) without room."""
        login = self._at.get(key.address, {}).get(key.name)
        if login is None:
            if bounded and self._count >= LIMIT and key.device_id is None:
                raise HubError(Kind.BUSY, "too many logins were refused lately; try again later", reason=Reason.BUSY)
            login = RememberedLogin(key.name, key)
            if (carried := self._carried(key)) is not None:
                login.standing, carried.standing = carried.standing, LoginStanding()
                self._changed(carried)
            self._add(login)
        elif login.key.version < key.version:  # entered again, or the device has another address
            login.standing, login.proved = LoginStanding(), set()
            login.key = key
        return login

    def remembers(self, login: RememberedLogin) -> bool:
        """Whether it is to be stored; else its row is to be deleted."""
        return self._at.get(login.key.address, {}).get(login.name) is login and self._tells(login)

    def tidy(self, address: str) -> None:
        """Forget what says nothing."""
        logins = self._at.get(address, {})
        for login in [one for one in logins.values() if not one.attempts and not self._tells(one)]:
            del logins[login.name]
            self._count -= 1
            self._changed(login)
            device_id = login.key.device_id
            if device_id is not None:
                self._of_device[device_id].discard(login)
                if not self._of_device[device_id]:
                    del self._of_device[device_id]
        if not logins:
            self._at.pop(address, None)

    def purge(self) -> None:
        """Now and then, oftener where there is no room: forget what has lasted its day."""
        now = self._clock.monotonic()
        if now >= self._purge_at or (self._count >= LIMIT and now >= self._purge_at + _PURGE_FULL_SECONDS):
            self._purge_at = now + (_PURGE_SECONDS if self._count < LIMIT else _PURGE_FULL_SECONDS)
            for address in list(self._at):
                self.tidy(address)

    def kept(self, login: RememberedLogin) -> Kept:
        """As it is stored."""
        standing = login.standing
        return Kept(
            login.name,
            login.key,
            dict(standing.failures),
            tuple((self.wall(at), service) for at, service in login.refusals),
            self.wall(standing.until) if standing.until else None,
            standing.reason,
            frozenset(login.proved if login.key.device_id is not None else ()),
            dict(login.under_way),
        )

    def resume(self, stored: Sequence[Kept]) -> None:
        """What was stored before a restart. However the wall clock was stepped since, no pause becomes longer."""
        now, wall = self._clock.monotonic(), self._clock.now()
        for kept in stored:
            left = (kept.blocked_until - wall).total_seconds() if kept.blocked_until is not None else 0.0
            login = RememberedLogin(kept.name, kept.key, proved=set(kept.proved))
            login.standing = retry_rules.resumed(kept.failures, left, now, kept.reason)
            login.refusals = list(_resumed(kept, now, wall))
            if (device_id := kept.key.device_id) is not None:
                self.note_version(kept.key)
                self.targets.learn_stored(device_id, kept.key.address, kept.key.port, accepted=bool(kept.proved))
            self._add(login)
            if kept.under_way:
                self._changed(login)

    def wall(self, at: float) -> datetime:
        """A moment of the monotonic clock as a time."""
        return self._clock.now() + timedelta(seconds=at - self._clock.monotonic())

    def _same_device(self, key: LoginKey) -> list[RememberedLogin]:
        """The logins whose refusals count for that target: those at the same device, and its own from other places."""
        one = self.one(key)
        found = {login.name: login for login in self._at.get(key.address, {}).values() if self.one(login.key) == one}
        if key.device_id is not None:
            found |= {login.name: login for login in self._of_device.get(key.device_id, ())}
        return list(found.values())

    def _known(self, key: LoginKey) -> tuple[LoginStanding, set[str]]:
        """How a login stands, and which services accept it, in the version of the key."""
        login = self._at.get(key.address, {}).get(key.name)
        if login is not None:
            return (login.standing, login.proved) if login.key.version >= key.version else (LoginStanding(), set())
        carried = self._carried(key)
        return (carried.standing if carried is not None else LoginStanding()), set()

    def _add(self, login: RememberedLogin) -> None:
        self._at.setdefault(login.key.address, {})[login.name] = login
        self._count += 1
        if login.key.device_id is not None:
            self._of_device.setdefault(login.key.device_id, set()).add(login)

    def _carried(self, key: LoginKey) -> RememberedLogin | None:
        """A row of an earlier version of the hub, which kept no hash of the login."""
        if key.device_id is None:
            return None
        logins = self._of_device.get(key.device_id, ())
        return next((one for one in logins if not one.key.login and one.key.version == key.version), None)

    def _current(self, login: RememberedLogin) -> bool:
        device_id = login.key.device_id
        return device_id is not None and login.key.version >= self._versions.get(device_id, 0)

    def _tells(self, login: RememberedLogin) -> bool:
        """Whether anything would be lost with it."""
        since = self._clock.monotonic() - DAY
        login.refusals = [one for one in login.refusals if one[0] > since]
        if login.refusals or login.under_way:
            return True
        return self._current(login) and bool(login.standing.total or login.proved)


def _resumed(kept: Kept, now: float, wall: datetime) -> Iterator[tuple[float, str]]:
    for at, service in kept.refused_at:
        yield now - max(0.0, (wall - at).total_seconds()), service  # what seems to lie in the future was just now
    for service, number in kept.under_way.items():
        for _ in range(number):
            yield now, service  # begun and never reported: perhaps refused, at the latest just now
