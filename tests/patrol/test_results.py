"""What a result may become, and what a confirmation needs: all of it as tables."""

from dataclasses import replace

import pytest

from camera_hub.errors import HubError
from camera_hub.patrol.proof.results import (
    Confirmation,
    PatrolState,
    check_submit,
    confirmed,
    excused,
    found,
    looked_at,
    remaining,
)
from camera_hub.patrol.proof.transitions import CameraResult, Verdict

SCREEN = PatrolState("running", "screen", 3.0)
SINGLY = replace(SCREEN, confirm="camera")
END = replace(SCREEN, confirm="end")

SEEN = CameraResult(0, 1, seen_s=5.0, visits=1)
OTHER = CameraResult(0, 2, seen_s=3.0, visits=1)
SHORT = CameraResult(0, 3, seen_s=2.9, why="passed_over", visits=1)
HIDDEN = CameraResult(0, 4, why="page_hidden", visits=1)
BLACK = CameraResult(0, 5, why="black", visits=1)
NORMAL = replace(SEEN, camera_id=6, result="normal")
BAD = replace(SEEN, camera_id=7, result="abnormal", words="护栏断了")
FOUND = replace(BAD, camera_id=8, words="", findings=1)
DEAD = CameraResult(0, 9, result="excused")
KEY = CameraResult(1, 10, key=True, seen_s=4.0)
KEY2 = CameraResult(1, 11, key=True, seen_s=4.0)
LATER = CameraResult(2, 12, seen_s=4.0)


def stop(
    *cameras: int, result: Verdict = "normal", words: str = "", change: bool = False, at: int | None = 0
) -> Confirmation:
    return Confirmation(at, cameras or None, result, words, change)


@pytest.mark.parametrize(
    ("patrol", "results", "wish", "changed"),
    [
        (SCREEN, [SEEN, OTHER], stop(), [1, 2]),
        (SCREEN, [SEEN, OTHER, LATER], stop(2), [2]),
        (SCREEN, [SEEN, NORMAL, BAD, DEAD], stop(), [1]),  # what is decided stays
        (SCREEN, [NORMAL, DEAD], stop(), []),  # sent twice
        (SCREEN, [SEEN, SHORT], stop(1), [1]),  # the rest of a screen of which one camera gave no picture
        (SCREEN, [KEY, KEY2], stop(10, at=1), [10]),
        (SINGLY, [SEEN, OTHER], stop(1), [1]),
        (SINGLY, [SEEN, NORMAL], stop(), [1]),  # one is left: that is one
        (END, [SEEN, OTHER], stop(), [1, 2]),  # earlier is welcome
        (replace(END, state="closing"), [SEEN, LATER, KEY], stop(at=None), [1, 12]),
        (replace(SCREEN, state="paused"), [SEEN], stop(), [1]),
        (SCREEN, [BAD], stop(7, words="水已退", change=True), [7]),  # changed
        (SCREEN, [SEEN], stop(1, result="abnormal", words="积水"), [1]),
        (SCREEN, [NORMAL], stop(6, result="abnormal", words="积水", change=True), [6]),
        (SCREEN, [BLACK], stop(5, result="abnormal", words="黑屏"), [5]),  # nobody can see it, anybody can report it
        (SCREEN, [DEAD], stop(9, result="abnormal", words="断电"), [9]),
        (SCREEN, [FOUND], stop(8, result="abnormal", words="更多", change=True), [8]),
        (SCREEN, [BAD], stop(7, result="abnormal", words="护栏断了"), []),  # sent twice
    ],
)
def test_a_confirmation_changes_what_it_means(
    patrol: PatrolState, results: list[CameraResult], wish: Confirmation, changed: list[int]
) -> None:
    after = confirmed(patrol, results, wish)
    assert [one.camera_id for one in after] == changed
    assert all((one.result, one.words) == (wish.result, wish.words) for one in after)


