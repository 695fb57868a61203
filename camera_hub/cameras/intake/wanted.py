"""What somebody wants in, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from camera_hub.errors import Kind

Source = Literal["search", "address", "sheet"]
"""The way in. An RTSP address that was typed is "address" too."""


@dataclass(frozen=True, slots=True)
class WantedCamera:
    """What is known of one channel before the device is described.

    `channel`: its number at the recorder, from 1; None: the only one of the device. An empty name keeps the device's
    own. `ledger`: checked values by key (cameras.ledger.fields).
    """

    channel: int | None = None
    name: str = ""
    place_class: str = "other"
    ledger: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WantedDevice:
    """A device to be registered in a village.

    With `main_url` it is known by its RTSP address, and is not described. `port`: of the ONVIF service; None: the usual
    ones are tried. `profile_id`: the village's login profile to use where no user name is given. `endpoint`: its
    WS-Discovery endpoint reference, where a search found it.
    """

    village_id: int
    host: str = ""
    port: int | None = None
    rtsp_port: int | None = None
    username: str = ""
    password: str = field(default="", repr=False)
    name: str = ""
    endpoint: str = ""
    main_url: str = field(default="", repr=False)
    sub_url: str = field(default="", repr=False)
    cameras: tuple[WantedCamera, ...] = ()
    source: Source = "address"
    profile_id: int | None = None


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """What became of a wanted device.

    Registered: `device_id`, and the camera of each wanted channel that the device has. A reason beside a device tells
    what is not as wanted: duplicate (it was registered before), channels_missing (some wanted ones are not there).
    Not registered: `candidate_id`, and the reason why.
    """

    device_id: int | None = None
    candidate_id: int | None = None
    camera_ids: Mapping[int | None, int] = field(default_factory=dict)
    reason: str | None = None
    kind: Kind | None = None
    detail: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
