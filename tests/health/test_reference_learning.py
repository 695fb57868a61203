"""How a reference picture is learnt, follows its place, and becomes a question: pure, in the time of the test."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from camera_hub.health.references.learning import (
    LINES,
    Evidence,
    LearningRules,
    ProfileReference,
    comparing,
    given,
    learnt,
)

START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
HOUR, DAY, LOOK = timedelta(hours=1), timedelta(days=1), timedelta(minutes=5)
RULES = LearningRules(spread=6 * HOUR, follow=3 * DAY, ask=DAY)
FINE = {"black": 98.0, "blurred": 92.0, "covered": 95.0}


class Place:
    """A camera whose eye compares by name: `street` is like `street`, and not at all like `lorry`."""

    def __init__(self, known: ProfileReference | None = None) -> None:
        self.known = known or ProfileReference()
        self.now = START
        self.trials = self.asked = 0

    def look(self, shows: str, scores: dict[str, float] | None = None, like: float | None = None) -> ProfileReference:
        """One look; `like`: how much it is like what it is compared with."""
        self.now += LOOK
        question = comparing(self.known, self.now, RULES)
        found = dict(FINE if scores is None else scores)
        if question.features_of is not None:
            same = question.features_of.partition(" ")[0] == shows
            found["moved"] = (96.0 if same else 5.0) if like is None else like
        self.trials += question.trial
        self.asked += question.features
        features = f"{shows} {self.now:%d %H:%M}" if question.features else None
        self.known = learnt(self.known, Evidence(self.now, found, features), question.trial, RULES)
        return self.known

    def looks(self, shows: Iterable[str], **more: object) -> ProfileReference:
        for one in shows:
            self.look(one, **more)  # type: ignore[arg-type]
        return self.known


def hours(count: float, shows: str = "street") -> list[str]:
    return [shows] * round(count * 12)


def every(step: int, what: str, count: float, shows: str = "street") -> Iterator[str]:
    """Each `step`-th look shows something else."""
    for number, one in enumerate(hours(count, shows)):
        yield what if number % step == 0 else one


def test_a_place_is_learnt_over_hours_and_not_before() -> None:
    place = Place()
    assert place.looks(hours(5.9)).state == "learning"
    known = place.looks(hours(0.5))
    assert known.state == "active"
    assert known.at is not None
    assert known.at - START >= 6 * HOUR
    assert known.pictures >= 6
    assert place.asked <= 6 * 3 + 2, "features are asked for only where they may be needed"
    assert known.features is not None
    assert len(known.features.splitlines()) == LINES


@pytest.mark.parametrize(
    "shows",
    [
        ["lorry", *hours(7)],
        [*hours(0.5, "rain"), *hours(9)],
        list(every(3, "lorry", 24)),
        list(every(4, "glare", 24)),
        ["street", *every(5, "glare", 24)],
        random.Random(4).choices(["street", "glare"], [4, 1], k=12 * 12),
    ],
    ids=[
        "began with a lorry",
        "began in rain",
        "every third picture a lorry",
        "every 20 minutes",
        "every 25 minutes",
        "glare",
    ],
)
def test_what_passes_by_elects_nothing(shows: list[str]) -> None:
    known = Place().looks(shows)
    assert known.state == "active"
    assert known.features is not None
    assert known.features.startswith("street")


def test_a_picture_with_a_fault_is_never_learnt_from() -> None:
    place = Place()
    for kind in ("black", "covered", "blurred", "noisy", "overexposed"):
        place.looks(hours(8), scores=FINE | {kind: 64.0})
    assert place.known == ProfileReference()
    assert Place().looks(hours(8), scores={}).features is None


def test_nothing_is_learnt_where_nothing_is_compared() -> None:
    place = Place()
    place.look("street")
    for _ in range(200):
        place.now += LOOK
        place.known = learnt(place.known, Evidence(place.now, FINE, "street"), True, RULES)
    assert place.known.features is None


def test_what_differs_from_a_candidate_alone_is_a_vote_and_what_is_too_dark_none() -> None:
    place = Place()
    place.looks(hours(2))
    candidate = place.known.candidate
    assert candidate is not None
    place.looks(hours(2), scores=FINE | {"underexposed": 40.0})
    assert place.known.candidate == candidate, "nothing was learnt by night"
    place.looks(hours(4), scores=FINE | {"covered": 20.0})
    assert place.known.candidate is None, "and a cloth elects nothing, however long it hangs"


def test_a_reference_follows_leaves_and_snow() -> None:
    place = Place(given("street 0", START, "张三"))
    place.looks(hours(3 * 24 + 12))
    assert place.known.features != "street 0"
    assert place.known.set_name is None
    assert place.known.state == "active"
    trials = place.trials
    place.looks(hours(24))
    assert place.trials == trials, "and rests until it is due again"


def test_a_turned_camera_is_never_learnt_but_asked_about_once() -> None:
    place = Place(given("street 0", START, "张三"))
    place.looks(hours(3 * 24))
    before = place.known.features
    place.looks(hours(23, "wall"))
    assert place.known.state == "active"
    assert place.known.difference is not None
    asked = place.looks(hours(2, "wall"))
    assert asked.state == "questioned"
    assert asked.asked_at is not None
    since = asked.difference and asked.difference.since
    later = place.looks(hours(10 * 24, "wall"))
    assert (later.features, later.asked_at, later.difference and later.difference.since) == (
        before, asked.asked_at, since,
    )  # fmt: skip
    assert place.looks(hours(1.5)).difference is None, "it was turned back: nothing is asked any more"
    assert place.known.state == "active"


@pytest.mark.parametrize(
    "shows",
    [list(every(2, "lorry", 72)), [*hours(20, "wall"), *hours(4), *hours(20, "wall"), *hours(4)]],
    ids=["half of the looks", "each time less than a day"],
)
def test_a_difference_that_does_not_last_is_not_asked_about(shows: list[str]) -> None:
    place = Place(given("street 0", START, "张三"))
    states = {place.look(one).state for one in shows}
    assert states == {"active"}
    assert place.known.features == "street 0"


def test_a_cloth_for_a_day_is_a_question_and_darkness_is_none() -> None:
    place = Place(given("street 0", START, ""))
    covered = FINE | {"covered": 3.0}
    known = place.looks(hours(26), scores=covered)
    assert known.state == "questioned"
    assert known.difference is not None
    assert known.difference.score == 3.0
    dark = Place(given("street 0", START, ""))
    for _ in hours(48):  # nothing can be made out, so nothing can be compared
        dark.now += LOOK
        dark.known = learnt(dark.known, Evidence(dark.now, {"black": 0.0}), False, RULES)
    assert dark.known.state == "active"


def test_while_a_candidate_is_tried_most_looks_are_judged_by_the_reference() -> None:
    place = Place(given("street 0", START - 4 * DAY, ""))
    place.looks(hours(3))
    assert 3 <= place.trials <= len(hours(3)) / 3
    assert place.known.candidate is not None
    assert place.look("wall").difference is not None or place.look("wall").difference is not None
    assert place.known.candidate is None, "and a difference ends the trial"


def test_rules_say_how_far_apart_votes_are() -> None:
    rules = replace(RULES, votes=4)
    times = [START + n * LOOK for n in range(200)]
    waits = [rules.next_vote(at) - at for at in times]
    assert waits == [rules.next_vote(at) - at for at in times], "whenever it is asked, the same"
    assert 3 * HOUR / 12 <= min(waits) < 4 * HOUR / 12
    assert 8 * HOUR / 12 < max(waits) <= 9 * HOUR / 12
    assert 5.7 * HOUR / 12 < sum(waits, timedelta()) / len(waits) < 6.3 * HOUR / 12
