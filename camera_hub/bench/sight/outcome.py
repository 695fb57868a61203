"""Pure: from scores and labels to precision, recall, false alarms and points of the ROC curve."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from camera_hub.bench.sight.trials import ACCEPTED, FINE
from camera_hub.eye.messages import FAULT_BELOW

THRESHOLDS = (20.0, 40.0, 50.0, FAULT_BELOW, 70.0, 80.0, 90.0)


@dataclass(frozen=True, slots=True)
class Judged:
    """One trial's outcome."""

    place: str
    profile: str
    label: str
    step: str
    scores: Mapping[str, float]

    @property
    def faults(self) -> frozenset[str]:
        return frozenset(name for name, score in self.scores.items() if score < FAULT_BELOW)

    @property
    def right(self) -> bool:
        """A fault that is called by its name, or an accepted one; or nothing said of what is fine."""
        return not self.faults if self.label == FINE else bool(self.faults & accepted(self.label))


def accepted(label: str) -> frozenset[str]:
    """What is right to say of a fault."""
    return ACCEPTED.get(label, frozenset({label}))


def of_class(name: str, judged: Sequence[Judged]) -> dict[str, Any]:
    """Figures of one kind of fault. `roc`: [threshold, share of what is fine called so, share of the faults found]."""
    own = [one for one in judged if one.label == name]
    fine = [one for one in judged if one.label == FINE]
    called = [one for one in judged if name in one.faults]
    wrong = [one for one in called if one.label == FINE or name not in accepted(one.label)]
    steps = sorted({one.step for one in own})
    return {
        "fault": name,
        "trials": len(own),
        "recall": share(one.right for one in own),
        "named_exactly": share(name in one.faults for one in own),
        "precision": 1 - len(wrong) / len(called) if called else None,
        "false_alarms": sum(name in one.faults for one in fine),
        "recall_by_step": {step: share(one.right for one in own if one.step == step) for step in steps},
        "recall_day": share(one.right for one in own if one.profile == "day"),
        "recall_night": share(one.right for one in own if one.profile != "day"),
        "roc": [
            [
                threshold,
                share(_below(one, {name}, threshold) for one in fine),
                share(_found(one, threshold) for one in own),
            ]
            for threshold in THRESHOLDS
        ],
    }


def of_all(judged: Sequence[Judged]) -> dict[str, Any]:
    """Figures of the whole set. `scenes_with_false_alarms`: of all places, those where anything was called wrongly."""
    fine = [one for one in judged if one.label == FINE]
    own = [one for one in judged if one.label != FINE]
    alarmed = [one for one in fine if one.faults]
    return {
        "trials": len(judged),
        "scenes": len({one.place for one in judged}),
        "recall": share(one.right for one in own),
        "false_alarm_rate": share(bool(one.faults) for one in fine),
        "false_alarm_rate_day": share(bool(one.faults) for one in fine if one.profile == "day"),
        "false_alarm_rate_night": share(bool(one.faults) for one in fine if one.profile != "day"),
        "scenes_with_false_alarms": len({one.place for one in alarmed}),
        "false_alarms": [
            {"place": one.place, "step": one.step, **{name: one.scores[name] for name in sorted(one.faults)}}
            for one in alarmed[:20]
        ],
    }


def share(of: Iterable[bool]) -> float | None:
    """How much of it is true; None of nothing."""
    values = list(of)
    return sum(values) / len(values) if values else None


def _below(one: Judged, names: Iterable[str], threshold: float) -> bool:
    return any(one.scores.get(name, 100.0) < threshold for name in names)


def _found(one: Judged, threshold: float) -> bool:
    return _below(one, accepted(one.label), threshold)
