"""Which packets a road loses, by plan (the road itself is the bench's: camera_hub/bench/road.py)."""

from collections.abc import Callable


def is_rtp(data: bytes) -> bool:
    """Media, not STUN, DTLS or RTCP (RFC 7983, RFC 5761)."""
    return len(data) >= 12 and 127 < data[0] < 192 and not 191 < data[1] < 224


def every(count: int) -> Callable[[bytes], bool]:
    """Lose each `count`-th RTP packet."""
    seen = 0

    def loses(data: bytes) -> bool:
        nonlocal seen
        seen += is_rtp(data)
        return is_rtp(data) and seen % count == 0

    return loses
