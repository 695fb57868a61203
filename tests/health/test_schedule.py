"""Which beats and looks start: within the bounds, villages in turn, and whatever is slow delays nobody else."""

from collections import Counter
from collections.abc import Callable

import pytest

from camera_hub.health.rounds.camera_watch import CameraWatch, Intervals, phase
from camera_hub.health.rounds.schedule import RoundBounds, most_are_silent, to_start

BOUNDS = RoundBounds(beats=128, beats_per_village=8, looks=24, per_village=4, per_device=2)
PLAN = Intervals(60.0, 300.0)


def watches(
    count: int, *, village: Callable[[int], int], device: Callable[[int], int] | None = None
) -> list[CameraWatch]:
    return [
        CameraWatch(n, device(n) if device else n, village(n), phase(n) * PLAN.round, phase(n) * PLAN.picture, PLAN)
        for n in range(count)
    ]


def test_villages_take_turns_and_none_has_more_than_its_places() -> None:
    due = watches(400, village=lambda n: n % 10 if n < 40 else 99)  # one village has ten times what all others have
    chosen = to_start(due, 400.0, BOUNDS)
    villages = Counter(watch.village_id for watch in chosen.looks)
    assert len(chosen.looks) == BOUNDS.looks
    assert set(villages) == {*range(10), 99}
    assert max(villages.values()) <= BOUNDS.per_village
    asked = {watch.camera_id for watch in chosen.beats}
    assert not asked & {watch.camera_id for watch in chosen.looks}
    assert max(Counter(watch.village_id for watch in chosen.beats).values()) <= BOUNDS.beats_per_village


def test_a_recorder_has_its_own_bound_and_does_not_hold_up_its_village() -> None:
    due = watches(40, village=lambda _: 1, device=lambda n: 1000 if n < 32 else n)
    chosen = to_start(due, 400.0, BOUNDS)
    devices = Counter(watch.device_id for watch in chosen.looks)
    assert len(chosen.looks) == BOUNDS.per_village
    assert devices[1000] <= BOUNDS.per_device


def test_what_is_under_way_counts() -> None:
    due = watches(100, village=lambda n: n % 20)
    for watch in due[:20]:
        watch.looking = "look"
    chosen = to_start(due, 400.0, BOUNDS)
    assert len(chosen.looks) == BOUNDS.looks - 20
    assert not set(due[:20]) & {*chosen.looks, *chosen.beats}


def test_of_a_silent_device_no_stream_is_opened_and_of_one_that_never_answered_only_a_look_tells() -> None:
    mute, unknown, well = watches(3, village=lambda _: 1)
    mute.mute = True
    chosen = to_start([mute, unknown, well], 400.0, BOUNDS, lambda device: device != unknown.device_id)
    assert set(chosen.looks) == {unknown, well}
    assert chosen.beats == (mute,)


@pytest.mark.parametrize("dead", ["silent", "dumb"])
def test_of_a_thousand_cameras_forty_in_a_hundred_black_holed_delay_no_other(dead: str) -> None:
    """A quarter of an hour of rounds, all due at once at first. Silent: each beat takes its two seconds; dumb:
    connections are accepted, and each look takes its fifteen. All others are asked and looked at within a few seconds
    of their time from the moment when they were first seen well: the backlog of what is not known holds up only
    itself."""
    cameras = watches(1000, village=lambda n: n % 25)
    bad = {
        watch.camera_id
        for watch in cameras
        if watch.village_id < 5 or (watch.village_id < 20 and watch.camera_id % 3 == 0)
    }
    assert 380 <= len(bad) <= 440
    ends: dict[int, float] = {}
    looks, beats, first = Counter[int](), Counter[int](), set[int]()
    worst = {"known": 0.0, "settled": 0.0}
    for step in range(1000):
        now = 300.0 + step
        for watch in cameras:
            if watch.looking is not None and ends[watch.camera_id] <= now:
                _finish(watch, now, failed=watch.camera_id in bad, silent=dead == "silent")
        chosen = to_start(cameras, now, BOUNDS)
        for kind, some in (("beat", chosen.beats), ("look", chosen.looks)):
            for watch in some:
                late = now - (watch.picture_due if kind == "look" else watch.due)
                if watch.camera_id in first and kind == "look":
                    worst["known"] = max(worst["known"], late)
                if watch.camera_id not in bad and kind == "look":
                    first.add(watch.camera_id)
                if watch.camera_id not in bad and step > 650:  # since all were due at once
                    worst["settled"] = max(worst["settled"], late)
                    (looks if kind == "look" else beats)[watch.camera_id] += 1
                watch.looking = "look" if kind == "look" else "beat"
                ends[watch.camera_id] = now + _takes(kind, watch.camera_id in bad, dead)
    well = [watch.camera_id for watch in cameras if watch.camera_id not in bad]
    assert all(1 <= looks[camera] <= 2 for camera in well)
    assert all(beats[camera] + looks[camera] >= 5 for camera in well)
    assert worst["known"] < 30.0
    assert worst["settled"] < 15.0


def _takes(kind: str, bad: bool, dead: str) -> float:
    if not bad:
        return 2.0 if kind == "look" else 0.1
    if dead == "silent":
        return 2.0
    return 15.0 if kind == "look" else 0.1


def _finish(watch: CameraWatch, now: float, *, failed: bool, silent: bool) -> None:
    kind, watch.looking = watch.looking, None
    watch.mute = failed and silent
    watch.due += PLAN.round * max(1, -(-(now - watch.due) // PLAN.round))
    if kind != "look":
        return
    watch.verified = not failed
    if failed and not silent:
        watch.failures += 1
        watch.picture_due = now + PLAN.pause(watch.camera_id, watch.failures, 10.0)
    else:
        watch.picture_due += PLAN.picture * max(1, -(-(now - watch.picture_due) // PLAN.picture))


@pytest.mark.parametrize(("silent", "most"), [((), False), ((0, 1), False), ((0, 1, 2), True), ((0, 1, 2, 3), True)])
def test_most_are_silent_while_more_than_half_of_the_villages_do_not_answer_at_all(
    silent: tuple[int, ...], most: bool
) -> None:
    some = watches(40, village=lambda n: n % 4)
    for watch in some:
        watch.silent_since = 1.0 if watch.village_id in silent or watch.camera_id >= 20 else None
    assert most_are_silent(some) is most
