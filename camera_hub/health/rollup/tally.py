"""Pure: what the looks at one camera in a stretch of time add up to.

A tally of an hour added to that of the next is the tally of both: counts and sums are kept, no mean is taken of means.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

GOOD = "ok"
"""An aspect that was judged and found well (store.tables.Observation)."""

ASPECTS = ("reachable", "media", "picture", "clock")

WELL = 80.0
"""From this score on a picture is good (standards 5.4); what never fell below it takes no room in a row."""

MAX_SCORES = 32
"""Kinds of scores and reasons kept of one stretch; there are some twenty."""


def _farthest(first: float, second: float) -> float:
    return max(first, second, key=abs)


MEASURES: Mapping[str, tuple[str, Callable[[float, float], float]]] = {
    # column of an observation → (its name in a tally, which of two values is the worse)
    "signalling_ms": ("signalling", max),
    "stream_ms": ("stream", max),
    "key_frame_ms": ("key_frame", max),
    "clock_error_s": ("clock", _farthest),
    "fps": ("fps", min),
    "bitrate_kbit": ("bitrate", max),
    "gop_seconds": ("gop", max),
}

LOOK_COLUMNS = ("reason", *ASPECTS, *MEASURES, "gaps", "received_bytes", "scores")
"""The columns of an observation that a tally is made of, in the order in which `add_look` takes them."""


@dataclass(slots=True)
class Measure:
    """Values of one kind: how many, their sum, and the worst of them."""

    count: int = 0
    total: float = 0.0
    worst: float | None = None

    @property
    def mean(self) -> float | None:
        """None when there were none."""
        return self.total / self.count if self.count else None

    def add(self, count: int, total: float, worst: float, worse: Callable[[float, float], float]) -> None:
        """Take in so many values with this sum, the worst of which is given."""
        self.count += count
        self.total += total
        self.worst = worst if self.worst is None else worse(self.worst, worst)


@dataclass(slots=True)
class LookTally:
    """What was seen of one camera in one stretch."""

    looks: int = 0
    bad: int = 0
    good_by_aspect: Counter[str] = field(default_factory=Counter)
    bad_by_aspect: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    measures: dict[str, Measure] = field(default_factory=lambda: {name: Measure() for name, _ in MEASURES.values()})
    gaps: int = 0
    received_bytes: int = 0
    scores: dict[str, float] = field(default_factory=dict)  # the least of each kind

    def add_look(self, values: Iterable[Any]) -> None:
        """Take in one observation; `values` as LOOK_COLUMNS."""
        found = dict(zip(LOOK_COLUMNS, values, strict=True))
        self.looks += 1
        if (reason := found["reason"]) is not None:
            self.bad += 1
            self.reasons[reason] += 1
        for aspect in ASPECTS:
            if (said := found[aspect]) is not None:
                (self.good_by_aspect if said == GOOD else self.bad_by_aspect)[aspect] += 1
        for column, (name, worse) in MEASURES.items():
            if (value := found[column]) is not None:
                self.measures[name].add(1, value, value, worse)
        self.gaps += found["gaps"] or 0
        self.received_bytes += found["received_bytes"] or 0
        self._add_scores(found["scores"] or {})

    def add_row(self, row: Mapping[str, Any]) -> None:
        """Take in what was rolled up before: the columns of store.tables.ObservationHour or ObservationDay."""
        self.looks += row["looks"]
        self.bad += row["bad"]
        for aspect in ASPECTS:
            self.good_by_aspect[aspect] += row[f"{aspect}_good"]
            self.bad_by_aspect[aspect] += row[f"{aspect}_bad"]
        self.reasons.update(row["reasons"])
        for name, worse in MEASURES.values():
            if count := row[f"{name}_count"]:
                self.measures[name].add(count, count * row[f"{name}_mean"], row[f"{name}_worst"], worse)
        self.gaps += row["gaps"]
        self.received_bytes += row["received_bytes"]
        self._add_scores(row["scores"])

    def row(self) -> dict[str, Any]:
        """Its columns, without camera and time."""
        columns: dict[str, Any] = {
            "looks": self.looks,
            "bad": self.bad,
            "reasons": dict(self.reasons.most_common(MAX_SCORES)),
            "gaps": self.gaps,
            "received_bytes": self.received_bytes,
            "scores": {kind: round(least, 1) for kind, least in self.scores.items() if least < WELL},
        }
        for aspect in ASPECTS:
            columns[f"{aspect}_good"] = self.good_by_aspect[aspect]
            columns[f"{aspect}_bad"] = self.bad_by_aspect[aspect]
        for name, measure in self.measures.items():
            columns[f"{name}_count"] = measure.count
            columns[f"{name}_mean"] = measure.mean
            columns[f"{name}_worst"] = measure.worst
        return columns

    def _add_scores(self, scores: Mapping[str, float]) -> None:
        for kind, score in scores.items():
            if kind in self.scores or len(self.scores) < MAX_SCORES:
                self.scores[kind] = min(score, self.scores.get(kind, score))
