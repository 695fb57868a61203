"""Pure: which alarms should be open, decided along hub → village → device → camera.

A fault is raised once, at the level where its cause lies: a dead link is one alarm that lists its cameras. So that the
first camera of a dying village does not raise an alarm before the village is known, an alarm may be *pending*:
expected, but not opened while its neighbours are still being checked. An alarm stops pending when the neighbours are
known, and always after a time limit.

Shares of a village are counted over its devices, never over cameras: a recorder of 32 channels is one address.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from camera_hub.errors import Param, Reason
from camera_hub.health.judging.alarm_severity import Severity
from camera_hub.health.judging.verdict import LOGIN, OFFLINE, UNKNOWN, Aspect, Verdict

UPLINK_SHARE = 0.9
"""Share of villages, all dark at once, from which on the fault is the hub's own uplink."""

FOUND = (Aspect.RECORDING, Aspect.OSD)
"""What other checks than looks find; of a recorder's cameras they mostly have one cause."""

_FOLLOWING = frozenset({Reason.LOCKED_OUT, Reason.LOGIN_PAUSED})
"""What follows from a wrong login, and says less."""


@dataclass(frozen=True, slots=True)
class JudgingRules:
    """The numbers that judging follows; times in seconds."""

    bad: int
    bad_of: int
    village_share: float  # of a village's devices
    recheck: float  # a look that contradicts the verdict is repeated after this
    reach: float  # how long checking whether a device answers may take
    clock_error: float

    @property
    def grace(self) -> float:
        """How long after the newest camera fell silent its neighbours may take to be found silent and confirmed."""
        return self.recheck + 2 * self.reach + 2

    @property
    def limit(self) -> float:
        """The longest that an alarm is pending."""
        return max(60.0, 12 * self.recheck)


@dataclass(frozen=True, slots=True)
class CameraCase:
    """One approved camera as the tree sees it. All times in monotonic seconds."""

    camera_id: int
    device_id: int
    village_id: int
    media: Verdict = UNKNOWN
    picture: Verdict = UNKNOWN
    silent_since: float | None = None  # its address has not answered since then, confirmed or not
    answered_at: float | None = None  # when its address last answered
    silences: tuple[float, ...] = ()  # when the latest looks found it silent
    recovering: bool = False  # the verdict is still fault, but the latest look was good
    found: Mapping[Aspect, Verdict] = field(default_factory=dict)  # recording and OSD, as other checks found them

    @property
    def offline(self) -> bool:
        """Whether it is confirmed that its address does not answer."""
        return self.media.state == "fault" and self.media.cause in OFFLINE


@dataclass(frozen=True, slots=True)
class AlarmKey:
    """What an alarm is about: at most one is open for each key. `subject` is the id at that level, 0 for the hub."""

    level: str
    aspect: Aspect
    subject: int


@dataclass(frozen=True, slots=True)
class ExpectedAlarm:
    """An alarm that should be open; while `pending` it stays open if it is, but is not opened yet."""

    key: AlarmKey
    cause: str
    members: frozenset[int]
    village_id: int | None = None
    device_id: int | None = None
    camera_id: int | None = None
    pending: bool = False
    detail: str = ""  # of the same observation as the cause
    params: Mapping[str, Param] = field(default_factory=dict)
    flapping: bool = False  # most of its cameras come and go
    severity: Severity = Severity.MAJOR
    hint: Mapping[str, Param | None] | None = None  # what was seen shortly before the loss (judging.hints)
    place_group: str | None = None  # the same in losses of one place at one time


def expected_alarms(
    cases: Sequence[CameraCase],
    clocks: Mapping[int, Verdict],
    *,
    open_keys: frozenset[AlarmKey],
    recovered: Mapping[AlarmKey, float],
    now: float,
    rules: JudgingRules,
) -> tuple[ExpectedAlarm, ...]:
    """All alarms that should be open, given those that are (`open_keys`) and the parents that closed lately
    (`recovered`: key → when).

    `clocks` holds the verdict on each device's clock, by device id.
    """
    tree = _Tree(cases, open_keys, recovered, now, rules)
    return (
        *tree.parents(),
        *tree.cameras(),
        *_pictures(cases),
        *_clocks(tree.devices, clocks),
        *(alarm for aspect in FOUND for alarm in tree.found(aspect)),
    )


