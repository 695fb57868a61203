"""What a result may become, and what a confirmation needs. Pure.

    open ── confirmed ──▶ normal ◀─ corrected ─▶ abnormal
     ▲ │
     │ └─ not seen, and dead when its stop is left ─▶ excused
     └──── excused, back and seen ────────┘

`normal` needs that the camera was seen. `abnormal` needs words or a finding (or the hub knows the fault already), and
that the camera was seen or that its picture was at fault: nobody can see a black picture, but it can be reported. A
result that somebody else has confirmed otherwise meanwhile is changed only by who knows it (`Confirmation.change`).
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from typing import Literal

from camera_hub.errors import HubError, Kind, Reason

ResultState = Literal["open", "normal", "abnormal", "excused"]
Verdict = Literal["normal", "abnormal"]

NOT_LOOKED = frozenset({Reason.NO_PAGE, Reason.PAGE_HIDDEN, Reason.PAGE_COVERED, Reason.OFF_SCREEN, Reason.PASSED_OVER})
"""Why a camera was not seen though there was nothing wrong with it: it can be looked at, so it cannot be reported."""


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

    def seen(self, least_s: float) -> bool:
        """Whether it was visible long enough."""
        return self.seen_s >= least_s

    def reportable(self, least_s: float) -> bool:
        """Whether it can be called abnormal: it was seen, or there is something wrong with it."""
        at_fault = self.fault is not None or (self.why is not None and self.why not in NOT_LOOKED)
        return at_fault or self.result in ("excused", "abnormal") or self.seen(least_s)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What somebody confirms: a stop (`position` None: all of the patrol) or some of its cameras (None: all).

    `change`: the user knows that the results were confirmed before, and means to change them.
    """

    position: int | None
    camera_ids: tuple[int, ...] | None
    result: Verdict
    words: str = ""
    change: bool = False


@dataclass(frozen=True, slots=True)
class PatrolState:
    """What is known of the patrol: its state, how it is confirmed (screen | camera | end), its least time in s."""

    state: str
    confirm: str
    least_s: float


def confirmed(patrol: PatrolState, results: Sequence[CameraResult], wish: Confirmation) -> list[CameraResult]:
    """The results that the confirmation changes, as they are afterwards; [] when all of it is confirmed so already.

    Raises HubError: CONFLICT (`run_ended`, `not_closing`, `not_seen`, `one_at_a_time`, `already_confirmed`), NOT_FOUND
    (`no_such_stop`, `no_such_camera`), INVALID (`words_needed`).
    """
    _must_be_open(patrol)
    chosen = _chosen(patrol, results, wish)
    chosen = _normal(patrol, chosen, wish) if wish.result == "normal" else _abnormal(patrol, chosen, wish)
    return [replace(one, result=wish.result, words=wish.words) for one in chosen]


def found(patrol: PatrolState, result: CameraResult, words: str) -> CameraResult:
    """The result after a finding at its camera: abnormal. Raises HubError(CONFLICT): `run_ended`, `not_seen`."""
    _must_be_open(patrol)
    if not result.reportable(patrol.least_s):
        raise _not_seen([result], (), patrol)
    kept = result.words if result.result == "abnormal" and result.words else words[:255]
    return replace(result, result="abnormal", words=kept, findings=result.findings + 1)


def excused(result: CameraResult, least_s: float) -> bool:
    """Whether a camera that could not be shown when its stop was left is excused: nobody has confirmed it, and there
    was nothing to confirm."""
    return result.result == "open" and not result.seen(least_s)


def looked_at(result: CameraResult, least_s: float) -> ResultState:
    """What the result is after the camera was visible: an excused one that is back and was seen is open again."""
    return "open" if result.result == "excused" and result.seen(least_s) else result.result


def still_open(results: Sequence[CameraResult]) -> list[CameraResult]:
    """Those that are neither confirmed nor excused: the patrol cannot be submitted."""
    return [one for one in results if one.result == "open"]


def remaining(results: Sequence[CameraResult]) -> list[int]:
    """The stops that are to be offered once more, in order: those with an open result."""
    return sorted({one.position for one in results if one.result == "open"})


def check_submit(patrol: PatrolState, results: Sequence[CameraResult]) -> None:
    """Raises HubError(CONFLICT): `run_ended`, `still_open` with the list."""
    _must_be_open(patrol)
    if open_results := still_open(results):
        raise HubError(
            Kind.CONFLICT,
            f"{len(open_results)} cameras are neither confirmed nor excused; confirm them first",
            reason="still_open",
            cameras=_named(open_results),
        )


