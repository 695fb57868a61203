"""Which registered recorder a directly registered camera hangs on: that one sets it, and would undo what is set. Pure.

The evidence: serial number, MAC or address of the camera as the recorder lists it, or as a person wrote it into the
file of the recorder's channel. Addresses count within a village alone (every village may use 192.168.1.0/24).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from camera_hub.cameras.identity import DeviceFacts, marks
from camera_hub.cameras.onvif.describe import mac_of


@dataclass(frozen=True, slots=True)
class CameraBehind:
    """A camera behind a recorder, as far as anything is known of it."""

    recorder_id: int
    village_id: int
    host: str = ""
    serial: str = ""
    mac: str = ""


def recorders_of(devices: Mapping[int, DeviceFacts], listed: Iterable[CameraBehind]) -> dict[int, int]:
    """Device → its recorder, for those that hang on one. A device is never its own recorder, nor a recorder's."""
    by_mark: dict[tuple[str, str], int] = {}
    by_place: dict[tuple[int, str], int] = {}
    for one in listed:
        facts = DeviceFacts("", one.serial, mac_of(one.mac), "", (one.village_id, one.host, None))
        for mark in marks(facts):
            by_mark.setdefault(mark, one.recorder_id)
        if one.host:
            by_place.setdefault((one.village_id, one.host), one.recorder_id)
    recorders = {*by_mark.values(), *by_place.values()}
    found: dict[int, int] = {}
    for device_id, facts in devices.items():
        if device_id in recorders:
            continue
        known = [by_mark[mark] for mark in marks(facts) if mark in by_mark]
        recorder = min(known, default=None) or by_place.get((facts.place[0], facts.place[1]))
        if recorder is not None:
            found[device_id] = recorder
    return found
