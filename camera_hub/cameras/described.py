"""What a device was found to be, however it was asked: over ONVIF, over its vendor's interface, over RTSP alone.

Values only, at the address where the device was reached. A recorder has one channel per camera.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Via = Literal["onvif", "hikvision", "dahua", "catalogue"]
"""How a device was described: ONVIF, a vendor's HTTP interface, or RTSP paths of a vendor that were answered."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which device it is, whatever its address. Empty text: unknown."""

    manufacturer: str = ""
    model: str = ""
    firmware: str = ""
    serial: str = ""
    mac: str = ""
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class DescribedStream:
    """A stream of a channel. `profile`: what to ask the device for its address with: an ONVIF profile token, or the
    name of a pattern of the path catalogue. `url`: at the address where the device was reached; "" if the device did
    not give it.
    """

    profile: str
    codec: str | None
    width: int | None
    height: int | None
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Channel:
    """One camera of the device. `token`: its ONVIF video source, else its `number` as text.

    `number`: as the recorder counts it, from 1; None: not known. `online`: whether the recorder says that a camera
    answers it there; None: it does not say. `ptz`: whether the camera has a PTZ node; None: it was not asked.
    """

    token: str
    name: str
    main: DescribedStream
    sub: DescribedStream | None
    number: int | None = None
    online: bool | None = None
    ptz: bool | None = None


@dataclass(frozen=True, slots=True)
class Disk:
    """A recorder's disk. `state`: the device's own word ("ok", "Success", "error"), in lower case; sizes in MB."""

    name: str
    state: str
    capacity_mb: int | None = None
    free_mb: int | None = None


@dataclass(frozen=True, slots=True)
class Described:
    """A device as the register stores it. `clock_offset_s`: device minus hub. `peculiarities`: value by kind.

    `port`: where it was asked over HTTP; None: it answers RTSP alone.
    """

    host: str
    port: int | None
    path: str
    kind: str  # camera | recorder
    name: str
    identity: Identity
    channels: tuple[Channel, ...]
    clock_offset_s: float | None
    rtsp_port: int | None
    peculiarities: Mapping[str, str] = field(default_factory=dict)
    via: Via = "onvif"
    disks: tuple[Disk, ...] = ()
