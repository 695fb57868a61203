"""Pure: whether an aspect of a camera comes and goes: the share of changes over the last looks, as Naemon counts it.

Of 21 looks each change between good and bad counts, the newest 1.2 times and the oldest 0.8 times. At 20 % it begins to
flap; it does no more once a whole window has changed in less than 5 %. In between it stays what it was.
"""

from collections.abc import Sequence

LOOKS = 21
HIGH = 0.20
LOW = 0.05

_NEWEST, _OLDEST = 1.2, 0.8


def share_of_changes(good: Sequence[bool]) -> float:
    """The weighted share of changes, 0–1.2, over the last 21 looks (oldest first). Looks not made yet count as none."""
    looks = good[-LOOKS:]
    places = LOOKS - 1
    first = places - (len(looks) - 1)  # the place of the oldest change that there can be
    step = (_NEWEST - _OLDEST) / (places - 1)
    changed = (first + n for n in range(len(looks) - 1) if looks[n] != looks[n + 1])
    return sum(_OLDEST + step * place for place in changed) / places


def is_flapping(good: Sequence[bool], before: bool) -> bool:
    """Whether it flaps after the newest of these looks (oldest first)."""
    share = share_of_changes(good)
    if share >= HIGH:
        return True
    return before and not (len(good) >= LOOKS and share < LOW)
