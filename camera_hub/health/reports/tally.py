"""How long a camera was well, faulty or unknown, aspect by aspect, from its intervals. Pure.

Time counts while the camera is in use. It is known while the hub observed and the aspect has a state; what is not known
is neither well nor faulty. Everything is counted twice: before and after exclusions.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from camera_hub.health.reports.span import Stretch

ASPECTS: Final = ("media", "picture", "clock", "recording", "osd")
MEASURES: Final[Mapping[str, tuple[str, ...]]] = {
    "online": ("media",),
    "intact": ("media", "picture"),
    "clock": ("clock",),
    "recording": ("recording",),
    "osd": ("osd",),
}
"""What is measured, and the aspects that must all be well for it. It is faulty once one of them is, and unknown where
none is faulty and one is unknown."""

FOREVER: Final = 1 << 62
_SERVICE, _OBSERVED, _EXCLUDED = 1, 2, 4
_NEXT_DAY = -1
_OK, _FAULT = 1, 2


@dataclass(frozen=True, slots=True)
class StateStretch:
    """One state of one aspect, from `since` until just before `until` (FOREVER: it goes on)."""

    aspect: str
    fault: bool
    cause: str | None
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class CameraPart:
    """A camera while it belonged to one village and device. `states`: of the camera, in any order.

    `service`: when it was in use there; `excluded`: when it was not judged; each united.
    """

    camera_id: int
    village_id: int
    device_id: int
    service: Sequence[Stretch]
    excluded: Sequence[Stretch]
    states: Sequence[StateStretch]


@dataclass(frozen=True, slots=True)
class Tally:
    """Time (microseconds), or cameras at one moment: well, faulty, unknown."""

    ok: int = 0
    fault: int = 0
    unknown: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.ok + other.ok, self.fault + other.fault, self.unknown + other.unknown)

    @property
    def known(self) -> int:
        return self.ok + self.fault

    @property
    def due(self) -> int:
        return self.ok + self.fault + self.unknown


@dataclass(frozen=True, slots=True)
class BothTallies:
    """Before and after exclusions."""

    before: Tally = Tally()
    after: Tally = Tally()

    def __add__(self, other: "BothTallies") -> "BothTallies":
        return BothTallies(self.before + other.before, self.after + other.after)


Codes = Mapping[int, int]
"""Microseconds by code: what was true at once (in use, observed, excluded, each aspect), packed into a number."""


@dataclass(slots=True)
class Swept:
    """What sweeping over a camera found. `codes`: of all of the span; `last`: the code of its last moment, None where
    the span is empty."""

    codes: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    last: int | None = None


def sweep(
    part: CameraPart,
    observed: Sequence[Stretch],
    span: Stretch,
    edges: Sequence[int],
    days: Sequence[dict[int, int]],
) -> Swept:
    """Go once over everything that changes for the camera in the span. `days[n]` grows by what day n has; `edges` are
    where the days but the first begin."""
    begin, end = span
    changes: list[tuple[int, int, int]] = [(edge, 1, _NEXT_DAY) for edge in edges if begin < edge < end]
    for stretches, bit in ((part.service, _SERVICE), (observed, _OBSERVED), (part.excluded, _EXCLUDED)):
        changes += _changes(stretches, span, bit, bit)
    for number, aspect in enumerate(ASPECTS):
        shift = 3 + 2 * number
        for state, stretch in _apart([one for one in part.states if one.aspect == aspect]):
            changes += _changes([stretch], span, 3 << shift, state << shift)
    changes.sort()
    found, code, at, day = Swept(), 0, begin, 0
    codes = found.codes
    for time, mask_value, mask in changes:
        if time > at:
            codes[code] += time - at
            days[day][code] = days[day].get(code, 0) + time - at
            found.last, at = code, time
        if mask == _NEXT_DAY:
            day += 1
        else:
            code = (code & ~mask) | mask_value
    if at < end:
        codes[code] += end - at
        days[day][code] = days[day].get(code, 0) + end - at
        found.last = code
    return found


def is_due(code: int, *, after: bool) -> bool:
    """Whether a camera counts: it is in use, and after exclusions it is not excluded."""
    return bool(code & _SERVICE) and not (after and code & _EXCLUDED)


def is_excluded(code: int) -> bool:
    """Whether a camera is in use and excluded."""
    return bool(code & _SERVICE) and bool(code & _EXCLUDED)


@lru_cache(maxsize=8192)
def state(code: int, measure: str) -> str:
    """ok | fault | unknown of one of MEASURES."""
    if not code & _OBSERVED:
        return "unknown"
    states = [(code >> (3 + 2 * ASPECTS.index(one))) & 3 for one in MEASURES[measure]]
    if _FAULT in states:
        return "fault"
    return "ok" if all(one == _OK for one in states) else "unknown"


def tallied(codes: Codes, measure: str) -> BothTallies:
    """How long it was well, faulty and unknown."""
    sums = {(after, one): 0 for after in (False, True) for one in ("ok", "fault", "unknown")}
    for code, amount in codes.items():
        what = state(code, measure)
        for after in (False, True):
            if is_due(code, after=after):
                sums[after, what] += amount
    before, after_ = (Tally(*(sums[one, what] for what in ("ok", "fault", "unknown"))) for one in (False, True))
    return BothTallies(before, after_)


def excluded_time(codes: Codes) -> int:
    """How long a camera in use was excluded."""
    return sum(amount for code, amount in codes.items() if is_excluded(code))


def unobserved_time(codes: Codes) -> int:
    """How long the hub did not observe while the camera was in use."""
    return sum(amount for code, amount in codes.items() if code & _SERVICE and not code & _OBSERVED)


def _changes(stretches: Iterable[Stretch], span: Stretch, mask: int, value: int) -> Iterator[tuple[int, int, int]]:
    """(when, the new bits, which bits); sorted, an end comes before what begins at that moment."""
    for begin, end in stretches:
        begin, end = max(begin, span[0]), min(end, span[1])
        if begin < end:
            yield begin, value, mask
            yield end, 0, mask


def _apart(states: Sequence[StateStretch]) -> Iterator[tuple[int, Stretch]]:
    """The states of one aspect without overlaps: a later one ends the one before."""
    ordered = sorted(states, key=lambda one: (one.since, one.until))
    for number, one in enumerate(ordered):
        following = ordered[number + 1].since if number + 1 < len(ordered) else FOREVER
        yield (_FAULT if one.fault else _OK), (one.since, min(one.until, following))
