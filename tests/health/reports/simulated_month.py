"""A month of a township as it would be stored: cameras, their states, exclusions, restarts of the hub, alarms.

Everything happens on whole minutes, so that a computation that walks minute by minute is exact (independent.py).
"""

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from camera_hub.store.database import Database
from camera_hub.store.tables import (
    Alarm,
    AlarmMember,
    Base,
    Camera,
    CameraState,
    Device,
    Exclusion,
    LedgerFile,
    ObservingPeriod,
    RecordingDayRow,
    ServicePeriod,
    Village,
)

MINUTE = timedelta(minutes=1)


@dataclass
class Month:
    """All rows, as plain values. Times are aware, UTC, on whole minutes."""

    zone: ZoneInfo
    first: date
    last: date
    rows: list[Base] = field(default_factory=list)
    _by_kind: dict[type, list[Base]] = field(default_factory=dict)
    _sorted: int = -1

    @property
    def begin(self) -> datetime:
        return datetime.combine(self.first, time(), tzinfo=self.zone).astimezone(UTC)

    @property
    def end(self) -> datetime:
        return datetime.combine(self.last + timedelta(days=1), time(), tzinfo=self.zone).astimezone(UTC)

    def of(self, kind: type[Any]) -> list[Any]:
        if len(self.rows) != self._sorted:
            self._by_kind = defaultdict(list)
            for row in self.rows:
                self._by_kind[type(row)].append(row)
            self._sorted = len(self.rows)
        return self._by_kind[kind]

    async def store(self, database: Database) -> None:
        async with database.write() as session:
            for kind in (Village, Device, Camera, Alarm):  # in the order of what points to what
                session.add_all(self.of(kind))
                await session.flush()
            session.add_all(row for row in self.rows if not isinstance(row, Village | Device | Camera | Alarm))


def simulated_month(zone: ZoneInfo, first: date, last: date, *, seed: int, cameras: int = 60) -> Month:
    """Six villages (one without cameras), outages, freezes, wrong clocks, moves between devices and villages,
    retirements, weekly windows, late approvals, alarms that last over both ends of the month."""
    draw = random.Random(seed)
    month = Month(zone, first, last)
    begin, end = month.begin, month.end
    minutes = int((end - begin) / MINUTE)
    before, after = begin - timedelta(days=9), end + timedelta(days=4)

    def at(low: float = -0.1, high: float = 1.1) -> datetime:
        return begin + int(draw.uniform(low, high) * minutes) * MINUTE

    add = month.rows.append
    for number in range(1, 7):
        add(Village(id=number, name=f"村{number}", position=number, created_at=before))
    for number in range(1, cameras + 1):
        village = 1 + number % 5  # nothing in the sixth
        add(Device(id=number, village_id=village, host=f"10.0.0.{number}", onvif_port=80, created_at=before))
    for number in range(1, cameras + 1):
        village = 1 + number % 5
        device = number if number % 4 else number - 1  # some share a recorder
        camera = Camera(id=number, device_id=device, village_id=village, channel=str(number), name=f"点位{number}")
        camera.state, camera.created_at, camera.approved_at = "approved", before, before
        add(camera)
        file = LedgerFile(
            camera_id=number, maintainer_unit=f"维保{number % 3}" if number % 7 else "", updated_at=before
        )
        file.details = {}
        add(file)
        _service(month, draw, camera, before)
        for aspect in ("media", "picture", "clock", "recording", "osd"):
            _states(month, draw, number, aspect, before, after)
        for day in range((last - first).days + 1):
            if draw.random() < 0.8:
                date_ = first + timedelta(days=day)
                seconds = draw.choice([86400, 86400, 43000, 0, None, 90000])
                row = RecordingDayRow(camera_id=number, date=date_, seconds=seconds, due=draw.choice([86400, 0, 86400]))
                row.begins, row.read_at, row.gaps = begin + timedelta(days=day), after, 0
                add(row)
    _observing(month, draw, before, after)
    for number in range(1, 26):
        _exclusion(month, draw, number, cameras, at)
    for number in range(1, 120):
        _alarm(month, draw, number, cameras, at)
    return month


def _service(month: Month, draw: random.Random, camera: Camera, before: datetime) -> None:
    def period(since: datetime, until: datetime | None, village: int, device: int) -> None:
        row = ServicePeriod(camera_id=camera.id, village_id=village, device_id=device, since=since, until=until)
        month.rows.append(row)

    minutes = int((month.end - month.begin) / MINUTE)
    cut = month.begin + draw.randrange(minutes) * MINUTE
    kind = camera.id % 6
    if kind == 0:  # retired, and back after a while
        period(before, cut, camera.village_id, camera.device_id)
        period(cut + 3000 * MINUTE, None, camera.village_id, camera.device_id)
    elif kind == 1:  # another device from then on
        period(before, cut, camera.village_id, camera.device_id)
        period(cut, None, camera.village_id, 1 + camera.device_id % 50)
    elif kind == 2:  # another village
        period(before, cut, 1 + camera.village_id % 5, camera.device_id)
        period(cut, None, camera.village_id, camera.device_id)
    elif camera.id == 59:  # gone before the month
        period(before, month.begin - MINUTE, camera.village_id, camera.device_id)
    else:
        period(cut if kind == 3 else before, None, camera.village_id, camera.device_id)


