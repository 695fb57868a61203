"""Is this the device that we know? Pure.

Never by address alone (every village may be 192.168.1.0/24) and never by MAC alone (cheap cameras ship with the same
one). Facts that agree speak for it, facts that differ against it.
"""

import re
from dataclasses import dataclass

_TRIVIAL = re.compile(r"(.)\1*|0*1?2?3?4?5?6?7?8?9?0?|n/?a|none|unknown|null|default|serial(number)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What is known of a device; empty text: not known. `place` is village, host and port."""

    maker: str
    serial: str
    mac: str
    endpoint: str
    place: tuple[int, str, int | None]


def same(known: DeviceFacts, found: DeviceFacts) -> bool:
    """Whether both are one device."""
    agree = {name for name in ("serial", "mac", "endpoint") if _agrees(known, found, name)}
    differ = changed(known, found)
    if differ:
        return len(agree) > len(differ) and len(agree) + (known.place == found.place) > 2
    if known.place == found.place:
        return known.maker == found.maker
    return bool(agree - {"mac"})


def changed(known: DeviceFacts, found: DeviceFacts) -> set[str]:
    """The names of facts that both tell and that differ: another device, or a forged one."""
    differ = {
        name
        for name in ("serial", "mac", "endpoint")
        if _value(known, name) and _value(found, name) and not _agrees(known, found, name)
    }
    # An endpoint is made anew by some firmwares at each reset; alone it proves nothing changed.
    return differ if differ != {"endpoint"} else set()


def _agrees(known: DeviceFacts, found: DeviceFacts, name: str) -> bool:
    value = _value(known, name)
    return bool(value) and value == _value(found, name) and (name != "serial" or known.maker == found.maker)


def _value(facts: DeviceFacts, name: str) -> str:
    value = str(getattr(facts, name)).strip().lower()
    return "" if name == "serial" and (len(value) < 4 or _TRIVIAL.fullmatch(value)) else value
