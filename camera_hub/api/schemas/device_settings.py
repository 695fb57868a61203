"""Settings on devices: what was read, what is wanted, what would change, what the clocks' check says."""

from datetime import datetime
from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from camera_hub.api.schemas.base import Answer, Id, Line, Name, RequestBody

Part = Literal["clock", "ntp", "osd_name", "osd_time", "sub"]
Position = Literal["upper_left", "upper_right", "lower_left", "lower_right"]
Source = Literal["ntp", "manual"]
ClockVerdict = Literal["ok", "warn", "wrong", "lies", "unknown"]
Fact = str | int | float | bool | None


class ClockAnswer(Answer):
    """A device's clock. `offset_s`: device minus hub. `zone`: as the device writes it."""

    source: Source | None
    device_time: datetime | None
    offset_s: float | None
    zone: str
    zone_offset_s: int | None  # what the zone means: local time minus UTC
    daylight: bool
    ntp_server: str
    from_dhcp: bool


class OsdAnswer(Answer):
    """One text in the picture. `text`: of a time its format."""

    token: str
    kind: Literal["name", "time", "other"]
    text: str
    position: Literal["upper_left", "upper_right", "lower_left", "lower_right", "custom"]
    shown: bool


class BoundsAnswer(Answer):
    low: int
    high: int


class SubStreamAnswer(Answer):
    """How the sub stream is encoded, and what the device offers; null or empty: it does not say."""

    codec: str | None
    width: int | None
    height: int | None
    fps: int | None
    gov_length: int | None  # frames from key frame to key frame
    bitrate_kbit: int | None
    codecs: list[str]
    gov_range: BoundsAnswer | None
    fps_range: BoundsAnswer | None
    bitrate_range: BoundsAnswer | None
    resolutions: list[tuple[int, int]]


class CameraSettingsAnswer(Answer):
    camera_id: int
    osd: list[OsdAnswer]
    sub: SubStreamAnswer | None
    can: list[Part]


class SettingsProblemAnswer(Answer):
    """Why a part could not be read. `camera_id` null: of the device."""

    part: Part
    camera_id: int | None
    reason: str
    detail: str
    params: dict[str, str | int | float]


class ClockCheckAnswer(Answer):
    """The last check of a device's clock. `since`: since when it has been off."""

    checked_at: datetime | None
    offset_s: float | None
    source: Source | None
    verdict: ClockVerdict
    since: datetime | None
    reason: str | None
    set_at: datetime | None  # when the hub set it last and read back that it was right


class DeviceSettingsAnswer(Answer):
    """What was read of a device last; `read_at` null: never."""

    device_id: int
    village_id: int
    read_at: datetime | None
    clock: ClockAnswer | None
    cameras: list[CameraSettingsAnswer]
    can: list[Part]  # of the device itself
    problems: list[SettingsProblemAnswer]
    recorder_id: int | None  # the recorder that sets this camera in its place
    check: ClockCheckAnswer | None


def _server(host: str) -> str:
    """A name or an address that a device can ask. Raises ValueError."""
    if ":" in host or host.replace(".", "").isdigit():
        address = ip_address(host)
        if address.is_unspecified or address.is_multicast:
            raise ValueError("a device cannot ask this address for the time")
    elif not all(0 < len(one) < 64 and one.strip("-") == one for one in host.removesuffix(".").split(".")):
        raise ValueError("this is no name of a server")
    return host


Host = Annotated[Line, Field(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9.:_-]+$"), AfterValidator(_server)]


class WantedClockBody(RequestBody):
    """`zone`: a name such as Asia/Shanghai, or a POSIX zone such as CST-8; null: as it is."""

    set_now: bool = False
    zone: Annotated[Line, Field(min_length=1, max_length=64)] | None = None
    ntp_server: Host | None = None


class WantedOsdBody(RequestBody):
    """`name`: camera_name = what the camera is called in the hub. Null: as it is."""

    name: Name | None = None
    time: bool | None = None
    name_position: Position | None = None
    time_position: Position | None = None


class WantedSubBody(RequestBody):
    """Null: as it is. What a device does not offer is brought within its bounds, and told."""

    codec: Literal["h264", "h265"] | None = None
    gov_seconds: Annotated[float, Field(ge=0.1, le=60)] | None = None
    fps: Annotated[int, Field(ge=1, le=120)] | None = None
    width: Annotated[int, Field(ge=64, le=8192)] | None = None
    height: Annotated[int, Field(ge=64, le=8192)] | None = None
    bitrate_kbit: Annotated[int, Field(ge=16, le=100_000)] | None = None

    @model_validator(mode="after")
    def _both(self) -> "WantedSubBody":
        if (self.width is None) != (self.height is None):
            raise ValueError("give width and height together")
        return self


class SettingsChangeBody(RequestBody):
    clock: WantedClockBody | None = None
    osd: WantedOsdBody | None = None
    sub: WantedSubBody | None = None


class SettingsPreviewBody(RequestBody):
    """Exactly one of `device_ids`, `camera_ids`, `village_id`. Of cameras the devices' clocks are set, too."""

    device_ids: Annotated[list[Id], Field(default=[], max_length=2_000)]
    camera_ids: Annotated[list[Id], Field(default=[], max_length=5_000)]
    village_id: Id | None = None
    change: SettingsChangeBody

    @model_validator(mode="after")
    def _one(self) -> "SettingsPreviewBody":
        if bool(self.device_ids) + bool(self.camera_ids) + (self.village_id is not None) != 1:
            raise ValueError("name devices, or cameras, or a village")
        return self


class PlannedItemAnswer(Answer):
    """One part of a device or camera. Facts by part: clock {offset_s, source, zone, zone_offset_s, daylight};
    ntp {ntp_server, from_dhcp, source}; osd_name and osd_time {text, shown, position}; sub {codec, width, height, fps,
    gov_length, bitrate_kbit}. `bounded`: what is set otherwise than wanted, and what was wanted."""

    key: str
    device_id: int
    device_name: str
    camera_id: int | None
    camera_name: str | None
    part: Part
    verdict: Literal["change", "same", "cannot"]
    before: dict[str, Fact]
    after: dict[str, Fact]
    reason: str | None
    detail: str
    params: dict[str, str | int | float]
    bounded: dict[str, str | int | float]
    via_device_id: int | None  # the recorder on which it is to be set


class SettingsPreviewAnswer(Answer):
    id: str
    state: Literal["reading", "ready", "cancelled", "failed"]
    created_at: datetime
    devices: int
    read: int  # devices that have been read
    items: list[PlannedItemAnswer]


class ApplySettings(RequestBody):
    """`only`: keys of the preview's items; null: all that would change."""

    only: Annotated[list[Annotated[Line, Field(max_length=64)]], Field(max_length=10_000)] | None = None


class CheckedClockAnswer(Answer):
    device_id: int
    village_id: int
    name: str
    host: str
    recorder_id: int | None
    check: ClockCheckAnswer


class ClocksAnswer(Answer):
    """All clocks as they were checked last, the worst first; the limits, and when the next check is planned."""

    next_at: datetime
    warn_s: float
    fail_s: float
    clocks: list[CheckedClockAnswer]


class SettingsDefaultsAnswer(Answer):
    """What pages put into an empty form. `ntp_server`: as set, else this machine; "" where it has no
    address but the loopback."""

    zone: str  # POSIX
    time_zone: str  # as in the IANA database
    ntp_server: str
    warn_s: float
    fail_s: float
