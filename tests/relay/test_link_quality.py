"""What a browser's reports make of its link: levels with hysteresis. Pure, second by second."""

import random
from collections.abc import Callable, Iterable
from itertools import pairwise

import pytest

from camera_hub.relay.messages import LinkLevel
from camera_hub.relay.peer.link_quality import (
    BAD_SECONDS,
    LOSS,
    RATE_FLOOR,
    REST,
    REST_CAP,
    SETTLE,
    LinkQuality,
    LinkSecond,
    Reports,
)

FULL, LIGHT, KEYS = LinkLevel.FULL, LinkLevel.LIGHT, LinkLevel.KEYS
GOOD = LinkSecond(reports=1, expected=100, bytes=60_000)
LOSSY = LinkSecond(reports=1, expected=100, lost=40, bytes=60_000)
MUTE = LinkSecond()


class Watch:
    """Feeds a link one second after the other and remembers its levels."""

    def __init__(self) -> None:
        self.link = LinkQuality()
        self.now = 1000.0
        self.levels: list[LinkLevel] = []

    def take(self, seconds: Iterable[LinkSecond]) -> list[LinkLevel]:
        levels = []
        for second in seconds:
            self.now += 1
            levels.append(self.link.judge(self.now, second))
        self.levels += levels
        return levels

    def seconds_until(self, level: LinkLevel, second: LinkSecond, most: int = 2000) -> int:
        for count in range(1, most):
            if self.take([second]) == [level]:
                return count
        raise AssertionError(f"never {level}")


@pytest.mark.parametrize(
    ("second", "bad"),
    [
        (MUTE, None),
        (GOOD, False),
        (LinkSecond(reports=1), False),
        (LinkSecond(reports=1, expected=100, lost=10), False),  # at the limit, but it may be chance
        (LinkSecond(reports=1, expected=100, lost=25), True),
        (LinkSecond(reports=16, expected=1600, lost=200), True),  # many packets: 12.5 % is no chance any more
        (LinkSecond(reports=1, expected=4, lost=2), False),
        (LinkSecond(reports=1, expected=100, lost=-20), False),  # resends of losses told before have come
        (LinkSecond(reports=1, expected=100, round_trip=0.7), False),
        (LinkSecond(reports=1, expected=100, round_trip=2.0), True),
        (LinkSecond(overflows=1), True),
    ],
)
def test_what_makes_a_second_bad(second: LinkSecond, bad: bool | None) -> None:
    assert second.bad(LOSS) is bad


def test_reports_become_differences_and_odd_ones_say_nothing() -> None:
    reports, second = Reports(), LinkSecond()
    reports.add(1000, 5, None, second)
    assert (second.expected, second.lost) == (0, 0), "the first one is where counting begins"
    reports.add(1100, 15, 0.1, second)
    reports.add(1150, 12, 0.05, second)
    assert (second.reports, second.expected, second.lost, second.round_trip) == (3, 150, 7, 0.1)
    reports.add(1 << 31, 0, None, second)
    reports.add(4, 0, None, second)
    assert second.expected == 150


def test_sustained_loss_steps_down_twice_each_with_time_to_take_effect() -> None:
    watch = Watch()
    assert watch.take([LOSSY] * (BAD_SECONDS - 1)) == [FULL] * (BAD_SECONDS - 1)
    assert watch.take([LOSSY]) == [LIGHT]
    assert watch.seconds_until(KEYS, LOSSY) >= SETTLE + BAD_SECONDS - 1
    assert watch.take([LOSSY] * 100) == [KEYS] * 100


def test_heavy_loss_of_few_packets_is_told_from_chance_over_some_seconds() -> None:
    watch, few = Watch(), LinkSecond(reports=1, expected=30, lost=13, round_trip=0.4, bytes=25_000)
    assert watch.seconds_until(KEYS, few) <= 3 * BAD_SECONDS + SETTLE
    watch = Watch()
    watch.seconds_until(LIGHT, LOSSY)
    for _ in range(10):
        outage = LinkSecond(reports=1, expected=30, lost=30)
        assert set(watch.take([GOOD] * 3 + [outage] + [GOOD] * 3)) == {LIGHT}, "a short outage is none"


def test_moderate_loss_ends_at_the_sub_stream() -> None:
    moderate = LinkSecond(reports=16, expected=1000, lost=150, round_trip=0.1)
    watch = Watch()
    assert watch.seconds_until(LIGHT, moderate) == BAD_SECONDS
    assert set(watch.take([moderate] * 600)) == {LIGHT}, "resends repair it; and the main stream is not tried"


def test_silent_seconds_neither_prove_nor_disprove() -> None:
    watch = Watch()
    assert watch.take([LOSSY, MUTE, LOSSY, MUTE, LOSSY])[-1] is LIGHT


@pytest.mark.parametrize("outage", [1, 2])
def test_a_short_outage_changes_nothing(outage: int) -> None:
    watch = Watch()
    for _ in range(20):
        assert set(watch.take([GOOD] * 5 + [LOSSY] * outage + [GOOD])) == {FULL}


@pytest.mark.parametrize("packets", [30, 60, 900])
@pytest.mark.parametrize("loss", [0.01, 0.05])
def test_random_loss_that_resends_repair_changes_nothing_in_an_hour(packets: int, loss: float) -> None:
    draw = random.Random(7)

    def one() -> LinkSecond:
        lost = sum(draw.random() < loss for _ in range(packets))
        return LinkSecond(reports=1, expected=packets, lost=lost, round_trip=0.15)

    assert set(Watch().take(one() for _ in range(3600))) == {FULL}


def test_a_link_that_is_good_again_is_tried_after_a_rest_one_level_at_a_time() -> None:
    watch = Watch()
    watch.seconds_until(KEYS, LOSSY)
    assert watch.seconds_until(LIGHT, GOOD) >= REST
    assert watch.seconds_until(FULL, GOOD) >= REST
    assert watch.link.rate is None


def test_one_bad_second_begins_the_rest_anew() -> None:
    watch = Watch()
    watch.seconds_until(LIGHT, LOSSY)
    watch.take([GOOD] * 25 + [LOSSY])
    assert watch.seconds_until(FULL, GOOD) > REST


def test_a_link_that_does_not_bear_the_return_is_tried_ever_later() -> None:
    watch, rests = Watch(), []
    for _ in range(8):
        watch.seconds_until(LIGHT, LOSSY)
        rests.append(watch.seconds_until(FULL, GOOD))
    assert all(after >= 2 * before - 10 for before, after in pairwise(rests[:5]))
    assert rests[-1] <= REST_CAP + 10
    watch.take([GOOD] * 120)
    watch.seconds_until(LIGHT, LOSSY)
    assert watch.seconds_until(FULL, GOOD) < 2 * REST, "a good while forgives"


@pytest.mark.parametrize(
    ("second", "holds"),
    [
        (LOSSY, lambda before, after: after < before),
        (LinkSecond(reports=1, expected=100, lost=5), lambda before, after: after == before),
        (GOOD, lambda before, after: after > before),
        (MUTE, lambda before, after: after == before),
    ],
)
def test_key_frames_are_sent_at_a_rate_that_follows_the_loss(
    second: LinkSecond, holds: Callable[[float, float], bool]
) -> None:
    watch = Watch()
    watch.seconds_until(KEYS, LOSSY)
    before = watch.link.rate
    assert before is not None
    assert before == pytest.approx(60_000 * 8 * 0.6)
    watch.take([second])
    assert watch.link.rate is not None
    assert holds(before, watch.link.rate)
    watch.take([LOSSY] * 100)
    assert watch.link.rate == RATE_FLOOR
