"""The same figures another way: over the raw rows minute by minute, with nothing of camera_hub but the tables.

Time is a set of minutes: an integer with one bit for each minute from some days before the month until some days after
it. Everything is and, or, not, and counting of bits.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import partial

from camera_hub.store.tables import (
    Alarm,
    AlarmMember,
    Camera,
    CameraState,
    Exclusion,
    LedgerFile,
    ObservingPeriod,
    RecordingDayRow,
    ServicePeriod,
    Village,
)
from tests.health.reports.simulated_month import MINUTE, Month

NEEDS = {
    "online": ["media"],
    "intact": ["media", "picture"],
    "clock": ["clock"],
    "recording": ["recording"],
    "osd": ["osd"],
}
DUE_HOURS = {"critical": 4, "major": 24, "minor": 72, "warning": 168}

Triple = tuple[int, int, int]
"""part, whole, unknown; time in minutes."""


class Independent:
    """One month, computed."""

    def __init__(self, month: Month) -> None:
        self.month = month
        self.zero = month.begin - timedelta(days=12)
        self.bits = int((month.end - month.begin) / MINUTE) + 2 * 12 * 1440
        self.span = self.minutes(month.begin, month.end)
        local = [(self.zero + one * MINUTE).astimezone(month.zone) for one in range(self.bits)]
        self.local = [(one.weekday(), f"{one:%H:%M}") for one in local]
        edges = {one.date(): number for number, one in reversed(list(enumerate(local)))}
        nights = sorted([*edges.values(), self.bits])
        self.days: dict[date, int] = {
            day: (1 << nights[nights.index(first) + 1]) - (1 << first) for day, first in edges.items()
        }
        self.excluded = {row.id: self._excluded(row) for row in month.of(Exclusion)}
        self.observed = 0
        for period in month.of(ObservingPeriod):
            self.observed |= self.minutes(period.since, period.until)
        for alarm in month.of(Alarm):
            if alarm.level == "hub":
                self.observed &= ~self.minutes(alarm.opened_at, alarm.closed_at)
        self.units = {row.camera_id: row.maintainer_unit for row in month.of(LedgerFile)}
        self.sums: Counter[tuple[int, str, str, str]] = (
            Counter()
        )  # village, figure, before | after, ok | fault | unknown
        self.cameras_in: dict[int, set[int]] = {row.id: set() for row in month.of(Village)}
        self.by_day: Counter[tuple[date, str, str]] = Counter()  # of what counts after exclusions
        self.causes: Counter[tuple[str, str]] = Counter()
        self.outages: Counter[int] = Counter()
        for camera in month.of(Camera):
            self._camera(camera.id)
        self._repairs()

    def minutes(self, since: datetime, until: datetime | None) -> int:
        """The set of the minutes in between."""
        first = max(0, int((since - self.zero) / MINUTE))
        last = self.bits if until is None else min(self.bits, int((until - self.zero) / MINUTE))
        return ((1 << last) - 1) & ~((1 << first) - 1) if first < last else 0

    @staticmethod
    def where(each: Iterable[bool]) -> int:
        """The set of the minutes for which it is true."""
        return int("".join("01"[one] for one in each)[::-1], 2)

    def figure(self, name: str, when: str, village: int | None = None) -> Triple:
        """Of a village, or of all."""
        ok, fault, unknown = (
            sum(self.sums[one, name, when, word] for one in self.cameras_in if village in (None, one))
            for word in ("ok", "fault", "unknown")
        )
        return ok, ok + fault, unknown

    def place(self, name: str, village: int) -> int | None:
        """One more than how many villages are better, in hundredths of a percent rounded down."""
        values = {}
        for one, cameras in self.cameras_in.items():
            part, whole, _ = self.figure(name, "after", one)
            if cameras and whole:
                values[one] = part * 10_000 // whole
        return 1 + sum(other > values[village] for other in values.values()) if village in values else None

    def _excluded(self, row: Exclusion) -> int:
        if row.approved_at is None:
            return 0
        until = row.until if row.ended_at is None else min(row.until, row.ended_at)
        found = self.minutes(row.since, until)
        if row.weekly is None:
            return found
        first, last, days = row.weekly["from"], row.weekly["to"], row.weekly["days"]
        if first < last:
            windows = self.where(day in days and first <= clock < last for day, clock in self.local)
        else:
            windows = self.where(
                (day in days and clock >= first) or ((day - 1) % 7 in days and clock < last)
                for day, clock in self.local
            )
        return found & windows

    def _of(self, **ids: int | None) -> int:
        """The minutes in which a camera, device or village was excluded."""
        found = 0
        for row in self.month.of(Exclusion):
            if row.level in ids and ids[row.level] == getattr(row, f"{row.level}_id"):
                found |= self.excluded[row.id]
        return found

    def _camera(self, camera: int) -> None:
        states = [row for row in self.month.of(CameraState) if row.camera_id == camera]
        sets: Counter[tuple[str, str]] = Counter()
        for row in states:
            sets[row.aspect, row.state] |= self.minutes(row.since, row.until)
        last = 1 << int((self.month.end - self.zero) / MINUTE) - 1
        pictured = any((row.aspect, row.state) == ("media", "ok") and row.since < self.month.end for row in states)
        kept_long = not any(
            row.cause in ("recording_short", "no_recording") and self.minutes(row.since, row.until) & last
            for row in states
        )
        served: Counter[int] = Counter()
        excluded: Counter[int] = Counter()
        for period in self.month.of(ServicePeriod):
            if period.camera_id == camera:
                use = self.minutes(period.since, period.until) & self.span
                away = self._of(camera=camera, device=period.device_id, village=period.village_id)
                served[period.village_id] |= use
                excluded[period.village_id] |= use & away
        for village, use in served.items():
            if use:
                self.cameras_in[village].add(camera)
            for when, due in (("before", use), ("after", use & ~excluded[village])):
                add = partial(self._add, village, when)
                for measure, needed in NEEDS.items():
                    fault, ok = 0, due & self.observed
                    for aspect in needed:
                        fault |= due & self.observed & sets[aspect, "fault"]
                        ok &= sets[aspect, "ok"]
                    unknown = due & ~ok & ~fault
                    words = {"ok": ok, "fault": fault, "unknown": unknown}
                    add(f"{measure}_time", {word: found.bit_count() for word, found in words.items()})
                    add(f"{measure}_spot", {word: (found & last).bit_count() for word, found in words.items()})
                    if when == "after" and measure in ("online", "intact"):
                        for day, mask in self.days.items():
                            self.by_day[day, measure, "ok"] += (ok & mask).bit_count()
                            self.by_day[day, measure, "known"] += ((ok | fault) & mask).bit_count()
                    if measure == "recording" and due & last:
                        known = bool((ok | fault) & last)
                        kept = {"unknown": not known, "ok": known and kept_long, "fault": known and not kept_long}
                        add("recording_days", kept)
                if due & last:
                    add("connected", {"ok": pictured, "fault": not pictured})
                if when == "after":
                    self._faults(camera, states, use, due)
            self._recorded(camera, village, use, excluded[village])

    def _add(self, village: int, when: str, figure: str, words: Mapping[str, int]) -> None:
        for word, amount in words.items():
            self.sums[village, figure, when, word] += int(
                bool(amount) if figure in ("connected", "recording_days") else amount
            )

    def _faults(self, camera: int, states: list[CameraState], use: int, due: int) -> None:
        for row in states:
            if row.state == "fault":
                minutes = self.minutes(row.since, row.until)
                first = self.minutes(row.since, row.since + MINUTE)
                self.causes[row.cause or "", "lasted"] += (minutes & due & self.observed).bit_count()
                begins = bool(first & due)
                self.causes[row.cause or "", "count"] += begins
                self.outages[camera] += begins and row.aspect == "media"

    def _recorded(self, camera: int, village: int, use: int, excluded: int) -> None:
        for row in self.month.of(RecordingDayRow):
            if row.camera_id != camera or not row.due or not use & self.days[row.date]:
                continue
            for when in ("before", "after"):
                if when == "after" and excluded & self.days[row.date]:
                    continue
                part = None if row.seconds is None else min(row.seconds, row.due)
                words = {"unknown": row.due} if part is None else {"ok": part, "fault": row.due - part}
                self._add(village, when, "recording_amount", words)

    def _repairs(self) -> None:
        for row in self.month.of(Alarm):
            if row.level == "hub" or row.ending == "merged" or row.opened_at >= self.month.end:
                continue
            ids = {"village": row.village_id}
            ids |= {"device": row.device_id} if row.level != "village" else {}
            ids |= {"camera": row.camera_id} if row.level == "camera" else {}
            excluded = self._of(**ids)
            closed = row.closed_at if row.closed_at is not None and row.closed_at < self.month.end else None
            if closed is not None and not self._well_again(row, closed, excluded):
                continue
            for when in ("before", "after"):
                counted = self.minutes(row.opened_at, closed or self.month.end)
                counted &= ~excluded if when == "after" else -1
                overdue = self._minute(counted, DUE_HOURS[row.severity] * 60)
                if closed is not None and closed >= self.month.begin:
                    self.sums[row.village_id, "repair_time", when, "ok"] += counted.bit_count()
                    self.sums[row.village_id, "repairs", when, "ok"] += 1
                    if overdue is None:
                        self.sums[row.village_id, "repair_in_time", when, "ok"] += 1
                if overdue is not None and self.span >> overdue & 1:
                    self.sums[row.village_id, "repair_in_time", when, "fault"] += 1

    def _minute(self, counted: int, number: int) -> int | None:
        """Which minute is the one after so many; None: there are no more than that."""
        if counted.bit_count() <= number:
            return None
        low, high = 0, self.bits
        while high - low > 1:  # the lowest `low` bits have at most `number`
            middle = (low + high) // 2
            few = (counted & ((1 << middle) - 1)).bit_count() <= number
            low, high = (middle, high) if few else (low, middle)
        return low

    def _well_again(self, row: Alarm, closed: datetime, excluded: int) -> bool:
        if row.ending is not None:
            return row.ending == "recovered"
        minute = self.minutes(closed, closed + MINUTE)
        in_use = 0
        for period in self.month.of(ServicePeriod):
            if period.camera_id == row.camera_id:
                in_use |= self.minutes(period.since, period.until)
        return not minute & excluded and bool(row.level != "camera" or minute & in_use)

    def faults_of_unit(self, unit: str) -> set[int]:
        """Alarms that stand for a camera of the unit."""
        return {row.alarm_id for row in self.month.of(AlarmMember) if self.units[row.camera_id] == unit}
