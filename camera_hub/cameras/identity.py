"""The one rule for "these two are the same device": for registering, describing again, searching and moving. Pure.

Never by address alone (every village may use 192.168.1.0/24) and never by MAC alone (cheap cameras ship with the same
one). Marks (serial number, MAC, endpoint) that agree count for it, marks that differ against it; unknown ones do not
count. A mark that several registered devices have is weak: it raises the question, it never answers it.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal
from urllib.parse import urlsplit

from camera_hub.cameras.described import Identity
from camera_hub.store.tables import Device

MarkName = Literal["serial", "mac", "endpoint"]
MARKS: tuple[MarkName, ...] = ("serial", "mac", "endpoint")
Mark = tuple[MarkName, str]
"""A mark and its value, in the form in which two of them are compared (`marks`)."""

_TRIVIAL = re.compile(
    r"(.)\1*|0*1?2?3?4?5?6?7?8?9?0?|(sn)?0?123456789\w*|serial(number)?|n/?a|none|unknown|null|default"
    r"|to be filled by o\.?e\.?m\.?",
    re.IGNORECASE,
)
_STREAM_PORTS = {"rtsp": 554, "rtsps": 322}
_DEFAULT_MACS = frozenset(
    {
        "00:00:23:34:45:66",  # HiSilicon's reference firmware, and what was made of it
        "00:11:22:33:44:55",
        "00:12:34:56:78:90",
        "00:12:34:56:78:9a",
        "01:23:45:67:89:ab",
        "12:34:56:78:90:ab",
        "12:34:56:78:9a:bc",
        "00:0c:43:e1:76:28",  # Ralink's reference designs
        "00:55:7b:b5:7d:f7",  # XM's
        "00:01:02:03:04:05",
        "aa:bb:cc:dd:ee:ff",
        "de:ad:be:ef:00:01",
    }
)
"""What firmware has where nobody has written an address into the device. Unlisted ones are found weak by being seen
at several devices."""


class Likeness(StrEnum):
    """Whether two are one device. MAY_BE_SAME: nobody but a person can tell."""

    SAME = "same"
    MAY_BE_SAME = "may_be_same"
    DIFFERENT = "different"


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


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result, and its evidence: the names of the marks that agree, that agree but are `weak` (others have the same
    value), and that differ."""

    likeness: Likeness
    agree: frozenset[MarkName] = frozenset()
    weak: frozenset[MarkName] = frozenset()
    differ: frozenset[MarkName] = frozenset()
    at_one_place: bool = False


def registered_facts(device: Device) -> DeviceFacts:
    """What is known of a registered device."""
    return DeviceFacts(
        _maker(device.manufacturer, device.model),
        device.serial,
        device.mac,
        device.endpoint,
        (device.village_id, device.host, device.asked_port),
    )


def found_facts(identity: Identity, village_id: int, host: str, port: int | None) -> DeviceFacts:
    """What a device says about itself."""
    maker = _maker(identity.manufacturer, identity.model)
    return DeviceFacts(maker, identity.serial, identity.mac, identity.endpoint, (village_id, host, port))


def marks(facts: DeviceFacts) -> frozenset[Mark]:
    """The marks that say anything, as they are compared: without trivial serial numbers and default addresses."""
    return frozenset((name, value) for name in MARKS if (value := _value(facts, name)))


def compared(
    known: DeviceFacts, found: DeviceFacts, *, shared: frozenset[Mark] = frozenset(), both_answer: bool = False
) -> Comparison:
    """Whether a registered device and one that was found are one.

    `shared`: marks that several registered devices have. `both_answer`: the known one answers at its own place, too: at
    another place it is a second way to it, or another device of the same make, whatever the marks say.
    """
    equal = {name for name in MARKS if _agrees(known, found, name)}
    weak = frozenset(name for name in equal if (name, _value(found, name)) in shared)
    agree, differ = frozenset(equal - weak), changed(known, found)
    place = _at_one_place(known, found)
    return Comparison(_likeness(known, found, agree, weak, differ, place, both_answer), agree, weak, differ, place)


def _likeness(
    known: DeviceFacts,
    found: DeviceFacts,
    agree: frozenset[MarkName],
    weak: frozenset[MarkName],
    differ: frozenset[MarkName],
    at_one_place: bool,
    both_answer: bool,
) -> Likeness:
    if differ:
        if at_one_place and len(agree) > len(differ):
            return Likeness.SAME  # a repaired part, or another of its network interfaces
        return Likeness.MAY_BE_SAME if agree else Likeness.DIFFERENT
    if at_one_place:
        return Likeness.SAME if _makers_agree(known, found) else Likeness.DIFFERENT
    if len(agree) > 1 and not both_answer and not differing(known, found):
        return Likeness.SAME
    return Likeness.MAY_BE_SAME if agree or weak else Likeness.DIFFERENT


def same(known: DeviceFacts, found: DeviceFacts) -> bool:
    """Whether a search shows both as one device: one mark other than the MAC is enough, since nothing is decided by it.
    What is decided (registering, moving) follows `compared`."""
    one = compared(known, found)
    if one.likeness is Likeness.MAY_BE_SAME:
        return not one.differ and bool(one.agree - {"mac"})
    return one.likeness is Likeness.SAME


def changed(known: DeviceFacts, found: DeviceFacts) -> frozenset[MarkName]:
    """The marks that are known for both and differ: another device, or a forged one."""
    differ = differing(known, found)
    # Some firmware generates a new endpoint at each reset; that alone does not prove another device.
    return differ if differ != {"endpoint"} else frozenset()


def differing(known: DeviceFacts, found: DeviceFacts) -> frozenset[MarkName]:
    """As `changed`, the endpoint alone included: what is to be looked into."""
    return frozenset(
        name
        for name in MARKS
        if _value(known, name) and _value(found, name) and _value(known, name) != _value(found, name)
    )


def against(known: DeviceFacts, found: DeviceFacts, *, endpoint_varies: bool = False) -> frozenset[MarkName]:
    """What speaks against the device at a known place being the known one: `changed`, or its endpoint where that is all
    that it tells without a login. `endpoint_varies`: a person has said that this device makes a new one at times."""
    differ = differing(known, found)
    if differ != {"endpoint"}:
        return differ
    return frozenset() if endpoint_varies or compared(known, found).agree else differ


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


def _agrees(known: DeviceFacts, found: DeviceFacts, name: MarkName) -> bool:
    """Equal serial numbers of different makers say nothing, neither way: makers count each for themselves, and the
    interfaces of one device spell its maker differently."""
    value = _value(known, name)
    return bool(value) and value == _value(found, name) and (name != "serial" or _makers_agree(known, found))


def _makers_agree(known: DeviceFacts, found: DeviceFacts) -> bool:
    return not known.maker or not found.maker or known.maker == found.maker


def _at_one_place(known: DeviceFacts, found: DeviceFacts) -> bool:
    (village, host, port), (other_village, other_host, other_port) = known.place, found.place
    return (village, host) == (other_village, other_host) and (port == other_port or port is None or other_port is None)


def _value(facts: DeviceFacts, name: MarkName) -> str:
    value = str(getattr(facts, name)).strip().lower()
    if name == "endpoint":
        value = endpoint_key(value)
        return "" if len(value) > 30 and len(set(value.replace("-", ""))) < 3 else value  # nil, or all ones
    if name == "mac":
        return "" if value in _DEFAULT_MACS else value
    return "" if len(value) < 4 or _TRIVIAL.fullmatch(value) else value
