"""What a confirmation of a stop, or of some of its cameras, needs and changes, and what keeps a patrol from being
submitted. Pure. What becomes of each result is decided by `transitions`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from camera_hub.errors import HubError, Kind
from camera_hub.patrol.proof.transitions import Act, CameraResult, Refusal, Verdict, after


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What somebody confirms: a stop (`position` None: all of the patrol) or some of its cameras (None: all).

    `change`: the user knows that the results were confirmed before, and means to change them; `words` then say why.
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
    if wish.result == "abnormal" and (len(chosen) != 1 or wish.camera_ids is None):
        raise _one_at_a_time(chosen, "say of each camera by itself what is abnormal")
    if wish.camera_ids is None:  # who confirms a whole stop means what is open there; who names a camera means this one
        chosen = [one for one in chosen if one.result == "open"]
    act = Act(wish.result, wish.words, change=wish.change)
    outcomes = [(one, after(one, act, patrol.least_s)) for one in chosen]
    changing = [(one, outcome) for one, outcome in outcomes if outcome != one]
    _raise_first(patrol, changing, ("words_needed", "already_confirmed"))
    if len(changing) > 1 and (patrol.confirm == "camera" or any(one.key for one, _ in changing)):
        words = "the cameras of a key stop, and all where the tour is set so, are confirmed one at a time"
        raise _one_at_a_time([one for one, _ in changing], words)
    _raise_first(patrol, changing, ("not_seen",))
    return [outcome for _, outcome in changing if isinstance(outcome, CameraResult)]


def found(patrol: PatrolState, result: CameraResult, words: str, *, change: bool = False) -> CameraResult:
    """The result after a finding at its camera: abnormal. `change`: the user knows that it is confirmed as normal.

    Raises HubError: CONFLICT (`run_ended`, `already_confirmed`, `not_seen`), INVALID (`words_needed`).
    """
    _must_be_open(patrol)
    outcome = after(result, Act("find", words, change=change), patrol.least_s)
    if isinstance(outcome, CameraResult):
        return outcome
    raise _refused(outcome, [result], (), patrol)


def finding_changed(patrol: PatrolState, result: CameraResult, act: Act) -> CameraResult:
    """The result after one of its findings was reworded or deleted (`act`)."""
    outcome = after(result, act, patrol.least_s)
    return outcome if isinstance(outcome, CameraResult) else result


def excused(result: CameraResult, least_s: float) -> bool:
    """Whether a camera that could not be shown when its stop was left is excused: nobody has confirmed it, and there
    was nothing to confirm."""
    return after(result, Act("excuse"), least_s) != result


def looked_at(result: CameraResult, least_s: float) -> CameraResult:
    """The result after the camera was visible: an excused one that is back and was seen is open again."""
    outcome = after(result, Act("look"), least_s)
    return outcome if isinstance(outcome, CameraResult) else result


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


def _raise_first(
    patrol: PatrolState,
    changing: Sequence[tuple[CameraResult, CameraResult | Refusal]],
    refusals: tuple[Refusal, ...],
) -> None:
    """Raise the first of these refusals that there is, with all results that it concerns."""
    for refusal in refusals:
        if concerned := [one for one, outcome in changing if outcome == refusal]:
            raise _refused(refusal, concerned, [one for one, outcome in changing if outcome != refusal], patrol)


def _refused(
    refusal: Refusal, concerned: Sequence[CameraResult], rest: Sequence[CameraResult], patrol: PatrolState
) -> HubError:
    """`rest`: what could be confirmed without those that are concerned."""
    match refusal:
        case "words_needed":
            words = "say in a few words what is abnormal, or why a confirmed result is changed"
            return HubError(Kind.INVALID, words, reason=refusal, field="words")
        case "already_confirmed":
            return HubError(
                Kind.CONFLICT,
                "these cameras are confirmed otherwise already, or have findings; look at the present state and decide"
                " again",
                reason=refusal,
                cameras=_named(concerned),
            )
        case "not_seen":
            return HubError(
                Kind.CONFLICT,
                f"{len(concerned)} cameras were not visible for {patrol.least_s:g} s yet; look at them first",
                reason=refusal,
                cameras=_named(concerned),
                seen=[one.camera_id for one in rest],
                least_s=patrol.least_s,
            )


def _one_at_a_time(results: Sequence[CameraResult], words: str) -> HubError:
    return HubError(Kind.CONFLICT, words, reason="one_at_a_time", cameras=_named(results))


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
