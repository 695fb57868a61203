"""Counting a device's channels by the RTSP paths that it answers, where nothing lists them. No path is guessed twice,
and a path that anything would be answered to proves nothing.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from camera_hub.cameras.describing.rtsp_describe import RtspAnswer
from camera_hub.cameras.vendors.paths import ANY, MOST_CHANNELS, PathPattern, ordered
from camera_hub.cameras.vendors.recognition import maker_of
from camera_hub.errors import HubError, Reason

ASK_SECONDS = 3.0
MISSING = 8
"""Channels in a row that are not there before the count ends: some of a recorder's are dead."""
SILENT = 3
"""Channels in a row whose path is not even refused before the count ends."""
FIRST = 4
"""How many channels of its own maker's pattern are tried before the next pattern: the first one may be dead."""


class Describes(Protocol):
    """What counting needs of describing.rtsp_describe."""

    @property
    def server(self) -> str:
        """Words by which the maker may be known."""
        ...

    async def ask(self, path: str, seconds: float) -> RtspAnswer:
        """The answer to DESCRIBE."""
        ...


@dataclass(frozen=True, slots=True)
class Counted:
    """The channels that answer: number → codec of the main stream. `sub`: whether they have a sub stream as well, and
    its codec."""

    pattern: PathPattern
    channels: Mapping[int, str | None]
    sub: bool = False
    sub_codec: str | None = None


async def counted(device: Describes, maker: str = "") -> Counted | None:
    """Which channels the device has, by the first pattern of the catalogue that it answers; None where it answers none.

    `maker`: as it is known by other signs. Raises HubError where the device refuses the login, is full, or is not
    reached any more before anything was found.
    """
    nothing = await device.ask(f"/hub{secrets.token_hex(6)}", ASK_SECONDS)
    if nothing.exists:  # whatever is asked for, it shows its one picture
        return Counted(ANY, {1: nothing.codec})
    maker = maker or maker_of(device.server)
    for pattern in ordered(maker):
        numbers = range(1, FIRST + 1) if maker in pattern.makers and not pattern.one else range(1, 2)
        for number in numbers:
            answer = await _asked(device, pattern.path(number, "main"))
            if answer is not None and answer.exists:
                return await _all(device, pattern, number, answer.codec)
    return None


async def _all(device: Describes, pattern: PathPattern, first: int, codec: str | None) -> Counted:
    """All channels from the first one that answered; a deadline that passes ends the count, not what was found."""
    channels = {first: codec}
    sub: RtspAnswer | None = None
    try:
        sub = await _asked(device, pattern.path(first, "sub"))
        if not pattern.one and not await _ignores_numbers(device, pattern):
            await _count(device, pattern, first, channels)
    except HubError:
        pass
    has_sub = sub is not None and sub.exists
    return Counted(pattern, channels, has_sub, sub.codec if sub is not None and has_sub else None)


async def _ignores_numbers(device: Describes, pattern: PathPattern) -> bool:
    """Whether it shows a channel that no device has: then the number means nothing to it."""
    answer = await _asked(device, pattern.path(MOST_CHANNELS, "main"))
    return answer is not None and answer.exists


async def _count(device: Describes, pattern: PathPattern, first: int, channels: dict[int, str | None]) -> None:
    missing = silent = 0
    for number in range(first + 1, MOST_CHANNELS):
        answer = await _asked(device, pattern.path(number, "main"))
        if answer is not None and answer.exists:
            channels[number], missing, silent = answer.codec, 0, 0
            continue
        missing, silent = missing + 1, silent + 1 if answer is None else 0
        if missing >= MISSING or silent >= SILENT:
            return


async def _asked(device: Describes, path: str) -> RtspAnswer | None:
    """None where the device says nothing to it, or hangs up: some do for a dead channel."""
    try:
        return await device.ask(path, ASK_SECONDS)
    except HubError as error:
        if error.reason not in (Reason.TIMED_OUT, Reason.BAD_REPLY):
            raise
        return None
