"""What is read from a device, and what a person wants of it. Values only.

Of each part there is one flat mapping (`Facts`): what the plan compares, what a preview shows, what a read-back proves.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, get_args

from camera_hub.errors import Param

Part = Literal["clock", "ntp", "osd_name", "osd_time", "sub"]
PARTS: tuple[Part, ...] = get_args(Part)
"""In the order in which they are set: a clock that is right first, since logins are signed with it."""

OsdKind = Literal["name", "time", "other"]
OsdPosition = Literal["upper_left", "upper_right", "lower_left", "lower_right", "custom"]

Fact = str | int | float | bool | None
Facts = Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class ClockState:
    """A device's clock. `offset_s`: device minus hub, None where it tells no usable time. `zone`: as the device writes
    it; `zone_offset_s`: what it means, local time minus UTC. `ntp_server`: the first one; "" for none.
    """

    source: Literal["ntp", "manual"] | None = None
    device_time: datetime | None = None
    offset_s: float | None = None
    zone: str = ""
    zone_offset_s: int | None = None
    daylight: bool = False
    ntp_server: str = ""
    from_dhcp: bool = False


@dataclass(frozen=True, slots=True)
class OsdText:
    """One text in the picture. `text`: of a name; of a time its formats, date before time. `token`: the device's."""

    token: str
    kind: OsdKind
    text: str
    position: OsdPosition
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Bounds:
    """From `low` to `high`, both included."""

    low: int
    high: int

    def bounded(self, value: int) -> int:
        """The value nearest to `value` that is in it."""
        return max(self.low, min(self.high, value))


@dataclass(frozen=True, slots=True)
class SubStream:
    """How the sub stream is encoded, and what the device offers; None or empty: it does not say.

    `token`: of the encoder's configuration. `gov_length`: frames from key frame to key frame.
    """

    token: str
    codec: str | None = None
    width: int | None = None
    height: int | None = None
    fps: int | None = None
    gov_length: int | None = None
    bitrate_kbit: int | None = None
    codecs: tuple[str, ...] = ()
    gov_range: Bounds | None = None
    fps_range: Bounds | None = None
    bitrate_range: Bounds | None = None
    resolutions: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class BehindRecorder:
    """A camera as its recorder lists it; "": it does not say."""

    host: str = ""
    serial: str = ""
    mac: str = ""


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """What was read of one camera. `can`: which of its parts can be set."""

    camera_id: int
    osd: tuple[OsdText, ...] = ()
    sub: SubStream | None = None
    can: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class SettingsProblem:
    """Why a part could not be read. `camera_id` None: of the device."""

    part: Part
    camera_id: int | None
    reason: str
    detail: str = ""
    params: Mapping[str, Param] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SettingsReading:
    """All that was read from a device at one time. `can`: which parts of the device itself can be set."""

    clock: ClockState | None
    cameras: tuple[CameraSettings, ...]
    can: tuple[Part, ...] = ()
    problems: tuple[SettingsProblem, ...] = ()

    def camera(self, camera_id: int) -> CameraSettings | None:
        """What was read of that camera."""
        return next((one for one in self.cameras if one.camera_id == camera_id), None)

    def problem(self, part: Part, camera_id: int | None) -> SettingsProblem | None:
        """Why that part could not be read."""
        return next((one for one in self.problems if (one.part, one.camera_id) == (part, camera_id)), None)


def merged(old: SettingsReading, new: SettingsReading, parts: Collection[Part]) -> SettingsReading:
    """What is known after these parts were read anew. Cameras that were not read are as they were."""
    cameras = {one.camera_id: one for one in old.cameras}
    for one in new.cameras:
        known = cameras.get(one.camera_id, CameraSettings(one.camera_id))
        osd, sub = bool({"osd_name", "osd_time"} & set(parts)), "sub" in parts
        cameras[one.camera_id] = replace(
            known,
            osd=one.osd if osd else known.osd,
            sub=one.sub if sub else known.sub,
            can=(*(part for part in known.can if part not in parts), *one.can),
        )
    return SettingsReading(
        new.clock if {"clock", "ntp"} & set(parts) else old.clock,
        tuple(cameras.values()),
        (*(part for part in old.can if part not in parts), *new.can),
        (*(one for one in old.problems if one.part not in parts), *new.problems),
    )


@dataclass(frozen=True, slots=True)
class WantedClock:
    """`zone`: a POSIX TZ string, None: as it is. `ntp_server`: an address or a name, None: as it is."""

    set_now: bool = False
    zone: str | None = None
    ntp_server: str | None = None


@dataclass(frozen=True, slots=True)
class WantedOsd:
    """`name`: None as it is; CAMERA_NAME: what the camera is called in the hub. `time`: whether the time is to stand in
    the picture. Positions: None: as it is."""

    name: str | None = None
    time: bool | None = None
    name_position: OsdPosition | None = None
    time_position: OsdPosition | None = None


CAMERA_NAME = "camera_name"


@dataclass(frozen=True, slots=True)
class WantedSub:
    """None: as it is."""

    codec: str | None = None
    gov_seconds: float | None = None
    fps: int | None = None
    width: int | None = None
    height: int | None = None
    bitrate_kbit: int | None = None


@dataclass(frozen=True, slots=True)
class WantedChange:
    """What a person wants of all chosen devices or cameras; None: that part stays as it is."""

    clock: WantedClock | None = None
    osd: WantedOsd | None = None
    sub: WantedSub | None = None


@dataclass(frozen=True, slots=True)
class SettingsCamera:
    """A camera as the hub knows it. `sub_profile`: the ONVIF profile of its sub stream."""

    camera_id: int
    name: str
    channel: str
    number: int | None = None
    sub_profile: str | None = None


@dataclass(frozen=True, slots=True)
class SettingsDevice:
    """A device as the hub knows it. `via`: how it is asked (store.tables.Device.via). `recorder_id`: the registered
    recorder that it hangs on, which sets it in its place."""

    device_id: int
    village_id: int
    name: str
    host: str
    port: int | None
    path: str
    via: str
    cameras: tuple[SettingsCamera, ...]
    clock_offset_s: float | None = None
    recorder_id: int | None = None
    kind: str = "camera"

    def camera(self, camera_id: int) -> SettingsCamera | None:
        """Its camera of that id."""
        return next((one for one in self.cameras if one.camera_id == camera_id), None)


Verdict = Literal["change", "same", "cannot"]


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """One part of one device or camera: as it is, as it would be, and whether it can. `key`: unique in a preview."""

    key: str
    device_id: int
    camera_id: int | None
    part: Part
    verdict: Verdict
    before: Facts = field(default_factory=dict)
    after: Facts = field(default_factory=dict)
    reason: str | None = None
    detail: str = ""
    params: Mapping[str, Param] = field(default_factory=dict)
    via_device_id: int | None = None
