"""Whether the texts in a camera's picture are as they should be. Pure.

Asked for: a name that is the camera's in the hub, date and time, the time right and that of the site (Beijing time).
Names are compared without spaces, punctuation and the width of letters, since devices cut and pad them; the village's
name may stand before it, on the same line or on one above.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from camera_hub.cameras.device_settings.values import OsdText
from camera_hub.errors import Reason

OsdState = Literal["ok", "fault", "unknown"]
MOST_LINES = 2
"""Lines of name beside the time: more of them hide the picture."""


@dataclass(frozen=True, slots=True)
class ShownClock:
    """The time in the picture against the true one. `off_s`: of the device's UTC; `zone_off_s`: of its zone against the
    site's. None: not known."""

    off_s: float | None
    zone_off_s: float | None = None

    @property
    def shown_off_s(self) -> float | None:
        """By how much the time in the picture is off."""
        return None if self.off_s is None else self.off_s + (self.zone_off_s or 0.0)


@dataclass(frozen=True, slots=True)
class OsdCompliance:
    """`faults`: reasons, the weightiest first. `name`: what stands there as a name, its lines joined by spaces.
    `time`: the format of the time, "" where the device does not say. `lines`: of the name; `off_s`: of the time."""

    state: OsdState
    faults: tuple[str, ...] = ()
    name: str = ""
    time: str | None = None
    lines: int = 0
    off_s: float | None = None


def compliance(texts: Sequence[OsdText], name: str, village: str, clock: ShownClock, limit_s: float) -> OsdCompliance:
    """`texts`: all of the camera's, as they were read; `limit_s`: by how much a time may be off."""
    shown = [one for one in texts if one.shown]
    names = [one.text for one in shown if one.kind == "name" and key_of(one.text)]
    times = [one for one in shown if one.kind == "time"]
    faults = []
    if not names:
        faults.append(Reason.OSD_NAME_MISSING)
    elif not _is_name(names, name, village):
        faults.append(Reason.OSD_NAME_WRONG)
    if not _says_when(times):
        faults.append(Reason.OSD_TIME_MISSING)
    off = clock.shown_off_s
    if times and off is not None and abs(off) > limit_s:
        faults.append(Reason.OSD_CLOCK_WRONG)
    return OsdCompliance(
        "fault" if faults else "ok",
        tuple(one.value for one in faults),
        " ".join(names),
        " ".join(one.text for one in times if one.text) if times else None,
        len(names),
        off,
    )


def told(found: OsdCompliance, clock: ShownClock, limit_s: float) -> str | None:
    """The reason that health is told, None for "well": a time that is wrong because the device's clock is off is the
    clock's fault, which has an alarm of its own."""
    by_clock = clock.off_s is not None and abs(clock.off_s) > limit_s
    return next((one for one in found.faults if not (one == Reason.OSD_CLOCK_WRONG and by_clock)), None)


def key_of(text: str) -> str:
    """By what names are compared."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in folded if letter.isalnum())


def _is_name(lines: Sequence[str], name: str, village: str) -> bool:
    wanted = {key_of(name), key_of(village) + key_of(name)} - {""}
    keys = [key_of(one) for one in lines]
    return any(key in wanted for key in keys) or "".join(keys) in wanted or "".join(reversed(keys)) in wanted


def _says_when(times: Sequence[OsdText]) -> bool:
    """Whether date and time are there. A device that does not tell its formats is believed."""
    formats = " ".join(one.text for one in times).lower()
    if not times or not formats.strip():
        return bool(times)
    return "y" in formats and "h" in formats
