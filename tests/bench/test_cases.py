"""`bench cases`: which cases there are, and when one is met."""

import pytest

from camera_hub.bench.case_plan import CASES, Case, Count, chosen, met
from camera_hub.errors import HubError
from camera_hub.simulator.faults import Fault
from camera_hub.simulator.model import KeyFrames


def test_every_case_is_made_of_faults_that_the_simulator_knows() -> None:
    assert {Fault(name) for case in CASES for name, _ in case.faults}
    assert {KeyFrames(case.key_frames) for case in CASES if case.key_frames is not None} == {KeyFrames.WAIT}
    assert len({case.name for case in CASES}) == len(CASES)


def test_cases_are_chosen_by_the_beginning_of_their_names() -> None:
    assert chosen(()) == CASES
    assert [case.name for case in chosen(["well", "15"])] == ["well", "15 ssrc", "15 sequence"]
    with pytest.raises(HubError, match="13 each tenth"):
        chosen(["99"])


def test_counters_of_a_window_are_differences_whatever_was_there_before() -> None:
    assert Count(30, 29, 1, (28, 27)).since(Count(10, 9, 1, (8,))) == Count(20, 20, 0, (20, 27))


@pytest.mark.parametrize(
    ("case", "got", "reason", "wanted"),
    [
        (Case("one", ()), Count(100, 100, 0, (100, 97)), None, True),
        (Case("one", ()), Count(100, 100, 0, (100, 96)), None, False),
        (Case("one", ()), Count(0, 0, 0, (0, 0)), None, False),
        (Case("one", ()), Count(100, 100, 1, (100, 99)), None, True),
        (Case("one", ()), Count(100, 100, 2, (100, 99)), None, False),
        (Case("one", ()), Count(100, 100, 0, (100, 99), 1), None, False),
        (Case("one", (), plays=False), Count(0, 0, 0, (0, 0)), "unsupported", True),
        (Case("one", (), plays=False), Count(0, 0, 0, (0, 0)), None, False),
    ],
)
def test_a_case_is_met_by_pictures_or_by_a_reason(case: Case, got: Count, reason: str | None, *, wanted: bool) -> None:
    assert met(case, got, 0.97, reason) is wanted
