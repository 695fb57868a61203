"""Pure: who is notified of which alarm now. Shown and notified are two things: the board shows an alarm at once; people
and channels outside are told only of what lasted, once, and of its end only where its beginning was told.

`decide` looks at the alarms as rows say they are and at what was told before, so that it may be run again at any time:
what it decided and what was written is not decided again. In its order:

- an alarm that lasted (`NoticePolicy.delay`) is told: the most severe first, losses of one place in one notice
- its end is told some minutes later, so that ends of neighbours come together; not for one that a higher one took over
- one that comes again and again is told as flapping once, and its end when it has been quiet for half an hour
- what lasts longer is taken up (escalated) and reminded of: by day, all of it in one notice
- what is worth no notice of its own comes with the digest, once each morning
- a receiver gets at most `NoticePolicy.most` in `NoticePolicy.window`: the first ones singly, then joined
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import time, timedelta

from camera_hub.access.policy import Role
from camera_hub.health.judging.alarm_changes import AlarmEnding
from camera_hub.health.judging.alarm_severity import Severity, at_least, rank
from camera_hub.health.notices.situation import (
    AlarmFacts,
    Decisions,
    PlannedNotice,
    QuietHours,
    Receiver,
    ReceiverKey,
    Situation,
    Told,
    clock_time,
)
from camera_hub.settings import NoticeSettings

OPENED, FLAPPING, CLOSED, REMINDER, ESCALATED, DIGEST = (
    "opened",
    "flapping",
    "closed",
    "reminder",
    "escalated",
    "digest",
)
_PARENTS = frozenset({"hub", "village", "device"})
_NO_NEWS = frozenset({AlarmEnding.EXCLUDED, AlarmEnding.UNOBSERVED})


_NIGHT = QuietHours(time(22, 0), time(7, 0))


@dataclass(frozen=True, slots=True)
class NoticePolicy:
    """The numbers; times in seconds. `escalate_after`: when level 1, level 2 … is reached."""

    parent_delay: float = 600.0
    camera_delay: float = 1800.0
    key_delay: float = 120.0
    parent_settle: float = 60.0  # how long after an end it is told: ends of neighbours come together
    camera_settle: float = 300.0
    flapping_settle: float = 1800.0
    flapping_window: float = 7200.0
    remind_after: float = 86400.0
    escalate_after: tuple[float, ...] = (86400.0, 259200.0)
    escalate_from: str = "major"
    digest_at: time = time(8, 0)
    quiet: QuietHours | None = _NIGHT
    window: float = 600.0
    most: int = 10
    singly: int = 5  # notices in the window up to which each alarm has one of its own
    joined: int = 8  # … and up to which joined ones follow; what remains is for digest, reminder and escalation
    joined_pause: float = 200.0  # between joined ones

    def delay(self, alarm: AlarmFacts) -> float:
        """How long an alarm lasts before anybody is notified."""
        if alarm.level in _PARENTS:
            return min(self.parent_delay, self.key_delay) if alarm.key else self.parent_delay
        return self.key_delay if alarm.key else self.camera_delay


def notice_policy(settings: NoticeSettings) -> NoticePolicy:
    """The numbers of the settings file."""
    return NoticePolicy(
        parent_delay=settings.parent_minutes * 60,
        camera_delay=settings.camera_minutes * 60,
        key_delay=settings.key_camera_minutes * 60,
        remind_after=settings.remind_hours * 3600,
        escalate_after=tuple(hours * 3600 for hours in settings.escalate_hours),
        escalate_from=settings.escalate_from,
        digest_at=clock_time(settings.digest_at),
        quiet=QuietHours(clock_time(settings.quiet_from), clock_time(settings.quiet_to)),
    )


def decide(situation: Situation, policy: NoticePolicy) -> Decisions:
    """What is to be written now."""
    found = Decisions()
    told: dict[ReceiverKey, list[Told]] = defaultdict(list)
    for one in situation.told:
        told[one.receiver].append(one)
    sent: Counter[ReceiverKey] = Counter()
    for receiver in situation.receivers:
        desk = _Desk(receiver, situation, policy, told[receiver.key])
        desk.tell(found)
        sent[receiver.key] = desk.sent
    busiest = max((len(situation.recent.get(one.key, ())) + sent[one.key] for one in situation.receivers), default=0)
    if busiest <= policy.joined:  # what is noted once for all receivers waits until none of them would miss it
        now_told = {(one.alarm_id, one.receiver) for one in situation.told if not one.ended}
        now_told |= {(number, key) for number, key, _ in found.told}
        for part in (_escalate, _digest, _remind):  # one at a time: each is a notice for everybody
            part(situation, policy, now_told, found)
            if found.escalated or found.digest or found.reminded:
                break
    told_now = (OPENED, FLAPPING, DIGEST)
    found.notified = {number for one in found.notices if one.kind in told_now for number in one.alarm_ids}
    return found


class _Desk:
    """What one receiver is told of alarms that begin, flap and end."""

    def __init__(self, receiver: Receiver, situation: Situation, policy: NoticePolicy, told: Sequence[Told]) -> None:
        self._receiver = receiver
        self._situation = situation
        self._policy = policy
        self._alarms = {alarm.id: alarm for alarm in situation.alarms}
        self._standing = {one.alarm_id: one for one in told if not one.ended}
        since = situation.now - timedelta(seconds=policy.flapping_window)
        self._times = Counter(one.subject for one in told if one.at > since)
        self._quiet = receiver.quiet is not None and receiver.quiet.has(situation.local.time())
        self.sent = 0

    def tell(self, found: Decisions) -> None:
        """Add what this receiver gets."""
        if self._receiver.leads:
            return
        ends, carried = self._ends(found)
        begins = self._begins(found, carried)
        flapping = [
            alarm
            for alarm in self._situation.alarms
            if alarm.flapping
            and alarm.is_open
            and not alarm.suspended
            and (row := self._standing.get(alarm.id)) is not None
            and row.kind != FLAPPING
            and not self._held(alarm)
        ]
        units = [(OPENED, group) for group in _groups(begins)]
        units += [(FLAPPING, group) for group in _groups(flapping)]
        units += [(CLOSED, group) for group in _groups(ends)]
        for kind, group in self._fitted(units):
            self._write(kind, group, found)

    def _ends(self, found: Decisions) -> tuple[list[AlarmFacts], dict[str, str]]:
        """Alarms whose end is told now; and the subjects whose telling goes on in another alarm, with its kind."""
        again = {alarm.subject for alarm in self._situation.alarms if alarm.is_open}
        ends: list[AlarmFacts] = []
        carried: dict[str, str] = {}
        for number, row in self._standing.items():
            alarm = self._alarms.get(number)
            if alarm is None or alarm.closed_for is None:
                continue
            lasted = alarm.closed_for
            if alarm.ending in _NO_NEWS:
                found.ended.append((number, self._receiver.key))
                continue
            if alarm.ending == AlarmEnding.MERGED:
                parent = self._alarms.get(alarm.merged_into or 0)
                if parent is None or parent.id in self._standing:
                    found.ended.append((number, self._receiver.key))
                    continue
                if parent.closed_for is None:
                    continue  # its end is told, if the higher one ends before it was told itself
                lasted = parent.closed_for
            if alarm.subject in again:
                found.ended.append((number, self._receiver.key))
                carried[alarm.subject] = row.kind
            elif lasted >= self._settle(alarm, row) and not self._held(alarm):
                ends.append(alarm)
        return ends, carried

    def _settle(self, alarm: AlarmFacts, row: Told) -> float:
        if row.kind == FLAPPING:
            return self._policy.flapping_settle
        return self._policy.parent_settle if alarm.level in _PARENTS else self._policy.camera_settle

    def _begins(self, found: Decisions, carried: Mapping[str, str]) -> list[AlarmFacts]:
        """Alarms that are told now; those near them in time and place with them."""
        for alarm in self._situation.alarms:
            if alarm.is_open and alarm.subject in carried and alarm.id not in self._standing:
                # It comes again before its end was told: nothing new for this receiver.
                found.told.append((alarm.id, self._receiver.key, carried[alarm.subject]))
        wanted = [alarm for alarm in self._situation.alarms if alarm.subject not in carried and self._may_begin(alarm)]
        due = {alarm.id for alarm in wanted if alarm.age >= self._policy.delay(alarm)}
        places = {alarm.place_group for alarm in wanted if alarm.id in due and alarm.place_group is not None}
        soon = self._policy.parent_delay
        return [
            alarm
            for alarm in wanted
            if alarm.id in due or (alarm.place_group in places and alarm.age >= self._policy.delay(alarm) - soon)
        ]

    def _may_begin(self, alarm: AlarmFacts) -> bool:
        if not alarm.is_open or alarm.suspended or alarm.acknowledged or alarm.digest_only:
            return False
        if alarm.id in self._standing or not self._receiver.sees(alarm) or self._held(alarm):
            return False
        since = self._receiver.since
        return since is None or alarm.notified_at is None or alarm.notified_at >= since

    def _held(self, alarm: AlarmFacts) -> bool:
        return self._quiet and alarm.severity != Severity.CRITICAL

    def _fitted(self, units: list[tuple[str, list[AlarmFacts]]]) -> list[tuple[str, list[AlarmFacts]]]:
        """The units as they fit: the most severe singly, the rest joined by kind; nothing where there is no room."""
        if not units:
            return []
        recent = self._situation.recent.get(self._receiver.key, ())
        room = self._policy.singly - len(recent)
        if len(units) <= room:
            return units
        singles = max(0, room - len({kind for kind, _ in units}))
        kept, rest = units[:singles], units[singles:]
        joined: dict[str, list[AlarmFacts]] = {}
        for kind, group in rest:
            joined.setdefault(kind, []).extend(group)
        if room <= 0:
            urgent = any(kind == OPENED and alarm.severity == Severity.CRITICAL for kind, g in rest for alarm in g)
            newest = max(recent, default=None)
            waits = newest is not None and self._situation.now - newest < timedelta(seconds=self._policy.joined_pause)
            if waits and not urgent:
                return []
        most = self._policy.joined - len(recent) - len(kept)
        return kept + list(joined.items())[: max(0, most)]

    def _write(self, kind: str, group: list[AlarmFacts], found: Decisions) -> None:
        key = self._receiver.key
        self.sent += 1
        if kind == CLOSED:
            found.ended += [(alarm.id, key) for alarm in group]
        elif kind == FLAPPING:
            found.changed += [(alarm.id, key) for alarm in group]
        else:
            again = {alarm.id for alarm in group if alarm.flapping or self._times[alarm.subject] > 0}
            found.told += [(alarm.id, key, FLAPPING if alarm.id in again else OPENED) for alarm in group]
            if len(again) == len(group):
                kind = FLAPPING
        sound = kind != CLOSED and any(alarm.loud for alarm in group)
        found.notices.append(PlannedNotice(key, kind, tuple(alarm.id for alarm in group), sound))


def _groups(alarms: Iterable[AlarmFacts]) -> list[list[AlarmFacts]]:
    """Alarms of one place together, all others alone; the most severe first, then the oldest."""
    found: dict[object, list[AlarmFacts]] = {}
    for alarm in sorted(alarms, key=lambda one: (rank(one.severity), -one.age, one.id)):
        found.setdefault(alarm.place_group or alarm.id, []).append(alarm)
    return list(found.values())


def _numbers(alarms: Iterable[AlarmFacts]) -> tuple[int, ...]:
    return tuple(alarm.id for group in _groups(alarms) for alarm in group)


def _night(situation: Situation, policy: NoticePolicy) -> bool:
    return policy.quiet is not None and policy.quiet.has(situation.local.time())


def _escalate(situation: Situation, policy: NoticePolicy, told: set[tuple[int, ReceiverKey]], found: Decisions) -> None:
    """Take up what nobody has repaired; the highest level first, one at a time."""
    night = _night(situation, policy)
    up: dict[int, list[AlarmFacts]] = defaultdict(list)
    for alarm in situation.alarms:
        if not alarm.is_open or alarm.suspended or alarm.digest_only:
            continue
        if not at_least(alarm.severity, policy.escalate_from) or (night and alarm.severity != Severity.CRITICAL):
            continue
        level = sum(alarm.unattended >= after for after in policy.escalate_after)
        if level > alarm.escalation:
            up[level].append(alarm)
    if not up:
        return
    level = max(up)
    found.escalated = dict.fromkeys((alarm.id for alarm in up[level]), level)
    for receiver in situation.receivers:
        meant = [one for one in up[level] if _is_taken_to(receiver, one, level, told)]
        if meant:
            found.notices.append(PlannedNotice(receiver.key, ESCALATED, _numbers(meant), False, level))


def _is_taken_to(receiver: Receiver, alarm: AlarmFacts, level: int, told: set[tuple[int, ReceiverKey]]) -> bool:
    if not receiver.sees(alarm):
        return False
    if receiver.role is None:
        return (alarm.id, receiver.key) in told
    if receiver.role is Role.LEADER:
        return level >= 2
    return receiver.role is Role.TOWNSHIP_ADMIN or receiver.key == ("user", alarm.owner_id)


def _remind(situation: Situation, policy: NoticePolicy, told: set[tuple[int, ReceiverKey]], found: Decisions) -> None:
    """Remind of what lasts: its owner, or all who were told of it. What is half due comes along, so that there is one a
    day and not one for each alarm."""
    if _night(situation, policy):
        return
    lasting = [
        alarm
        for alarm in situation.alarms
        if alarm.is_open and not alarm.suspended and not alarm.digest_only and alarm.untold is not None
    ]
    if not any(alarm.untold is not None and alarm.untold >= policy.remind_after for alarm in lasting):
        return
    due = [alarm for alarm in lasting if alarm.untold is not None and alarm.untold >= policy.remind_after / 2]
    for receiver in situation.receivers:
        if receiver.leads:
            continue
        meant = [
            alarm
            for alarm in due
            if receiver.sees(alarm)
            and (
                receiver.key == ("user", alarm.owner_id)
                if alarm.owner_id is not None
                else (alarm.id, receiver.key) in told
            )
        ]
        if meant:
            found.notices.append(PlannedNotice(receiver.key, REMINDER, _numbers(meant)))
            found.reminded |= {alarm.id for alarm in meant}


def _digest(situation: Situation, policy: NoticePolicy, told: set[tuple[int, ReceiverKey]], found: Decisions) -> None:
    """Once a day: what is open and was not told. Later than its time if the hub was away, but never at night."""
    if situation.digest_made or situation.local.time() < policy.digest_at or _night(situation, policy):
        return
    found.digest = situation.local.date()
    for receiver in situation.receivers:
        seen = [one for one in situation.alarms if one.is_open and not one.suspended and receiver.sees(one)]
        rest = [
            one
            for one in seen
            if (one.id, receiver.key) not in told and (one.digest_only or one.acknowledged or receiver.leads)
        ]
        known = sum((one.id, receiver.key) in told for one in seen)
        if rest:
            found.notices.append(PlannedNotice(receiver.key, DIGEST, _numbers(rest), open=known))