def devices_to_check(cases: Iterable[CameraCase], *, now: float, rules: JudgingRules) -> frozenset[int]:
    """Devices to check at once for an answer, because a neighbour just fell silent.

    Each is checked once per newly silent neighbour; a silent one again after `recheck`, until its verdict is confirmed.
    """
    found: set[int] = set()
    for members in _by_village(cases).values():
        fresh = [c.silent_since for c in members if c.silent_since is not None and now - c.silent_since < rules.limit]
        if not fresh:
            continue
        newest = max(fresh)
        for case in members:
            if case.silent_since is None:
                if case.answered_at is None or case.answered_at < newest:
                    found.add(case.device_id)
            elif not case.offline and case.silences and now - case.silences[-1] >= rules.recheck:
                found.add(case.device_id)
    return frozenset(found)


class _Tree:
    """All that is known at one moment."""

    def __init__(
        self,
        cases: Sequence[CameraCase],
        open_keys: frozenset[AlarmKey],
        recovered: Mapping[AlarmKey, float],
        now: float,
        rules: JudgingRules,
    ) -> None:
        self._cases = cases
        self._open_keys = open_keys
        self._recovered = dict(recovered)
        self._now = now
        self._rules = rules
        self._villages = _by_village(cases)
        self.devices: dict[int, list[CameraCase]] = defaultdict(list)
        for case in cases:
            self.devices[case.device_id].append(case)
        self._dark = [village for village in self._villages if self._is_dark(village)]
        self._covered: set[int] = set()  # cameras that a parent's alarm stands for

    def parents(self) -> list[ExpectedAlarm]:
        """Alarms of hub, villages and devices, the highest first."""
        if len(self._dark) >= max(2, math.ceil(UPLINK_SHARE * len(self._villages))):
            offline = frozenset(c.camera_id for c in self._cases if c.offline)
            self._covered |= offline
            flapping = _most_flap([c for c in self._cases if c.offline])
            found = [ExpectedAlarm(_key("hub", 0), Reason.HUB_UPLINK, offline, flapping=flapping)]
        else:
            found = []
            self._note_recovered(found, "hub")  # before its villages are judged: they are on their way back
            found += [w for v in self._dark if (w := self._village(v)) is not None]
        self._note_recovered(found, "village")
        found += [w for device in self.devices if (w := self._device(device)) is not None]
        self._note_recovered(found, "device")
        return found

    def _note_recovered(self, found: list[ExpectedAlarm], *levels: str) -> None:
        """A parent's alarm that is open and no longer expected recovers at this very moment."""
        keys = {w.key for w in found}
        gone = (k for k in self._open_keys if k.level in levels and k.aspect is Aspect.MEDIA and k not in keys)
        self._recovered.update({key: self._now for key in gone})

    def cameras(self) -> list[ExpectedAlarm]:
        return [
            ExpectedAlarm(
                _key("camera", c.camera_id),
                c.media.cause or "",
                frozenset({c.camera_id}),
                c.village_id,
                c.device_id,
                c.camera_id,
                pending=self._is_pending([c]),
                detail=c.media.detail,
                params=c.media.params,
                flapping=c.media.flapping,
            )
            for c in self._cases
            if c.media.state == "fault" and c.camera_id not in self._covered
        ]

    def found(self, aspect: Aspect) -> list[ExpectedAlarm]:
        """All cameras of a recorder with one cause (its disk is dead): one alarm, the recorder's, which then stands
        for those that are left. Its cameras are checked one by one, so the first ones wait for the others."""
        found = []
        for device, channels in self.devices.items():
            faulty = [(c, v) for c in channels if (v := c.found.get(aspect, UNKNOWN)).state == "fault"]
            one_cause = len(faulty) > 0 and len({v.cause for _, v in faulty}) == 1
            is_open = AlarmKey("device", aspect, device) in self._open_keys
            if one_cause and (is_open or len(faulty) == len(channels) > 1):
                found.append(_of_device([c for c, _ in faulty], aspect, faulty[0][1]))
                continue
            newest = max((v.since or 0.0 for _, v in faulty), default=0.0)
            waits = len(channels) > 1 and self._now < newest + self._rules.limit
            own = [_own(c, aspect, v) for c, v in faulty]
            found += [replace(alarm, pending=True) for alarm in own] if waits else own
        return found

    def _is_dark(self, village: int) -> bool:
        """Nearly all devices of a village are offline. Devices just added don't lift an alarm that is open."""
        devices = _by_device(self._villages[village])
        if {_key("village", village), _key("hub", 0)} & self._open_keys:
            devices = [channels for channels in devices if any(c.media.state != "unknown" for c in channels)]
        offline = sum(_is_offline(channels) for channels in devices)
        return offline > 0 and offline >= self._share(len(devices))

    def _share(self, count: int) -> int:
        return math.ceil(self._rules.village_share * count - 1e-9)

    def _village(self, village: int) -> ExpectedAlarm | None:
        """A link is more than one address: with a single device it is that device (or camera) that is down."""
        devices = [channels for channels in _by_device(self._villages[village]) if _is_offline(channels)]
        if len(devices) < 2:
            return None
        offline = [c for c in self._villages[village] if c.offline]
        members = frozenset(c.camera_id for c in offline)
        self._covered |= members
        parents = (_key("hub", 0), _key("village", village))
        pending = self._awaits_confirmation(devices, parents, self._share(len(devices)))
        pending = pending or self._may_be_uplink(offline)
        return ExpectedAlarm(
            _key("village", village),
            Reason.VILLAGE_LINK,
            members,
            village,
            pending=pending,
            flapping=_most_flap(offline),
        )

    def _may_be_uplink(self, offline: list[CameraCase]) -> bool:
        """Wait for a sign of life from another village before blaming this one: it may be the hub's own uplink."""
        since = max(c.media.since or 0.0 for c in offline)
        others = [c for v, members in self._villages.items() if v not in self._dark for c in members]
        if not others or any(c.answered_at is not None and c.answered_at > since for c in others):
            return False
        newest = max((c.silent_since for c in self._cases if c.silent_since is not None), default=since)
        return self._now < min(newest + self._rules.grace, since + self._rules.limit)

    def _device(self, device: int) -> ExpectedAlarm | None:
        """All channels of a recorder silent, or all refused because of its one login: one alarm, the recorder's."""
        channels = self.devices[device]
        ids = frozenset(c.camera_id for c in channels)
        if len(channels) < 2 or ids & self._covered or any(c.media.state != "fault" for c in channels):
            return None
        causes = {c.media.cause for c in channels}
        if causes <= OFFLINE:
            cause: str = Reason.DEVICE_DOWN
        elif causes <= LOGIN:
            cause = max(causes & LOGIN, key=lambda reason: (reason not in _FOLLOWING, reason or "")) or ""
        else:
            return None
        self._covered |= ids
        said = next((c.media for c in channels if c.media.cause == cause), UNKNOWN)  # none says that the device is down
        return ExpectedAlarm(
            _key("device", device),
            cause,
            ids,
            channels[0].village_id,
            device,
            pending=self._is_pending(channels, own_device=True),
            detail=said.detail,
            params=said.params,
            flapping=_most_flap(channels),
        )

    def _is_pending(self, members: list[CameraCase], *, own_device: bool = False) -> bool:
        """Whether neighbours may still turn this fault into one of a higher level."""
        first = members[0]
        device = self.devices[first.device_id]
        if all(c.recovering for c in members):
            return True
        since = max(c.media.since or 0.0 for c in members)
        if all(c.offline for c in members):
            parents = (_key("hub", 0), _key("village", first.village_id), _key("device", first.device_id))
            if self._awaits_confirmation([[c] for c in members], parents, len(members)):
                return True
            neighbours = self._villages[first.village_id]
            if len(neighbours) == len(members):
                return self._may_be_uplink(members)
            newest = max((c.silent_since for c in neighbours if c.silent_since is not None), default=since)
        elif not own_device and len(device) > 1 and first.media.cause in LOGIN:
            newest = max(c.media.since or 0.0 for c in device if c.media.state == "fault")
        else:
            return False
        return self._now < min(newest + self._rules.grace, since + self._rules.limit)

    def _awaits_confirmation(
        self, groups: Sequence[Sequence[CameraCase]], parents: tuple[AlarmKey, ...], enough: int
    ) -> bool:
        """After a parent's recovery its groups (devices or cameras) must be found silent again, `enough` of them,
        before an alarm of their own is opened."""
        closed = max((self._recovered[key] for key in parents if key in self._recovered), default=None)
        if closed is None or self._now >= closed + self._rules.limit:
            return False
        again = sum(any(sum(at > closed for at in c.silences) >= self._rules.bad for c in group) for group in groups)
        return again < enough


