"""Pure: which alarms should be open, decided along hub → village → device → camera.

The cause is told once, at the level where it lies: a dead link is one alarm that lists its cameras. So that the first
camera of a dying village is not told before the village is known, an alarm may be *held*: wanted, but not opened while
its neighbours are still being asked. Holding ends with the facts, and always with a time limit.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from camera_hub.errors import Reason
from camera_hub.health.judging.verdict import AWAY, LOGIN, UNKNOWN, Aspect, Verdict

UPLINK_SHARE = 0.9
"""Share of villages, all dark at once, from which on the fault is the hub's own uplink."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers that judging follows; times in seconds."""

    bad: int
    bad_of: int
    village_share: float
    recheck: float  # a surprising look is repeated after this
    asking: float  # how long asking a device whether it answers may take
    clock_error: float

    @property
    def grace(self) -> float:
        """How long after the newest camera fell silent its neighbours may take to be found silent and confirmed."""
        return self.recheck + 2 * self.asking + 2

    @property
    def limit(self) -> float:
        """The longest that anything is held."""
        return max(60.0, 12 * self.recheck)


@dataclass(frozen=True, slots=True)
class CameraCase:
    """One approved camera as the tree sees it. All times in monotonic seconds."""

    camera_id: int
    device_id: int
    village_id: int
    live: Verdict = UNKNOWN
    picture: Verdict = UNKNOWN
    silent_since: float | None = None  # its address gives no answer since then, confirmed or not
    answered_at: float | None = None  # when its address was last proved to answer
    silences: tuple[float, ...] = ()  # when the latest looks found it silent
    recovering: bool = False  # the verdict is still fault, but the latest look was good

    @property
    def away(self) -> bool:
        """Whether it is confirmed that its address does not answer."""
        return self.live.state == "fault" and self.live.cause in AWAY


@dataclass(frozen=True, slots=True)
class AlarmKey:
    """What an alarm is about: at most one is open for each key. `subject` is the id at that level, 0 for the hub."""

    level: str
    aspect: Aspect
    subject: int


@dataclass(frozen=True, slots=True)
class ExpectedAlarm:
    """An alarm that should be open; when `held`, it stays open if it is, but is not opened yet."""

    key: AlarmKey
    cause: str
    members: frozenset[int]
    village_id: int | None = None
    device_id: int | None = None
    camera_id: int | None = None
    held: bool = False


def wanted(
    cases: Sequence[CameraCase],
    clocks: Mapping[int, Verdict],
    *,
    standing: frozenset[AlarmKey],
    recovered: Mapping[AlarmKey, float],
    now: float,
    rules: Rules,
) -> tuple[ExpectedAlarm, ...]:
    """All alarms that should be open, given those that are (`standing`) and parents that closed of late (`recovered`).

    `clocks` holds the verdict on each device's clock, by device id.
    """
    tree = _Tree(cases, standing, recovered, now, rules)
    found = [*tree.parents(), *tree.cameras(), *_pictures(cases), *_clocks(tree.devices, clocks)]
    return tuple(found)


def to_ask(cases: Iterable[CameraCase], *, now: float, rules: Rules) -> frozenset[int]:
    """Devices that should be asked at once whether their address answers, because a neighbour just fell silent.

    Each is asked once per newly silent neighbour; a silent one again after `recheck`, until its verdict is confirmed.
    """
    asked: set[int] = set()
    for members in _by_village(cases).values():
        fresh = [c.silent_since for c in members if c.silent_since is not None and now - c.silent_since < rules.limit]
        if not fresh:
            continue
        newest = max(fresh)
        for case in members:
            if case.silent_since is None:
                if case.answered_at is None or case.answered_at < newest:
                    asked.add(case.device_id)
            elif not case.away and case.silences and now - case.silences[-1] >= rules.recheck:
                asked.add(case.device_id)
    return frozenset(asked)


