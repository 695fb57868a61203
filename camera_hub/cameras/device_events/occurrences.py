"""Reports become occurrences: from, until, how often. Pure, bounded, and never more than one a minute and kind.

A camera at a road reports motion all day: reports that begin within a minute after the last one ended belong to the
same occurrence, which is counted on. What lasts is written at most once a minute.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from camera_hub.cameras.device_events.topics import DeviceEventKind

GAP = 60.0
"""Seconds within which the next report belongs to the same occurrence, and between two writes of a lasting one."""
REST = 10.0
"""Seconds between two writes of one that keeps changing."""
MAX_OPEN = 8192
LONGEST = timedelta(hours=24)
"""What never ends is written as one occurrence a day, so that retention can delete it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an occurrence is of; without a camera it is the device itself."""

    device_id: int
    camera_id: int | None
    kind: DeviceEventKind


@dataclass(slots=True)
class Occurrence:
    """`row`: its row's id once written. `until` None: it lasts. `last`, `saved`: on the clock that never steps."""

    subject: Subject
    since: datetime
    seen: datetime
    last: float
    until: datetime | None = None
    count: int = 1
    row: int | None = None
    saved: float | None = None
    told: bool | None = None  # what the bus was told last: begun, ended


@dataclass(slots=True)
class Occurrences:
    """Those of all devices that last, or ended a moment ago. `dropped` counts reports for which there was no room."""

    limit: int = MAX_OPEN
    dropped: int = 0
    _by_subject: dict[Subject, Occurrence] = field(default_factory=dict)
    _dirty: dict[int, Occurrence] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._by_subject)

    def report(self, subject: Subject, active: bool | None, now: datetime, monotonic: float) -> None:
        """A device says that it has begun (True), has ended (False), or was and is over (None)."""
        known = self._by_subject.get(subject)
        if active is False:
            if known is not None and known.until is None:
                known.seen = known.until = now
                known.last = monotonic
                self._changed(known)
            return
        if known is None or self._over(known, now, monotonic):
            if known is None and len(self._by_subject) >= self.limit:
                self._forget(monotonic)
                if len(self._by_subject) >= self.limit:
                    self.dropped += 1
                    return
            known = self._by_subject[subject] = Occurrence(subject, now, now, monotonic)
            self._changed(known)
        else:
            known.count += known.until is not None
            fresh = known.saved is not None and monotonic - known.saved < GAP and known.until is None
            known.seen, known.last, known.until = now, monotonic, None
            if not fresh:
                self._changed(known)
        if active is None:
            known.until = now
            self._changed(known)

    def lost(self, device_id: int, now: datetime) -> None:
        """The device reports no longer: what lasted is known up to the last report alone."""
        for subject, known in self._by_subject.items():
            if subject.device_id == device_id and known.until is None:
                known.until = known.seen if known.seen <= now else now
                self._changed(known)

    def due(self, monotonic: float, most: int, *, everything: bool = False) -> list[Occurrence]:
        """Those to be written now, at most so many: each at once when it is new, then every ten seconds at most."""
        due = (
            one
            for one in self._dirty.values()
            if everything or one.saved is None or monotonic - one.saved >= REST or one is not self._now_of(one)
        )
        return list(islice(due, most))

    def written(self, occurrence: Occurrence, monotonic: float) -> None:
        """It stands in the database as it is now."""
        occurrence.saved = monotonic
        self._dirty.pop(id(occurrence), None)
        self._forget(monotonic)

    def _now_of(self, one: Occurrence) -> Occurrence | None:
        return self._by_subject.get(one.subject)

    def _over(self, known: Occurrence, now: datetime, monotonic: float) -> bool:
        if now - known.since >= LONGEST:
            known.until = known.until or now
            self._changed(known)
            return True
        return known.until is not None and monotonic - known.last >= GAP

    def _changed(self, one: Occurrence) -> None:
        self._dirty[id(one)] = one
        while len(self._dirty) > self.limit:  # the database has not taken any for a long time
            del self._dirty[next(iter(self._dirty))]
            self.dropped += 1

    def _forget(self, monotonic: float) -> None:
        if len(self._by_subject) < self.limit // 2:
            return
        over = [
            subject
            for subject, one in self._by_subject.items()
            if one.until is not None and monotonic - one.last >= GAP and id(one) not in self._dirty
        ]
        for subject in over:
            del self._by_subject[subject]