def _is_offline(channels: Sequence[CameraCase]) -> bool:
    """Whether a device is offline: so is each of its cameras of which anything is known."""
    return any(c.offline for c in channels) and all(c.offline or c.media.state == "unknown" for c in channels)


def _most_flap(cases: Sequence[CameraCase]) -> bool:
    return 2 * sum(c.media.flapping for c in cases) > len(cases)


def _pictures(cases: Iterable[CameraCase]) -> list[ExpectedAlarm]:
    return [_own(c, Aspect.PICTURE, c.picture) for c in cases if c.picture.state == "fault"]


def _own(case: CameraCase, aspect: Aspect, verdict: Verdict) -> ExpectedAlarm:
    """An alarm of this camera alone. While its address does not answer, none of another aspect is opened."""
    return ExpectedAlarm(
        AlarmKey("camera", aspect, case.camera_id),
        verdict.cause or "",
        frozenset({case.camera_id}),
        case.village_id,
        case.device_id,
        case.camera_id,
        pending=case.offline,
        detail=verdict.detail,
        params=verdict.params,
        flapping=verdict.flapping,
    )


def _clocks(devices: Mapping[int, Sequence[CameraCase]], clocks: Mapping[int, Verdict]) -> list[ExpectedAlarm]:
    """A clock is the device's: one alarm for a recorder, or for the camera where the device is one."""
    found = []
    for device, channels in devices.items():
        verdict = clocks.get(device, UNKNOWN)
        if verdict.state != "fault":
            continue
        if len(channels) > 1:
            found.append(_of_device(channels, Aspect.CLOCK, verdict))
        else:
            found.append(_own(channels[0], Aspect.CLOCK, verdict))
    return found


def _of_device(channels: Sequence[CameraCase], aspect: Aspect, verdict: Verdict) -> ExpectedAlarm:
    device, village = channels[0].device_id, channels[0].village_id
    return ExpectedAlarm(
        AlarmKey("device", aspect, device),
        verdict.cause or "",
        frozenset(c.camera_id for c in channels),
        village,
        device,
        pending=all(c.offline for c in channels),
        detail=verdict.detail,
        params=verdict.params,
        flapping=verdict.flapping,
    )


def _by_village(cases: Iterable[CameraCase]) -> dict[int, list[CameraCase]]:
    villages: dict[int, list[CameraCase]] = defaultdict(list)
    for case in cases:
        villages[case.village_id].append(case)
    return villages


def _by_device(cases: Iterable[CameraCase]) -> list[list[CameraCase]]:
    devices: dict[int, list[CameraCase]] = defaultdict(list)
    for case in cases:
        devices[case.device_id].append(case)
    return list(devices.values())


def _key(level: str, subject: int) -> AlarmKey:
    return AlarmKey(level, Aspect.MEDIA, subject)