@pytest.mark.parametrize(
    ("patrol", "results", "wish", "reason", "named"),
    [
        (replace(SCREEN, state="ended"), [SEEN], stop(), "run_ended", None),
        (SCREEN, [SEEN, SHORT, HIDDEN], stop(), "not_seen", [3, 4]),
        (SCREEN, [BLACK], stop(5), "not_seen", [5]),
        (SCREEN, [DEAD], stop(9), "not_seen", [9]),
        (SCREEN, [SHORT], stop(3, result="abnormal", words="x"), "not_seen", [3]),
        (SCREEN, [HIDDEN], stop(4, result="abnormal", words="x"), "not_seen", [4]),
        (SCREEN, [KEY, KEY2], stop(at=1), "one_at_a_time", [10, 11]),
        (SCREEN, [KEY, KEY2], stop(10, 11, at=1), "one_at_a_time", [10, 11]),
        (SINGLY, [SEEN, OTHER], stop(), "one_at_a_time", [1, 2]),
        (SCREEN, [SEEN], stop(result="abnormal", words="x"), "one_at_a_time", [1]),
        (SCREEN, [SEEN], stop(1, result="abnormal"), "words_needed", None),
        (SCREEN, [BAD], stop(7), "already_confirmed", [7]),
        (SCREEN, [BAD], stop(7, change=True), "words_needed", None),
        (SCREEN, [NORMAL], stop(6, result="abnormal", words="积水"), "already_confirmed", [6]),
        (SCREEN, [NORMAL], stop(6, result="abnormal", change=True), "words_needed", None),
        (SCREEN, [BAD], stop(7, result="abnormal", words="另一句"), "already_confirmed", [7]),
        (SCREEN, [FOUND], stop(8, change=True), "already_confirmed", [8]),  # a finding is not unsaid
        (SCREEN, [SEEN], stop(at=7), "no_such_stop", None),
        (SCREEN, [SEEN], stop(99), "no_such_camera", None),
        (SCREEN, [SEEN], stop(at=None), "not_closing", None),
        (END, [SEEN], stop(at=None), "not_closing", None),
        (replace(SCREEN, state="closing"), [SEEN], stop(at=None), "not_closing", None),
        (replace(END, state="closing"), [SEEN, replace(LATER, seen_s=0.0)], stop(at=None), "not_seen", [12]),
        (replace(END, state="closing"), [SEEN], stop(at=None, result="abnormal", words="x"), "no_such_stop", None),
    ],
)
def test_what_cannot_be_confirmed_is_refused_and_named(
    patrol: PatrolState, results: list[CameraResult], wish: Confirmation, reason: str, named: list[int] | None
) -> None:
    with pytest.raises(HubError) as refused:
        confirmed(patrol, results, wish)
    assert refused.value.reason == reason
    if named is not None:
        assert [one["id"] for one in refused.value.params["cameras"]] == named


@pytest.mark.parametrize(
    ("before", "reason"),
    [(SEEN, None), (BLACK, None), (DEAD, None), (SHORT, "not_seen"), (NORMAL, "already_confirmed")],
)
def test_a_finding_makes_its_camera_abnormal(before: CameraResult, reason: str | None) -> None:
    if reason is None:
        after = found(SCREEN, before, "路面塌陷")
        assert (after.result, after.words, after.findings) == ("abnormal", "路面塌陷", 1)
        assert found(SCREEN, after, "又一处").words == "路面塌陷"
    else:
        with pytest.raises(HubError) as refused:
            found(SCREEN, before, "路面塌陷")
        assert refused.value.reason == reason
        assert found(SCREEN, NORMAL, "路面塌陷", change=True).result == "abnormal"


def test_the_dead_are_excused_until_they_are_back_and_seen() -> None:
    assert [excused(one, 3.0) for one in (SHORT, HIDDEN, BLACK, SEEN, NORMAL, BAD, DEAD)] == [True] * 3 + [False] * 4
    assert looked_at(DEAD, 3.0).result == "excused"
    assert looked_at(replace(DEAD, seen_s=3.0), 3.0).result == "open"
    assert looked_at(BAD, 3.0).result == "abnormal"


def test_what_is_open_is_offered_and_keeps_the_patrol_from_being_submitted() -> None:
    results = [NORMAL, BAD, DEAD, LATER, SHORT]
    assert remaining(results) == [0, 2]
    with pytest.raises(HubError) as refused:
        check_submit(replace(SCREEN, state="closing"), results)
    assert refused.value.reason == "still_open"
    assert [one["id"] for one in refused.value.params["cameras"]] == [12, 3]
    check_submit(SCREEN, [NORMAL, BAD, DEAD])
