"""An aspect that comes and goes: when it flaps, and that it stays one fault meanwhile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.health.judging.flapping import HIGH, LOOKS, LOW, is_flapping, share_of_changes
from camera_hub.health.judging.track import AspectTrack
from camera_hub.health.judging.verdict import Sample, Verdict


def looks(text: str) -> list[bool]:
    """ "..x" = good, good, bad."""
    return [one == "." for one in text]


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("", 0.0),
        (".", 0.0),
        ("." * 30, 0.0),
        ("x" * 30, 0.0),
        (".x", 0.06),  # the newest change alone: 1.2 / 20
        (".x" + "x" * 19, 0.04),  # … and the oldest: 0.8 / 20
        (".x" + "x" * 20, 0.0),  # … and gone
        ((".x" * 11)[:21], 1.0),
    ],
)
def test_newer_changes_count_for_more(text: str, share: float) -> None:
    assert share_of_changes(looks(text)) == pytest.approx(share, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "before", "flaps"),
    [
        ("....xx...", False, False),  # one outage
        ("....xx...xx...", False, True),  # two within fourteen looks
        ("..xx..............xx..", False, False),  # two, far from each other
        ("xx...xx..." + "." * 12, True, True),  # steady, not yet for long enough
        ("xx...xx..." + "." * 21, True, False),
        ("", True, True),  # the hub has just been started
        ("." * 20, True, True),
        ("." * 21, True, False),
    ],
)
def test_it_begins_at_a_fifth_and_ends_below_a_twentieth(text: str, before: bool, flaps: bool) -> None:
    assert is_flapping(looks(text), before) is flaps


@given(st.lists(st.booleans(), max_size=60), st.booleans())
def test_between_the_two_thresholds_nothing_changes(good: list[bool], before: bool) -> None:
    share = share_of_changes(good)
    assert 0.0 <= share <= 1.2
    if LOW <= share < HIGH or (share < LOW and len(good) < LOOKS):
        assert is_flapping(good, before) is before


def run(text: str, track: AspectTrack | None = None) -> list[Verdict]:
    track = track or AspectTrack()
    return [
        track.add(Sample(10.0 * n, None if one == "." else "timed_out"), bad=2, bad_of=3) for n, one in enumerate(text)
    ]


def test_while_it_flaps_it_is_one_fault_that_says_so_and_ends_after_a_steady_window() -> None:
    verdicts = run("....xx...xx...xx...xx..." + "." * 20)
    states = [verdict.state for verdict in verdicts]
    turns = [n for n in range(1, len(states)) if states[n] != states[n - 1]]
    assert len(turns) == 4, f"a fault, well, and from then on a fault until it is steady: {states}"
    assert {verdict.flapping for verdict in verdicts[turns[2] + 1 : turns[3]]} == {True}
    assert (verdicts[-1].state, verdicts[-1].flapping) == ("ok", False)
    assert {v.cause for v in verdicts if v.flapping} == {"timed_out"}


def test_single_bad_looks_however_many_are_no_fault_and_do_not_flap() -> None:
    assert {(v.state, v.flapping) for v in run("." + "x..." * 20)} == {("ok", False)}


def test_one_that_flaps_is_followed_closely_only_until_it_is_steady() -> None:
    track = AspectTrack()
    run("....xx...xx...xx", track)
    asked = []
    for n, one in enumerate("..x...."):
        track.add(Sample(500.0 + 10 * n, None if one == "." else "timed_out"), bad=2, bad_of=3)
        asked.append(track.contradicts(3))
    assert asked == [True, True, False, True, True, False, False]


def test_one_that_flapped_before_a_restart_still_does() -> None:
    track = AspectTrack(Verdict("fault", "timed_out", flapping=True))
    verdicts = run("." * 21, track)
    assert {(v.state, v.flapping) for v in verdicts[:20]} == {("fault", True)}
    assert (verdicts[20].state, verdicts[20].flapping) == ("ok", False)
