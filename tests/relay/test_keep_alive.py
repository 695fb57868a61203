"""RTSP keep-alive: how often it is sent, and by which method."""

import pytest

from camera_hub.relay.rtsp.keep_alive import MAX_INTERVAL, METHODS, REPORT_INTERVAL, CutHistory, KeepAlive, Lesson
from camera_hub.relay.rtsp.message import Response


def response(status: int = 200, **headers: str) -> Response:
    return Response(status, "", {name: (value,) for name, value in headers.items()})


@pytest.mark.parametrize("timeout", [None, 0, 1, 3, 10, 60, 600, 99_999])
def test_a_keep_alive_is_sent_well_within_the_sessions_timeout(timeout: int | None) -> None:
    keep_alive = KeepAlive()
    keep_alive.set_timeout(timeout)
    step = keep_alive.report_interval
    sent = next(beat * step for beat in range(1, 100) if keep_alive.due(beat * step))
    assert 1.0 <= step <= REPORT_INTERVAL
    assert sent <= MAX_INTERVAL
    assert sent <= max(1.0, (timeout or 60) / 2)
    assert not keep_alive.due(0.0)


def test_get_parameter_is_used_where_the_camera_knows_it_and_until_it_refuses_it() -> None:
    keep_alive = KeepAlive()
    assert keep_alive.method == "OPTIONS"
    keep_alive.on_answer(response(public="OPTIONS, DESCRIBE"))
    assert keep_alive.method == "OPTIONS"
    keep_alive.on_answer(response(public="OPTIONS, GET_PARAMETER"))
    assert keep_alive.method == "GET_PARAMETER"
    keep_alive.on_answer(response(454))
    assert keep_alive.method == "GET_PARAMETER"
    keep_alive.on_answer(response(501))
    assert keep_alive.method == "OPTIONS"


def test_what_the_camera_lists_is_learnt_before_its_time_is_over_unless_it_is_known() -> None:
    assert KeepAlive().first_at_once
    assert KeepAlive("nonsense").method == "OPTIONS"
    keep_alive = KeepAlive()
    keep_alive.on_public("OPTIONS, get_parameter")
    assert (keep_alive.method, keep_alive.first_at_once) == ("GET_PARAMETER", False)
    for method in METHODS:
        keep_alive = KeepAlive(method)
        keep_alive.on_public("OPTIONS, GET_PARAMETER")
        assert (keep_alive.method, keep_alive.first_at_once) == (method, False)


@pytest.mark.parametrize(
    ("played", "disliked", "teaches"),
    [
        (60.0, False, True),
        (45.0, False, True),
        (95.0, False, True),
        (44.0, False, False),
        (96.0, False, False),
        (1.0, False, False),
        (1.0, True, True),
        (3600.0, False, False),
    ],
)
def test_a_cut_at_about_the_timeout_or_at_a_keep_alive_teaches(played: float, disliked: bool, teaches: bool) -> None:
    lesson = CutHistory().lesson("OPTIONS", played=played, timeout=60.0, disliked=disliked)
    assert lesson == (Lesson("GET_PARAMETER", True) if teaches else None)


def test_cuts_at_the_same_age_teach_though_the_camera_named_another_timeout() -> None:
    cuts = CutHistory()
    assert cuts.lesson("OPTIONS", played=120.0, timeout=60.0, disliked=False) is None
    assert cuts.lesson("OPTIONS", played=131.0, timeout=60.0, disliked=False) == Lesson("GET_PARAMETER", True)
    cuts = CutHistory()
    assert cuts.lesson("OPTIONS", played=5.0, timeout=60.0, disliked=False) is None
    assert cuts.lesson("OPTIONS", played=5.0, timeout=60.0, disliked=False) is None  # too soon for any timeout


def test_each_method_is_tried_and_when_none_helps_it_is_a_failure_and_they_are_tried_again() -> None:
    cuts, method = CutHistory(), "OPTIONS"
    told: list[tuple[str, bool]] = []
    for _ in range(6):
        lesson = cuts.lesson(method, played=60.0, timeout=60.0, disliked=False)
        assert lesson is not None
        told.append((lesson.method, lesson.new))
        method = lesson.method
    assert told == [
        ("GET_PARAMETER", True),
        ("RTCP", True),
        ("GET_PARAMETER", False),
        ("OPTIONS", True),
        ("RTCP", True),
        ("GET_PARAMETER", False),
    ]


def test_a_method_that_the_camera_refuses_is_not_taken_for_a_new_one_at_each_cut() -> None:
    """The sessions fall back to OPTIONS, whatever they begin with: they would be opened without a pause for ever."""
    cuts = CutHistory()
    lessons = [cuts.lesson("OPTIONS", played=60.0, timeout=60.0, disliked=False) for _ in range(3)]
    assert lessons == [Lesson("GET_PARAMETER", True), Lesson("RTCP", True), Lesson("GET_PARAMETER", False)]


def test_what_has_worked_is_not_given_up_for_one_cut() -> None:
    cuts = CutHistory()
    cuts.lasts("GET_PARAMETER")
    assert cuts.lesson("GET_PARAMETER", played=60.0, timeout=60.0, disliked=False) is None
    assert cuts.lesson("GET_PARAMETER", played=60.0, timeout=60.0, disliked=False) == Lesson("OPTIONS", True)