class _Tree:
    """The live aspect of one moment."""

    def __init__(
        self,
        cases: Sequence[CameraCase],
        standing: frozenset[AlarmKey],
        recovered: Mapping[AlarmKey, float],
        now: float,
        rules: Rules,
    ) -> None:
        self._cases = cases
        self._standing = standing
        self._recovered = dict(recovered)
        self._now = now
        self._rules = rules
        self._villages = _by_village(cases)
        self.devices: dict[int, list[CameraCase]] = defaultdict(list)
        for case in cases:
            self.devices[case.device_id].append(case)
        self._dark = [village for village in self._villages if self._is_dark(village)]
        self._told: set[int] = set()  # cameras that a parent speaks for

    def parents(self) -> list[ExpectedAlarm]:
        """Alarms of hub, villages and devices, the highest first."""
        if len(self._dark) >= max(2, math.ceil(UPLINK_SHARE * len(self._villages))):
            away = frozenset(c.camera_id for c in self._cases if c.away)
            self._told |= away
            found = [ExpectedAlarm(_key("hub", 0), Reason.HUB_UPLINK, away)]
        else:
            found = [w for v in self._dark if (w := self._village(v)) is not None]
        self._recover(found, "hub", "village")
        found += [w for device in self.devices if (w := self._device(device)) is not None]
        self._recover(found, "device")
        return found

    def _recover(self, found: list[ExpectedAlarm], *levels: str) -> None:
        """A parent that stands and is no longer wanted recovers in this very moment."""
        keys = {w.key for w in found}
        gone = (k for k in self._standing if k.level in levels and k.aspect is Aspect.LIVE and k not in keys)
        self._recovered.update({key: self._now for key in gone})

    def cameras(self) -> list[ExpectedAlarm]:
        return [
            ExpectedAlarm(
                _key("camera", c.camera_id),
                c.live.cause or "",
                frozenset({c.camera_id}),
                c.village_id,
                c.device_id,
                c.camera_id,
                held=self._held([c]),
            )
            for c in self._cases
            if c.live.state == "fault" and c.camera_id not in self._told
        ]

    def _is_dark(self, village: int) -> bool:
        """Nearly all of a village's cameras are silent. Cameras just added don't lift an alarm that stands."""
        members = self._villages[village]
        if {_key("village", village), _key("hub", 0)} & self._standing:
            members = [c for c in members if c.live.state != "unknown"]
        away = sum(c.away for c in members)
        return away > 0 and away >= self._share(len(members))

    def _share(self, count: int) -> int:
        return math.ceil(self._rules.village_share * count - 1e-9)

    def _village(self, village: int) -> ExpectedAlarm | None:
        """A link is more than one address: with a single device it is that device (or camera) that is down."""
        away = [c for c in self._villages[village] if c.away]
        if len(away) < 2 or len({c.device_id for c in away}) < 2:
            return None
        members = frozenset(c.camera_id for c in away)
        self._told |= members
        held = self._unsettled(away, (_key("hub", 0), _key("village", village)), self._share(len(away)))
        held = held or self._may_be_uplink(away)
        return ExpectedAlarm(_key("village", village), Reason.VILLAGE_LINK, members, village, held=held)

    def _may_be_uplink(self, away: list[CameraCase]) -> bool:
        """Wait for a sign of life from another village before blaming this one: it may be the hub's own uplink."""
        since = max(c.live.since or 0.0 for c in away)
        others = [c for v, members in self._villages.items() if v not in self._dark for c in members]
        if not others or any(c.answered_at is not None and c.answered_at > since for c in others):
            return False
        newest = max((c.silent_since for c in self._cases if c.silent_since is not None), default=since)
        return self._now < min(newest + self._rules.grace, since + self._rules.limit)

    def _device(self, device: int) -> ExpectedAlarm | None:
        """All cameras of a recorder silent, or all refused for its one login: told once, for the recorder."""
        members = self.devices[device]
        ids = frozenset(c.camera_id for c in members)
        if len(members) < 2 or ids & self._told or any(c.live.state != "fault" for c in members):
            return None
        causes = {c.live.cause for c in members}
        if causes <= AWAY:
            cause: str = Reason.DEVICE_DOWN
        elif causes <= LOGIN:
            cause = max(causes & LOGIN, key=lambda reason: (reason != Reason.LOCKED_OUT, reason or "")) or ""
        else:
            return None
        self._told |= ids
        return ExpectedAlarm(
            _key("device", device), cause, ids, members[0].village_id, device, held=self._held(members, own_device=True)
        )

    def _held(self, members: list[CameraCase], *, own_device: bool = False) -> bool:
        """Whether neighbours may still turn this fault into a higher one."""
        first = members[0]
        device = self.devices[first.device_id]
        if all(c.recovering for c in members):
            return True
        since = max(c.live.since or 0.0 for c in members)
        if all(c.away for c in members):
            parents = (_key("hub", 0), _key("village", first.village_id), _key("device", first.device_id))
            if self._unsettled(members, parents, len(members)):
                return True
            neighbours = self._villages[first.village_id]
            if len(neighbours) == len(members):
                return self._may_be_uplink(members)
            newest = max((c.silent_since for c in neighbours if c.silent_since is not None), default=since)
        elif not own_device and len(device) > 1 and first.live.cause in LOGIN:
            newest = max(c.live.since or 0.0 for c in device if c.live.state == "fault")
        else:
            return False
        return self._now < min(newest + self._rules.grace, since + self._rules.limit)

    def _unsettled(self, members: list[CameraCase], parents: tuple[AlarmKey, ...], enough: int) -> bool:
        """After a parent's recovery its cameras must be found silent anew before they are told on their own."""
        closed = max((self._recovered[key] for key in parents if key in self._recovered), default=None)
        if closed is None or self._now >= closed + self._rules.limit:
            return False
        anew = sum(sum(at > closed for at in c.silences) >= self._rules.bad for c in members)
        return anew < enough


def _pictures(cases: Iterable[CameraCase]) -> list[ExpectedAlarm]:
    return [
        ExpectedAlarm(
            AlarmKey("camera", Aspect.PICTURE, c.camera_id),
            c.picture.cause or "",
            frozenset({c.camera_id}),
            c.village_id,
            c.device_id,
            c.camera_id,
        )
        for c in cases
        if c.picture.state == "fault"
    ]


def _clocks(devices: Mapping[int, Sequence[CameraCase]], clocks: Mapping[int, Verdict]) -> list[ExpectedAlarm]:
    """A clock is the device's: one alarm for a recorder, that of the camera where the device is one."""
    found = []
    for device, members in devices.items():
        if clocks.get(device, UNKNOWN).state != "fault":
            continue
        ids, village = frozenset(c.camera_id for c in members), members[0].village_id
        if len(members) > 1:
            found.append(
                ExpectedAlarm(AlarmKey("device", Aspect.CLOCK, device), Reason.CLOCK_WRONG, ids, village, device)
            )
        else:
            camera = members[0].camera_id
            key = AlarmKey("camera", Aspect.CLOCK, camera)
            found.append(ExpectedAlarm(key, Reason.CLOCK_WRONG, ids, village, device, camera))
    return found


def _by_village(cases: Iterable[CameraCase]) -> dict[int, list[CameraCase]]:
    villages: dict[int, list[CameraCase]] = defaultdict(list)
    for case in cases:
        villages[case.village_id].append(case)
    return villages


def _key(level: str, subject: int) -> AlarmKey:
    return AlarmKey(level, Aspect.LIVE, subject)