def _states(month: Month, draw: random.Random, camera: int, aspect: str, before: datetime, after: datetime) -> None:
    if camera % 11 == 0 and aspect in ("recording", "osd"):
        return  # never looked at
    causes = {
        "media": ["unreachable", "wrong_password", "no_media"],
        "picture": ["frozen", "black", "covered"],
        "clock": ["clock_wrong"],
        "recording": ["recording_gaps", "recording_short", "no_recording"],
        "osd": ["osd_name_wrong"],
    }[aspect]
    time_, fault = before + draw.randrange(3000) * MINUTE, draw.random() < 0.2
    while time_ < after:
        lasts = draw.randrange(1, 400) if fault else draw.randrange(30, 9000)
        until: datetime | None = time_ + lasts * MINUTE
        if until is not None and until >= after:
            until = None
        row = CameraState(camera_id=camera, aspect=aspect, state="fault" if fault else "ok", since=time_, until=until)
        row.cause = draw.choice(causes) if fault else None
        month.rows.append(row)
        if until is None:
            return
        time_ = until + (draw.randrange(200) * MINUTE if draw.random() < 0.1 else timedelta())  # sometimes not known
        fault = not fault


def _observing(month: Month, draw: random.Random, before: datetime, after: datetime) -> None:
    """The hub restarts, and is off for up to half a day."""
    time_ = before
    while time_ < after:
        until = time_ + draw.randrange(1000, 9000) * MINUTE
        month.rows.append(ObservingPeriod(since=time_, until=until))
        time_ = until + draw.choice([0, 1, 3, 700]) * MINUTE
    cut = month.begin + draw.randrange(20000) * MINUTE
    uplink = Alarm(id=900, level="hub", aspect="media", severity="critical", cause="hub_uplink", opened_at=cut)
    uplink.closed_at = cut + 90 * MINUTE
    month.rows.append(uplink)


def _exclusion(month: Month, draw: random.Random, number: int, cameras: int, at: Callable[[], datetime]) -> None:
    level = draw.choice(["camera", "camera", "device", "village"])
    since = at()
    row = Exclusion(id=number, level=level, kind="maintenance", reason="检修", since=since, created_name="村管理员")
    setattr(row, f"{level}_id", draw.randrange(1, 6 if level == "village" else cameras))
    row.until = since + draw.randrange(60, 9000) * MINUTE
    row.created_at = since
    if number % 5:
        row.approved_name, row.approved_at = "镇管理员", since + draw.choice([-60, 600]) * MINUTE
    if number % 7 == 0:
        row.ended_name, row.ended_at = "镇管理员", since + draw.choice([-5, 50, 99999]) * MINUTE
    if number % 3 == 0:
        row.until = since + timedelta(days=draw.randrange(7, 40))
        row.weekly = draw.choice(
            [
                {"days": [0, 1, 2, 3, 4, 5, 6], "from": "22:00", "to": "05:30"},
                {"days": [5, 6], "from": "01:15", "to": "02:45"},
                {"days": [2], "from": "08:00", "to": "08:00"},
            ]
        )
    month.rows.append(row)


def _alarm(
    month: Month, draw: random.Random, number: int, cameras: int, at: Callable[[float, float], datetime]
) -> None:
    level = draw.choice(["camera", "camera", "camera", "device", "village"])
    severity = {"camera": draw.choice(["major", "minor", "warning"]), "device": "major", "village": "critical"}[level]
    camera = draw.randrange(1, cameras + 1)
    cameras_of = {row.id: row for row in month.of(Camera)}
    opened = at(-0.3, 1.05)
    row = Alarm(id=number, level=level, aspect="media", severity=severity, cause="unreachable", opened_at=opened)
    row.village_id = cameras_of[camera].village_id
    row.camera_id = camera if level == "camera" else None
    row.device_id = cameras_of[camera].device_id if level != "village" else None
    merged, row.flapping = number % 13 == 0, number % 17 == 0
    if number % 9 or merged:
        row.closed_at = opened + draw.choice([3, 50, 239, 240, 241, 1439, 1440, 1441, 5000, 20000]) * MINUTE
        row.ending = "merged" if merged else [None, "recovered", "unobserved", "excluded", "recovered"][number % 5]
    month.rows.append(row)
    subject = {"camera": "id", "device": "device_id", "village": "village_id"}[level]
    for one in cameras_of.values():
        if getattr(one, subject) == getattr(cameras_of[camera], subject):
            month.rows.append(AlarmMember(alarm_id=number, camera_id=one.id, joined_at=opened, left_at=row.closed_at))
