"""Values: what deciding about notices looks at (alarms, receivers, what they were told), and what it says is to be
written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time

from camera_hub.access.policy import Role
from camera_hub.health.judging.alarm_severity import Severity, at_least
from camera_hub.health.notices.rules import RuleView, is_meant

_DIGEST_ASPECTS = frozenset({"recording", "clock", "osd"})


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` until just before `end` of the site's day, over midnight if `end` is earlier; equal: never."""

    start: time
    end: time

    def has(self, at: time) -> bool:
        """Whether it is quiet at that time of day."""
        if self.start <= self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end


def clock_time(text: str) -> time:
    """A time of day as settings and channels write it: 22:00."""
    hour, _, minute = text.partition(":")
    return time(int(hour), int(minute))


@dataclass(frozen=True, slots=True)
class AlarmFacts:
    """An alarm as it stands.

    `subject`: what it is about, the same when it comes again. `key`: a key camera is among its cameras. Seconds: `age`
    since it opened, `closed_for` since it closed (None: it is open), `unattended` since it opened or resumed, `untold`
    since it was first notified of or last reminded of (None: never). `ending`: judging's AlarmEnding of a closed one.
    """

    id: int
    level: str
    aspect: str
    severity: str
    subject: str
    village_id: int | None = None
    key: bool = False
    age: float = 0.0
    closed_for: float | None = None
    ending: str | None = None
    merged_into: int | None = None
    owner_id: int | None = None
    acknowledged: bool = False
    suspended: bool = False
    flapping: bool = False
    place_group: str | None = None
    escalation: int = 0
    unattended: float = 0.0
    untold: float | None = None
    notified_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.closed_for is None

    @property
    def digest_only(self) -> bool:
        """Worth a line in the morning, no notice of its own."""
        if self.severity == Severity.CRITICAL:
            return False
        if self.aspect in _DIGEST_ASPECTS:
            return True
        return self.aspect == "picture" and not self.key and not at_least(self.severity, Severity.MAJOR)

    @property
    def loud(self) -> bool:
        """Whether the page plays a sound: villages, the hub itself and key cameras."""
        return self.level in ("hub", "village") or self.key


ReceiverKey = tuple[str, int]
"""("user" | "channel", id)."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """A person (with `role`) or a channel (with `rules`). `villages`: the only ones they may see, None for all.
    `since`: alarms that others were notified of before that time are not told any more."""

    key: ReceiverKey
    role: Role | None = None
    rules: tuple[RuleView, ...] = ()
    villages: frozenset[int] | None = None
    quiet: QuietHours | None = None
    since: datetime | None = None

    def sees(self, alarm: AlarmFacts) -> bool:
        """Whether the alarm is any of its business."""
        if self.role is None:
            return is_meant(self.rules, alarm.village_id, alarm.aspect, alarm.severity)
        return self.villages is None or alarm.village_id in self.villages

    @property
    def leads(self) -> bool:
        """Leaders get what was taken up to them, and the digest."""
        return self.role is Role.LEADER


@dataclass(frozen=True, slots=True)
class Told:
    """That a receiver was told of an alarm (opened | flapping), and whether of its end, too."""

    alarm_id: int
    receiver: ReceiverKey
    subject: str
    kind: str
    at: datetime
    ended: bool


@dataclass(frozen=True, slots=True)
class Situation:
    """All that `decide` looks at. `local`: `now` by the site's wall clock. `recent`: when each receiver got notices
    within the window. `digest_made`: of today."""

    now: datetime
    local: datetime
    alarms: Sequence[AlarmFacts]
    receivers: Sequence[Receiver]
    told: Sequence[Told] = ()
    recent: Mapping[ReceiverKey, Sequence[datetime]] = field(default_factory=dict)
    digest_made: bool = False


@dataclass(frozen=True, slots=True)
class PlannedNotice:
    """One notice to write. `open`: how many alarms the receiver was told of are open (in a digest)."""

    receiver: ReceiverKey
    kind: str
    alarm_ids: tuple[int, ...]
    sound: bool = False
    level: int = 0  # of an escalation
    open: int = 0


@dataclass(slots=True)
class Decisions:
    """What to write, in one transaction. `told`: rows to add (without a notice: one that goes on from another alarm);
    `changed`: rows whose kind is flapping from now on; `ended`: rows whose end is told or passed over."""

    notices: list[PlannedNotice] = field(default_factory=list)
    told: list[tuple[int, ReceiverKey, str]] = field(default_factory=list)
    changed: list[tuple[int, ReceiverKey]] = field(default_factory=list)
    ended: list[tuple[int, ReceiverKey]] = field(default_factory=list)
    notified: set[int] = field(default_factory=set)
    reminded: set[int] = field(default_factory=set)
    escalated: dict[int, int] = field(default_factory=dict)
    digest: date | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.notices or self.told or self.changed or self.ended or self.escalated or self.digest)
