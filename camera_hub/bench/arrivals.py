"""When frames arrived, and which ones: each is recognized by the last bytes of its picture. Pure.

Servers give packets new headers and cut frames anew, but the bytes of a picture stay as they are, and the last bytes of
a coded picture are as good as random. The source says when it began to write each frame; the viewer has the kernel's
timestamp of the datagram with the marker bit, decrypted after the measurement. Both are from this machine's clock.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

TAIL = 12
"""Bytes by which a frame is recognized."""

SHORTEST = 4
"""A last packet may carry fewer bytes than TAIL; with fewer than these its frame is not recognized."""

LATEST = 5.5
"""Seconds; less than the clip, which repeats after six."""

_FU_A = 28


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What a timed viewer noted. `frames`: (track, monotonic seconds of the last datagram, last bytes of the picture).

    `noted`: marked datagrams; `decrypted`: those that passed SRTP authentication.
    """

    frames: tuple[tuple[int, float, bytes], ...]
    noted: int
    decrypted: int

    def head(self) -> dict[str, Any]:
        """The values as a reply of a load process."""
        frames = [(track, at, tail.hex()) for track, at, tail in self.frames]
        return {"frames": frames, "noted": self.noted, "decrypted": self.decrypted}

    @classmethod
    def read(cls, head: dict[str, Any]) -> Self:
        """The inverse of `head`."""
        frames = tuple((int(track), float(at), bytes.fromhex(tail)) for track, at, tail in head["frames"])
        return cls(frames, int(head["noted"]), int(head["decrypted"]))


def tail(payloads: Sequence[bytes]) -> bytes:
    """The last bytes of a picture, from the RTP payloads of its packets (RFC 6184: single NAL units or FU-A)."""
    found = b""
    for payload in reversed(payloads):
        fragment = payload[:1] and payload[0] & 0x1F == _FU_A
        found = (payload[2:] if fragment else payload) + found
        if len(found) >= TAIL or not fragment:
            break
    return found[-TAIL:]


def delays(sent: Sequence[tuple[float, bytes]], received: Sequence[tuple[float, bytes]]) -> tuple[list[float], int]:
    """Seconds from each received frame's writing to its arrival, and the number of frames that were not recognized.

    `sent` is in order of time. A frame is not recognized when none or more than one of the frames sent in the last
    LATEST seconds ends as it does.
    """
    by_end: defaultdict[bytes, list[tuple[float, bytes]]] = defaultdict(list)
    for at, end in sent:
        by_end[end[-SHORTEST:]].append((at, end))
    found: list[float] = []
    unknown = 0
    for at, end in received:
        candidates = by_end.get(end[-SHORTEST:], []) if len(end) >= SHORTEST else []
        until = bisect_right(candidates, at, key=lambda one: one[0])
        fits = [came for came, whole in candidates[:until] if at - came < LATEST and whole.endswith(end)]
        if len(fits) == 1:
            found.append(at - fits[0])
        else:
            unknown += 1
    return found, unknown
