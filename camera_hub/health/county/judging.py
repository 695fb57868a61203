"""What we saw of a camera at the time that a list names, and see now, as one conclusion. Pure.

agrees      it was faulty then, and is now
repaired    it was faulty then, and is well now
seen_well   it was well then
excluded    it was excluded then (maintenance, power cut …)
not_known   it was not observed then
ambiguous   the row fits several cameras of ours
no_camera   the row fits none
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from camera_hub.health.county.listed import ASPECTS

Conclusion = Literal["agrees", "repaired", "seen_well", "excluded", "not_known", "ambiguous", "no_camera"]
CONCLUSIONS: Final = ("agrees", "repaired", "seen_well", "excluded", "not_known", "ambiguous", "no_camera")

_UNNAMED: Final = ("media", "picture")
"""What a complaint without words is about."""


@dataclass(frozen=True, slots=True)
class AspectSpan:
    """The state (ok | fault) of an aspect from `since` until `until` (None: it still is)."""

    aspect: str
    state: str
    cause: str | None
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SeenState:
    """A camera's state in one word: ok, fault (with aspect and cause), or unknown; since when."""

    state: str = "unknown"
    aspect: str | None = None
    cause: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class CameraEvidence:
    """What is known of a camera. `then`: its states that overlap the time in question; `now`: those of this moment;
    `observed`: the hub ran then; `excluded`: an approved exclusion was in force then; `in_use`: it is approved."""

    then: Sequence[AspectSpan]
    now: Sequence[AspectSpan]
    observed: bool
    excluded: bool
    in_use: bool = True


@dataclass(frozen=True, slots=True)
class CountyJudgement:
    """`repaired_at`: since when it has been well; `notes`: of other_fault (which the list does not complain of),
    hub_off, not_in_use."""

    conclusion: Conclusion
    then: SeenState = SeenState()
    now: SeenState = SeenState()
    repaired_at: datetime | None = None
    notes: tuple[str, ...] = ()


def judged(complaint: str | None, evidence: CameraEvidence) -> CountyJudgement:
    """The conclusion about a matched camera. `complaint`: of listed.ASPECTS, None: the list has no words for it.

    A camera that gives no picture has none to be judged by, so a complaint of any aspect agrees with that.
    """
    asked = _UNNAMED if complaint is None else tuple(dict.fromkeys(("media", complaint)))
    needed = complaint or "media"
    then, now = _state(evidence.then, asked, needed), _state(evidence.now, asked, needed)
    notes = [] if evidence.in_use else ["not_in_use"]
    if not evidence.observed:
        then = SeenState()
        notes.append("hub_off")
    well = then.state == "ok"
    if well and (other := _state(evidence.then, ASPECTS, needed)).state == "fault":
        then = other
        notes.append("other_fault")
    conclusion: Conclusion
    if evidence.excluded:
        conclusion = "excluded"
    elif well:
        conclusion = "seen_well"
    elif then.state == "unknown":
        conclusion = "not_known"
    else:
        conclusion = "repaired" if now.state == "ok" else "agrees"
    repaired = None
    if then.state == "fault" and not well and now.state == "ok":
        repaired = next((one.since for one in evidence.now if one.aspect == then.aspect), now.since)
    shown = now if now.state == "fault" else _state(evidence.now, ASPECTS, needed)
    return CountyJudgement(conclusion, then, shown, repaired, tuple(notes))


def _state(spans: Sequence[AspectSpan], asked: Sequence[str], needed: str) -> SeenState:
    """Of several aspects: the most serious fault, since it began; else well, where the aspect `needed` is known."""
    for aspect in ASPECTS:
        faults = [one for one in spans if one.aspect == aspect and one.state == "fault"]
        if aspect in asked and faults:
            return SeenState("fault", aspect, faults[-1].cause, min(one.since for one in faults))
    known = [one for one in spans if one.aspect == needed]
    return SeenState("ok", None, None, max(one.since for one in known)) if known else SeenState()
