"""What is asked of a device about its recordings, and what it says. Values only; all times are true ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from camera_hub.cameras.described import Disk
from camera_hub.cameras.recordings.days import RecordingDay
from camera_hub.cameras.recordings.schedule import ALWAYS, RecordingSchedule
from camera_hub.cameras.recordings.spans import Span
from camera_hub.errors import Param

RecordingRoad = Literal["onvif", "hikvision", "dahua"]
DiskState = Literal["ok", "error", "none"]
"""Of all disks of a device; None: not told."""
RecordingState = Literal["ok", "fault", "unknown"]


@dataclass(frozen=True, slots=True)
class RecordedCamera:
    """A camera as the hub knows it. `channel`: its ONVIF video source; `profiles`: those of its streams; `since`: since
    when the hub has it."""

    camera_id: int
    name: str
    channel: str
    number: int | None
    profiles: tuple[str, ...]
    since: datetime


@dataclass(frozen=True, slots=True)
class RecordingDevice:
    """A device in service with its approved cameras. `road`: by which it told its recordings last."""

    device_id: int
    village_id: int
    name: str
    host: str
    port: int | None
    path: str
    via: str
    kind: str
    clock_offset_s: float | None
    cameras: tuple[RecordedCamera, ...]
    road: RecordingRoad | None = None
    thrifty: bool = False  # its village's link is metered


Wanted = Mapping[int, Sequence[date]]
"""Of each camera the days of the site's calendar that are asked for, the newest first."""


@dataclass(frozen=True, slots=True)
class SaidOfCamera:
    """What a device says of one camera's recordings.

    `oldest`, `latest`: of all that it keeps, None: nothing is kept, or it does not say (`ends_told`). `spans`: what is
    recorded within `read`, of which it told all. `recorded`, `absent`: days of which it told that alone. `running`:
    whether it is recorded now, None: to be seen from the spans.
    """

    camera_id: int
    ends_told: bool
    oldest: datetime | None = None
    latest: datetime | None = None
    running: bool | None = None
    spans: tuple[Span, ...] = ()
    read: tuple[Span, ...] = ()
    recorded: frozenset[date] = frozenset()
    absent: frozenset[date] = frozenset()
    schedule: RecordingSchedule = ALWAYS


@dataclass(frozen=True, slots=True)
class SaidOfDevice:
    """What a device says. `clock_offset_s`: by which its times were put right; `disks` None: not told. `late`: why
    not all that was wanted could be read."""

    road: RecordingRoad
    clock_offset_s: float
    cameras: Mapping[int, SaidOfCamera]
    disks: tuple[Disk, ...] | None = None
    late: str | None = None


@dataclass(frozen=True, slots=True)
class RecordingStatus:
    """A camera's recording as it was checked last.

    `told_at`: when the device last told anything. `state`, `reason`, `params`, `since`: what is taken to be true; a
    fault that one check alone has found stands in `unconfirmed` until another has found it. `problem`: why the device
    did not tell at the last check. `overwrites`: the oldest recording has been seen to go.
    """

    camera_id: int
    checked_at: datetime | None = None
    told_at: datetime | None = None
    state: RecordingState = "unknown"
    reason: str | None = None
    params: Mapping[str, Param] = field(default_factory=dict)
    since: datetime | None = None
    unconfirmed: str | None = None
    unconfirmed_at: datetime | None = None
    oldest: datetime | None = None
    latest: datetime | None = None
    road: RecordingRoad | None = None
    disk: DiskState | None = None
    problem: str | None = None
    clock_offset_s: float | None = None
    overwrites: bool = False


@dataclass(frozen=True, slots=True)
class KnownRecording:
    """What is kept of a camera: its last check, and its days."""

    status: RecordingStatus
    days: tuple[RecordingDay, ...] = ()
