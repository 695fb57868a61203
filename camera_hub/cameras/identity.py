"""The one rule for "these two are the same device": for registering, describing again and searching. Pure.

Never by address alone (every village may use 192.168.1.0/24) and never by MAC alone (cheap cameras ship with the same
one). Facts that agree count for it, facts that differ count against it; unknown ones do not count.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from camera_hub.cameras.described import Identity
from camera_hub.store.tables import Device

_TRIVIAL = re.compile(r"(.)\1*|0*1?2?3?4?5?6?7?8?9?0?|n/?a|none|unknown|null|default|serial(number)?", re.IGNORECASE)
_STREAM_PORTS = {"rtsp": 554, "rtsps": 322}


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What is known of a device; empty text: unknown. `maker` is manufacturer and model.

    `endpoint`: the WS-Discovery endpoint reference. `place`: village, host and ONVIF port; None: port not known.
    """

    maker: str
    serial: str
    mac: str
    endpoint: str
    place: tuple[int, str, int | None]


def registered_facts(device: Device) -> DeviceFacts:
    """What is known of a registered device."""
    return DeviceFacts(
        _maker(device.manufacturer, device.model),
        device.serial,
        device.mac,
        device.endpoint,
        (device.village_id, device.host, device.onvif_port),
    )


def found_facts(identity: Identity, village_id: int, host: str, port: int | None) -> DeviceFacts:
    """What a device says about itself."""
    maker = _maker(identity.manufacturer, identity.model)
    return DeviceFacts(maker, identity.serial, identity.mac, identity.endpoint, (village_id, host, port))


def same(known: DeviceFacts, found: DeviceFacts) -> bool:
    """Whether both are one device."""
    agree = {name for name in ("serial", "mac", "endpoint") if _agrees(known, found, name)}
    differ = changed(known, found)
    at_one_place = _at_one_place(known, found)
    if differ:
        return len(agree) > len(differ) and len(agree) + at_one_place > 2
    if at_one_place:
        return _makers_agree(known, found)
    return bool(agree - {"mac"})


def changed(known: DeviceFacts, found: DeviceFacts) -> set[str]:
    """The names of the facts that are known for both and differ: another device, or a forged one."""
    differ = {
        name
        for name in ("serial", "mac", "endpoint")
        if _value(known, name) and _value(found, name) and not _agrees(known, found, name)
    }
    # Some firmware generates a new endpoint at each reset; that alone does not prove another device.
    return differ if differ != {"endpoint"} else set()


def endpoint_key(endpoint: str) -> str:
    """An endpoint reference, or any other UUID of WS-Discovery, in the form in which two of them are compared."""
    return endpoint.strip().lower().removeprefix("urn:").removeprefix("uuid:").strip("{} ")


def same_stream(known: str, found: str) -> bool:
    """Whether two checked stream URLs (cameras.urls) name one stream: equal, except for an explicit default port."""
    return _stream(known) == _stream(found)


def _maker(manufacturer: str, model: str) -> str:
    return f"{manufacturer} {model}".strip().lower()


def _stream(url: str) -> tuple[str, str, int | None, str]:
    parts = urlsplit(url)
    rest = parts._replace(scheme="", netloc="", fragment="").geturl()
    return parts.scheme, parts.hostname or "", parts.port or _STREAM_PORTS.get(parts.scheme), rest or "/"


def _agrees(known: DeviceFacts, found: DeviceFacts, name: str) -> bool:
    value = _value(known, name)
    return bool(value) and value == _value(found, name) and (name != "serial" or known.maker == found.maker)


def _makers_agree(known: DeviceFacts, found: DeviceFacts) -> bool:
    return not known.maker or not found.maker or known.maker == found.maker


def _at_one_place(known: DeviceFacts, found: DeviceFacts) -> bool:
    (village, host, port), (other_village, other_host, other_port) = known.place, found.place
    return (village, host) == (other_village, other_host) and (port == other_port or port is None or other_port is None)


def _value(facts: DeviceFacts, name: str) -> str:
    value = str(getattr(facts, name)).strip().lower()
    if name == "endpoint":
        return endpoint_key(value)
    return "" if name == "serial" and (len(value) < 4 or _TRIVIAL.fullmatch(value)) else value
