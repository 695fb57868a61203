"""What the result of a camera becomes by what is done to it: one rule for each. Pure.

    open ── confirmed ──▶ normal ◀─ changed ─▶ abnormal ◀── a finding
     ▲ │
     │ └─ not seen, and dead when its stop is left ─▶ excused
     └──── excused, back and seen ────────┘

`normal` needs that the camera was seen. `abnormal` needs words or a finding (or the hub knows the fault already), and
that the camera was seen or that its picture was at fault: nobody can see a black picture, but it can be reported.

A confirmed result (normal or abnormal) is changed only by who says that they know it (`Act.change`), whoever had
confirmed it, and for a reason (`Act.words`); what it was is kept in the record (`corrects`). Nothing that the hub does
by itself changes one. A result that has findings is not made normal: they are deleted first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from camera_hub.errors import Reason

ResultState = Literal["open", "normal", "abnormal", "excused"]
RESULT_STATES: Mapping[str, ResultState] = {state: state for state in get_args(ResultState)}
Verdict = Literal["normal", "abnormal"]
CONFIRMED = frozenset({"normal", "abnormal"})
MOST_WORDS = 255
"""Characters of a result's own words."""

NOT_LOOKED = frozenset({Reason.NO_PAGE, Reason.PAGE_HIDDEN, Reason.PAGE_COVERED, Reason.OFF_SCREEN, Reason.PASSED_OVER})
"""Why a camera was not seen though there was nothing wrong with it: it can be looked at, so it cannot be reported."""

ActKind = Literal["normal", "abnormal", "find", "reword", "unfind", "excuse", "look"]
Refusal = Literal["already_confirmed", "not_seen", "words_needed"]


@dataclass(frozen=True, slots=True)
class CameraResult:
    """The result of one camera at one stop, as far as it is decided by. `findings`: how many name it; `fault`: what the
    hub knows to be wrong with the camera now (errors.Reason); `by`: who has confirmed it."""

    position: int
    camera_id: int
    result: ResultState = "open"
    key: bool = False
    seen_s: float = 0.0
    why: str | None = None
    visits: int = 0
    words: str = ""
    findings: int = 0
    fault: str | None = None
    by: str | None = None

    @property
    def confirmed(self) -> bool:
        """Whether somebody has said what it is."""
        return self.result in CONFIRMED

    def seen(self, least_s: float) -> bool:
        """Whether it was visible long enough."""
        return self.seen_s >= least_s

    def reportable(self, least_s: float) -> bool:
        """Whether it can be called abnormal: it was seen, or there is something wrong with it."""
        at_fault = self.fault is not None or (self.why is not None and self.why not in NOT_LOOKED)
        return at_fault or self.result in ("excused", "abnormal") or self.seen(least_s)


@dataclass(frozen=True, slots=True)
class Act:
    """What is done. `normal`, `abnormal`: somebody confirms it so; `find`: notes a finding; `reword`, `unfind`: changes
    the words of a finding, or deletes it; `excuse`: its stop is left, and it cannot be shown; `look`: it was visible.

    `words`: of the confirmation or finding (now); `was`: the finding's words before. `change`: the user knows that the
    result is confirmed already.
    """

    kind: ActKind
    words: str = ""
    was: str = ""
    change: bool = False


def after(before: CameraResult, act: Act, least_s: float) -> CameraResult | Refusal:
    """The result after the act (equal to `before`: nothing changes), or why it is refused. `least_s`: seconds for which
    a camera must have been visible."""
    match act.kind:
        case "normal":
            return _normal(before, act, least_s)
        case "abnormal":
            return _abnormal(before, act, least_s)
        case "find":
            return _find(before, act, least_s)
        case "reword":
            copied = before.result == "abnormal" and before.words == act.was[:MOST_WORDS]
            return replace(before, words=act.words[:MOST_WORDS]) if copied else before
        case "unfind":
            return _unfind(before, act)
        case "excuse":
            gone = before.result == "open" and not before.seen(least_s)
            return replace(before, result="excused") if gone else before
        case "look":
            back = before.result == "excused" and before.seen(least_s)
            return replace(before, result="open") if back else before


def corrects(before: CameraResult, after: CameraResult) -> bool:
    """Whether a confirmed result was changed: then the record keeps what it was."""
    return before.confirmed and (before.result, before.words) != (after.result, after.words)


def _normal(before: CameraResult, act: Act, least_s: float) -> CameraResult | Refusal:
    if before.result == "normal":
        return before
    if before.result == "abnormal":
        if not act.change or before.findings:
            return "already_confirmed"
        if not act.words:
            return "words_needed"
    if not before.seen(least_s):
        return "not_seen"
    return replace(before, result="normal", words=act.words)


def _abnormal(before: CameraResult, act: Act, least_s: float) -> CameraResult | Refusal:
    if before.result == "abnormal" and before.words == act.words:
        return before
    if not act.words and (before.confirmed or (not before.findings and before.fault is None)):
        return "words_needed"
    if before.confirmed and not act.change:
        return "already_confirmed"
    if not before.reportable(least_s):
        return "not_seen"
    return replace(before, result="abnormal", words=act.words)


def _find(before: CameraResult, act: Act, least_s: float) -> CameraResult | Refusal:
    if not act.words:
        return "words_needed"
    if before.result == "abnormal":
        return replace(before, findings=before.findings + 1)
    if before.result == "normal" and not act.change:
        return "already_confirmed"
    if not before.reportable(least_s):
        return "not_seen"
    return replace(before, result="abnormal", words=act.words[:MOST_WORDS], findings=before.findings + 1)


def _unfind(before: CameraResult, act: Act) -> CameraResult:
    """Without its last finding a result is open again, unless something else was said of it."""
    left = replace(before, findings=before.findings - 1)
    if left.result == "abnormal" and not left.findings and left.words == act.was[:MOST_WORDS]:
        return replace(left, result="open", words="", by=None)
    return left