def _must_be_open(patrol: PatrolState) -> None:
    if patrol.state == "ended":
        raise HubError(Kind.CONFLICT, "the patrol has ended; its record cannot be changed any more", reason="run_ended")


def _chosen(patrol: PatrolState, results: Sequence[CameraResult], wish: Confirmation) -> list[CameraResult]:
    """The results that are meant."""
    if wish.position is None:
        if wish.result == "abnormal" or wish.camera_ids is not None:
            raise HubError(Kind.INVALID, "name the stop whose cameras you mean", reason="no_such_stop")
        if patrol.confirm != "end" or patrol.state != "closing":
            raise HubError(
                Kind.CONFLICT,
                "all of a patrol is confirmed at once only at its end, where the tour is set so; confirm stop by stop",
                reason="not_closing",
            )
        return [one for one in results if not one.key]
    of_stop = [one for one in results if one.position == wish.position]
    if not of_stop:
        raise HubError(Kind.NOT_FOUND, "there is no such stop in this patrol", reason="no_such_stop")
    if wish.camera_ids is None:
        return of_stop
    by_id = {one.camera_id: one for one in of_stop}
    if unknown := [camera for camera in wish.camera_ids if camera not in by_id]:
        raise HubError(
            Kind.NOT_FOUND, "there is no such camera at this stop", reason="no_such_camera", cameras=unknown[:16]
        )
    return [by_id[camera] for camera in dict.fromkeys(wish.camera_ids)]


def _normal(patrol: PatrolState, chosen: Sequence[CameraResult], wish: Confirmation) -> list[CameraResult]:
    named: Set[int] = frozenset(wish.camera_ids or ())
    # Who confirms a whole stop means what is open there; who names a camera means this one.
    changing = [one for one in chosen if one.result == "open" or (named and one.result != "normal")]
    if others := [one for one in changing if one.result == "abnormal" and (not wish.change or one.findings)]:
        raise _already(others)
    singly = patrol.confirm == "camera" or any(one.key for one in changing)
    if singly and len(changing) > 1:
        raise HubError(
            Kind.CONFLICT,
            "the cameras of a key stop, and all where the tour is set so, are confirmed one at a time",
            reason="one_at_a_time",
            cameras=_named(changing),
        )
    if missing := [one for one in changing if not one.seen(patrol.least_s)]:
        raise _not_seen(missing, [one for one in changing if one.seen(patrol.least_s)], patrol)
    return changing


def _abnormal(patrol: PatrolState, chosen: Sequence[CameraResult], wish: Confirmation) -> list[CameraResult]:
    if len(chosen) != 1 or wish.camera_ids is None:
        raise HubError(
            Kind.CONFLICT,
            "say of each camera by itself what is abnormal",
            reason="one_at_a_time",
            cameras=_named(chosen),
        )
    (one,) = chosen
    if not wish.words and not one.findings and one.fault is None:
        raise HubError(Kind.INVALID, "say in a few words what is abnormal", reason="words_needed", field="words")
    if one.result == "abnormal" and one.words == wish.words:
        return []
    if one.result == "abnormal" and not wish.change:
        raise _already([one])
    if not one.reportable(patrol.least_s):
        raise _not_seen([one], (), patrol)
    return [one]


def _already(results: Sequence[CameraResult]) -> HubError:
    return HubError(
        Kind.CONFLICT,
        "these cameras are confirmed otherwise already, or have findings; look at the present state and decide again",
        reason="already_confirmed",
        cameras=_named(results),
    )


def _not_seen(missing: Sequence[CameraResult], rest: Sequence[CameraResult], patrol: PatrolState) -> HubError:
    return HubError(
        Kind.CONFLICT,
        f"{len(missing)} cameras were not visible for {patrol.least_s:g} s yet; look at them first",
        reason="not_seen",
        cameras=_named(missing),
        seen=[one.camera_id for one in rest],
        least_s=patrol.least_s,
    )


_NAMED = 200
"""Results that an error names at most."""


def _named(results: Sequence[CameraResult]) -> list[dict[str, object]]:
    return [
        {
            "position": one.position,
            "id": one.camera_id,
            "result": one.result,
            "by": one.by,
            "seen_s": round(one.seen_s, 1),
            "why": one.why,
        }
        for one in results[:_NAMED]
    ]
