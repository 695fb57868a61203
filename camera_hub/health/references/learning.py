"""Pure: how a reference picture is learnt, follows its place, and becomes a question.

Pictures vote (Boyer and Moore's majority vote, 1981). The first good one is the candidate; each later one, taken some
time after, that shows the same place counts for it, each other against it, and at zero the next one takes its place. So
rain, a lorry in front of the lens or a passing shadow elects nothing, and nothing but one candidate is kept. A
candidate with enough votes over enough hours becomes the reference: what the eye told of the candidate and of some
pictures that agreed, a line each, of which it takes the median.

A reference follows its place: every few days a picture that still agrees with it becomes a candidate and is voted on in
the same way, beside it. What differs from the reference never is a candidate: snow and new leaves are followed, a
camera that was turned is not. A difference that lasts becomes one question to a person.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, get_args

from camera_hub.errors import Reason
from camera_hub.eye.messages import FAULT_BELOW
from camera_hub.settings import PictureSettings

Profile = Literal["day", "night"]
PROFILES: tuple[Profile, ...] = get_args(Profile)
State = Literal["learning", "active", "questioned"]

_SAME = Reason.MOVED.value
DIFFERENCES = frozenset({Reason.MOVED.value, Reason.COVERED.value, Reason.BLURRED.value})
"""Faults that may be the camera's new normal: it was turned, or something was built in front of it."""
RELATIVE = DIFFERENCES | {Reason.COLOUR_CAST.value}
"""What a picture is scored for against its reference: says nothing where that is only a candidate."""
LINES = 5
"""Pictures whose features make a reference."""
GOOD_FROM = 70.0
"""A picture from which is learnt has no score below this one: well away from any fault."""
_UNEVEN = 0.5
"""By which share the time between two votes is shorter or longer."""
_WEIGHT = 0.1
"""Of the newest look in the share of looks that differ."""
_MOST, _FEW = 0.6, 0.4
"""Shares: most looks differ; it was nothing."""


@dataclass(frozen=True, slots=True)
class LearningRules:
    """`spread`: hours over which a reference is voted on; `follow`: after which time it is renewed; `ask`: after which
    time a difference is a question."""

    spread: timedelta
    follow: timedelta
    ask: timedelta
    votes: int = 6

    def next_vote(self, counted_at: datetime) -> datetime:
        """From when on the next picture counts. The time between two differs from vote to vote, in the same way
        whenever it is asked: what comes back at a steady pace (a bus, the sun between two roofs) meets few of them."""
        drawn = random.Random(counted_at.timestamp()).uniform(1 - _UNEVEN, 1 + _UNEVEN)
        return counted_at + self.spread / (3 * self.votes) * drawn


def learning_rules(settings: PictureSettings) -> LearningRules:
    """The rules that follow from the settings."""
    return LearningRules(
        timedelta(hours=settings.learn_hours), timedelta(days=settings.follow_days), timedelta(hours=settings.ask_hours)
    )


@dataclass(frozen=True, slots=True)
class ReferenceCandidate:
    """A picture that is voted on. `features`: a line of its own and of those that agreed; `pictures`: how many did."""

    features: str
    at: datetime
    counted_at: datetime
    votes: int = 1
    pictures: int = 1


@dataclass(frozen=True, slots=True)
class Difference:
    """The picture differs from its reference. `share` of late looks that do, 0 … 1; `score` of the last that did."""

    since: datetime
    share: float
    score: float


