"""One camera's file: its row ↔ values by key, together with what the hub knows by itself."""

import ipaddress
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from camera_hub.cameras.addresses import NO_HOST
from camera_hub.cameras.ledger.fields import BY_KEY
from camera_hub.store.tables import Camera, Device, LedgerFile, Stream

_TEXTS = (
    "address",
    "landmark",
    "pole_number",
    "management_unit",
    "manager",
    "manager_phone",
    "maintainer_unit",
    "maintainer_phone",
    "access_kind",
    "no_access_reason",
    "service_state",
    "state_reason",
    "legal_basis",
    "filing_state",
    "filing_number",
    "datum",
)
_DATES = ("state_since", "enabled_on", "filed_on")
_DEFAULTS = {"service_state": "in_use", "filing_state": "not_filed"}
_ENCODINGS = {"h264": "2", "h265": "4", "mpeg4": "1"}


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A camera, its device, its main stream (else its sub stream), and its row in the ledger, if there is one."""

    camera: Camera
    device: Device
    stream: Stream | None
    file: LedgerFile | None


def connected(facts: FileFacts) -> bool:
    """Whether the hub may connect to the camera at all; whether it is on line is a matter of its health."""
    return facts.device.host != NO_HOST


def empty_file(camera_id: int) -> LedgerFile:
    """The row of a camera whose file is begun."""
    texts = {key: _DEFAULTS.get(key, "") for key in _TEXTS}
    return LedgerFile(camera_id=camera_id, typed_longitude="", typed_latitude="", details={}, **texts)


def typed_values(file: LedgerFile | None) -> dict[str, str]:
    """What people typed, by key, without empty values; coordinates as typed, with their datum."""
    if file is None:
        return dict(_DEFAULTS)
    found = {key: str(getattr(file, key)) for key in _TEXTS}
    found |= {key: day.isoformat() for key in _DATES if (day := getattr(file, key)) is not None}
    found |= {"gb_id": file.gb_id or "", "longitude": file.typed_longitude, "latitude": file.typed_latitude}
    found |= {key: value for key, value in file.details.items() if key in BY_KEY}
    return {key: value for key, value in found.items() if value}


def put_value(file: LedgerFile, key: str, value: str) -> None:
    """Store a value; the WGS-84 columns are the caller's."""
    if key in _TEXTS:
        setattr(file, key, value or _DEFAULTS.get(key, ""))
    elif key in _DATES:
        setattr(file, key, date.fromisoformat(value) if value else None)
    elif key == "gb_id":
        file.gb_id = value or None
    elif key in ("longitude", "latitude"):
        setattr(file, f"typed_{key}", value)
    else:  # a new object: SQLAlchemy does not look into JSON for changes
        file.details = {name: kept for name, kept in file.details.items() if name != key} | (
            {key: value} if value else {}
        )


def known_values(facts: FileFacts, photos: Mapping[str, int]) -> dict[str, str]:
    """What the hub knows by itself, by key. `photos`: how many of each kind.

    A recorder's make and MAC are not those of its cameras."""
    camera, device, stream = facts.camera, facts.device, facts.stream
    found = {"name": camera.name, "networked": "0" if connected(facts) else "1"}
    if photos.get("view"):
        found["scene_photo"] = "有"
    if connected(facts):
        found |= _address(device)
        found["channel"] = camera.channel
        found["protocol"] = "ONVIF" if device.onvif_port is not None else "RTSP"
    if device.kind == "camera":
        found |= {"manufacturer": device.manufacturer, "model": device.model, "mac": device.mac.upper()}
    elif connected(facts):
        found["parent_device"] = device.name
    if stream is not None:
        codec = stream.codec or str(stream.details.get("claimed") or "")
        found["encoding"] = _ENCODINGS.get(codec.lower(), "")
        if stream.width and stream.height:
            found["resolution"] = f"{stream.width}*{stream.height}"
    if facts.file is not None and facts.file.gb_id:
        found["division_code"] = facts.file.gb_id[:6]
    return {key: value for key, value in found.items() if value}


def all_values(typed: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """What the hub knows goes before what was typed."""
    return {**typed, **known}


def _address(device: Device) -> dict[str, str]:
    port = device.onvif_port or device.rtsp_port
    found = {"port": str(port)} if port is not None else {}
    with suppress(ValueError):  # a name: there is no address to tell
        found[f"ipv{ipaddress.ip_address(device.host).version}"] = device.host
    return found
