"""Pure: a summary of one camera over a span, from looks, from what they were rolled up into, or from both."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from camera_hub.errors import Reason
from camera_hub.health.judging.verdict import Aspect, aspect_of
from camera_hub.health.rollup.tally import ASPECTS, GOOD, LOOK_COLUMNS, LookTally

POINTS = 720
"""The most points of a curve in a summary: about one per pixel of a page's chart."""

GAP = timedelta(minutes=20)
"""After this long without any look the state is not known: a camera that nobody looked at is not well."""

SPANS = 3000
"""The most stretches of one state in a summary; of a camera that changes more often the oldest are left out."""

Level = Literal["looks", "hours", "days"]

SaidOfAspects = tuple[str | None, str | None, str | None, str | None]
"""What a look said of ASPECTS: None = not judged, "ok" = good, else the reason."""

_SAID = len(ASPECTS)


@dataclass(slots=True)
class StateSpan:
    """One aspect was in one state: `reason` is None while it was well."""

    aspect: str
    since: datetime
    until: datetime
    reason: str | None


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A stretch of time that begins at `at`: how many looks, means (None where nothing was measured; delays in ms), the
    least score of each kind (in hours and days only where it was below 80), and the bytes that came in."""

    at: datetime
    looks: int
    signalling_ms: float | None
    stream_ms: float | None
    key_frame_ms: float | None
    clock_error_s: float | None
    fps: float | None
    bitrate_kbit: float | None
    gop_seconds: float | None
    gaps: int
    received_bytes: int
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class HistorySummary:
    """All looks of a span: states by aspect, curves of at most 720 points, and totals.

    `level`: what the oldest part was read from. The median is known of single looks alone, the mean always.
    """

    since: datetime
    until: datetime
    level: Level
    looks: int
    bad: int
    key_frame_median_ms: float | None
    key_frame_mean_ms: float | None
    received_bytes: int
    spans: Sequence[StateSpan] = ()
    points: Sequence[CurvePoint] = ()


def judged(values: Sequence[Any]) -> SaidOfAspects:
    """What a look judged; `values` as LOOK_COLUMNS. Rows of versions before 0.2 have the weightiest reason alone: of
    those only that is said, and that a look without a fault found the camera's stream well."""
    reason, *rest = values
    reachable, media, picture, clock = rest[:_SAID]
    if any(said is not None for said in (reachable, media, picture, clock)):
        return reachable, media, picture, clock
    if reason is None:
        return None, GOOD, None, GOOD if values[LOOK_COLUMNS.index("clock_error_s")] is not None else None
    aspect = aspect_of(reason)
    if aspect is Aspect.MEDIA:
        return None, reason, None, None
    return None, GOOD, reason if aspect is Aspect.PICTURE else None, reason if reason == Reason.CLOCK_WRONG else None


@dataclass(slots=True)
class _CurveCell:
    """A point of the curves while it is added up."""

    number: int
    tally: LookTally = field(default_factory=LookTally)


class Summing:
    """A summary while it is read, the oldest first: first what was rolled up, then looks."""

    def __init__(self, since: datetime, until: datetime, level: Level) -> None:
        self.since = since
        self.until = until
        self.level: Level = level
        self._width = max((until - since) / POINTS, timedelta(seconds=1))
        self._spans: deque[StateSpan] = deque(maxlen=SPANS)
        self._current: dict[str, StateSpan] = {}
        self._covered: list[list[datetime]] = []  # [since, until] of what was rolled up
        self._cell: _CurveCell | None = None
        self._points: list[CurvePoint] = []
        self._total = LookTally()
        self._key_frames: list[float] = []
        self._looked_at: datetime | None = None

    def add_look(self, at: datetime, values: Sequence[Any]) -> None:
        """Take in the next look; `values` as LOOK_COLUMNS."""
        self._total.add_look(values)
        self._at(at).add_look(values)
        if self._looked_at is not None and at - self._looked_at > GAP:
            self._end_spans()
        for aspect, state in zip(ASPECTS, judged(values), strict=True):
            if state is not None:
                self._extend(aspect, at, None if state == GOOD else state)
        self._looked_at = at
        if (key_frame := values[LOOK_COLUMNS.index("key_frame_ms")]) is not None:
            self._key_frames.append(key_frame)

    def add_row(self, at: datetime, row: Mapping[str, Any], length: timedelta) -> None:
        """Take in the next hour or day."""
        self._total.add_row(row)
        self._at(max(at, self.since)).add_row(row)
        begin, end = max(at, self.since), min(at + length, self.until)
        if self._covered and begin - self._covered[-1][1] <= GAP:
            self._covered[-1][1] = end
        else:
            self._covered.append([begin, end])

    def add_states(self, states: Iterable[tuple[str, str | None, datetime, datetime | None]]) -> None:
        """Take in what was true while hours or days were rolled up: (aspect, cause or None while it was well, since,
        until or None), the oldest first. Where nobody looked nothing is known."""
        for aspect, cause, since, until in states:
            for begin, end in self._covered:
                first, last = max(since, begin), min(until or end, end)
                if first < last:
                    self._spans.append(StateSpan(aspect, first, last, cause))

    def result(self) -> HistorySummary:
        """The summary; nothing may be added afterwards."""
        self._end_cell()
        self._end_spans()
        self._key_frames.sort()
        median = self._key_frames[(len(self._key_frames) - 1) // 2] if self._key_frames else None
        total = self._total
        return HistorySummary(
            self.since,
            self.until,
            self.level,
            total.looks,
            total.bad,
            median if self.level == "looks" else None,
            total.measures["key_frame"].mean,
            total.received_bytes,
            list(self._spans),
            self._points,
        )

    def _extend(self, aspect: str, at: datetime, reason: str | None) -> None:
        """A state lasts until the next look that judges the same aspect, as long as looks are made. `until` of the
        current span is its latest look until it ends."""
        span = self._current.get(aspect)
        if span is not None:
            span.until = at
            if span.reason == reason:
                return
        self._current[aspect] = StateSpan(aspect, at, at, reason)
        self._spans.append(self._current[aspect])

    def _end_spans(self) -> None:
        """No look was made for longer than GAP, or the span is over."""
        for span in self._current.values():
            last = max(span.until, self._looked_at or span.until)
            span.until = min(self.until, last + GAP)
        self._current.clear()

    def _at(self, at: datetime) -> LookTally:
        number = min((at - self.since) // self._width, POINTS - 1)
        if self._cell is None or self._cell.number != number:
            self._end_cell()
            self._cell = _CurveCell(number)
        return self._cell.tally

    def _end_cell(self) -> None:
        if self._cell is None:
            return
        tally = self._cell.tally
        means = {name: measure.mean for name, measure in tally.measures.items()}
        self._points.append(
            CurvePoint(
                self.since + self._cell.number * self._width,
                tally.looks,
                means["signalling"],
                means["stream"],
                means["key_frame"],
                means["clock"],
                means["fps"],
                means["bitrate"],
                means["gop"],
                tally.gaps,
                tally.received_bytes,
                dict(tally.scores),
            )
        )
        self._cell = None