@dataclass(frozen=True, slots=True)
class ProfileReference:
    """One camera by day, or by night. `features` and `at`: of the reference, None while it is learnt."""

    features: str | None = None
    at: datetime | None = None
    pictures: int = 0
    set_name: str | None = None
    candidate: ReferenceCandidate | None = None
    difference: Difference | None = None
    asked_at: datetime | None = None

    @property
    def state(self) -> State:
        """What the page says of it."""
        if self.features is None:
            return "learning"
        return "active" if self.asked_at is None else "questioned"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a look says: its scores by Reason, that of MOVED against what it was compared with."""

    at: datetime
    scores: Mapping[str, float]
    features: str | None = None

    @property
    def likeness(self) -> float | None:
        """0 (another place) … 100 (the same one), from FAULT_BELOW on the same; None: not compared."""
        return self.scores.get(_SAME)

    @property
    def good(self) -> bool:
        """Whether the picture may be learnt from, whatever it was compared with."""
        return bool(self.scores) and all(score >= GOOD_FROM for kind, score in self.scores.items() if kind != _SAME)


@dataclass(frozen=True, slots=True)
class Comparing:
    """What the next look is compared with. `trial`: with the candidate, so that nothing is judged by it. `features`: it
    may be learnt from."""

    features_of: str | None = None
    trial: bool = False
    features: bool = False


def comparing(known: ProfileReference, now: datetime, rules: LearningRules) -> Comparing:
    """What a look at `now` is compared with and what is asked of it."""
    candidate = known.candidate
    counts = candidate is not None and now >= rules.next_vote(candidate.counted_at)
    if known.features is None:
        if candidate is None or not counts:
            return Comparing(features=candidate is None)
        return Comparing(candidate.features, trial=True, features=True)
    if candidate is not None and counts and known.difference is None:
        return Comparing(candidate.features, trial=True, features=True)
    due = candidate is None and known.at is not None and now - known.at >= rules.follow
    return Comparing(known.features, features=due or known.difference is not None)


def learnt(known: ProfileReference, seen: Evidence, trial: bool, rules: LearningRules) -> ProfileReference:
    """What is known after a look. `trial`: as `comparing` said."""
    if known.features is None and known.candidate is None:
        return replace(known, candidate=_first(seen)) if seen.good and seen.features else known
    if trial:
        return _voted(known, seen, rules)
    if known.features is None:
        return known
    return _judged(known, seen, rules)


def given(features: str, at: datetime, name: str) -> ProfileReference:
    """A reference that a person gave."""
    return ProfileReference(features, at, 1, name)


def differs(scores: Mapping[str, float]) -> float | None:
    """The lowest score by which a picture differs from its reference; None: it does not."""
    found = [score for kind, score in scores.items() if kind in DIFFERENCES and score < FAULT_BELOW]
    return min(found, default=None)


def _first(seen: Evidence) -> ReferenceCandidate:
    return ReferenceCandidate(seen.features or "", seen.at, seen.at)


def _voted(known: ProfileReference, seen: Evidence, rules: LearningRules) -> ProfileReference:
    candidate = known.candidate
    if candidate is None or seen.at < rules.next_vote(candidate.counted_at):
        return known
    if differs(seen.scores) is None and seen.good and (seen.likeness or 0.0) >= GOOD_FROM:
        candidate = replace(
            candidate,
            features=_with_line(candidate.features, seen.features),
            votes=candidate.votes + 1,
            pictures=candidate.pictures + 1,
            counted_at=seen.at,
        )
        if candidate.votes >= rules.votes and seen.at - candidate.at >= rules.spread and seen.features:
            # The picture that elects it shows the same, and its JPEG is at hand.
            return ProfileReference(candidate.features, seen.at, candidate.pictures)
        return replace(known, candidate=candidate)
    if differs(seen.scores) is None and (seen.likeness is None or not seen.good):
        return known  # it was too dark, say: that is no vote against it
    if candidate.votes > 1:
        return replace(known, candidate=replace(candidate, votes=candidate.votes - 1, counted_at=seen.at))
    # The next look is compared with nothing, so that it is known whether it is a good picture by itself.
    return replace(known, candidate=None)


def _with_line(features: str, line: str | None) -> str:
    """One more picture, up to so many; then in place of the second, so that they stay spread over time."""
    lines = features.split("\n")
    if not line:
        return features
    if len(lines) >= LINES:
        lines = [lines[0], *lines[2:]]
    return "\n".join([*lines, line])


def _judged(known: ProfileReference, seen: Evidence, rules: LearningRules) -> ProfileReference:
    score = differs(seen.scores)
    if score is None and seen.likeness is None:
        return known  # it could not be compared
    before = known.difference
    if before is None and score is None:
        follows = known.at is not None and seen.at - known.at >= rules.follow and known.candidate is None
        if follows and seen.good and seen.features and (seen.likeness or 0.0) >= GOOD_FROM:
            return replace(known, candidate=_first(seen))
        return known
    if before is None:
        return replace(known, candidate=None, difference=Difference(seen.at, 1.0, score or 0.0))
    share = before.share * (1 - _WEIGHT) + (_WEIGHT if score is not None else 0.0)
    if share < _FEW:
        return replace(known, difference=None, asked_at=None)
    difference = Difference(before.since, share, before.score if score is None else score)
    asks = known.asked_at is None and share >= _MOST and seen.at - before.since >= rules.ask
    return replace(known, difference=difference, asked_at=seen.at if asks else known.asked_at)
