"""One relay's time as a budget: what is measured, what was promised since, and who may have some of the rest. Pure.

Live pictures go before new ones: nothing here ever takes a picture away.
"""

from dataclasses import dataclass
from enum import Enum

from camera_hub.media.capacity.load_level import HEADROOM, LATENESS, Load, LoadLevel, LoadState

PROMISED_SECONDS = 8.0
"""Until then a picture that was granted runs, and is part of what is measured."""

GUESSED_AT_ONCE = 32
"""New pictures per second (two walls of 16) as long as nobody knows what one takes on this machine: by the time the
next ones are asked for, the first ones are measured."""


class Grant(Enum):
    """What may be had of the stream that was asked for."""

    GRANTED = "granted"
    SUB_STREAM = "sub_stream"  # not this one, but perhaps the camera's sub stream
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Want:
    """One more picture. `cost`: share of the relay's time. `large`: it is a main stream, and there may be a smaller
    one. `replaces`: the tile shows a picture already, which this one replaces. `guessed`: nobody knows yet what a
    picture takes on this machine."""

    holder: str
    cost: float
    large: bool = False
    replaces: bool = False
    guessed: bool = False


class Guesses:
    """How many pictures of unknown cost were granted lately."""

    def __init__(self) -> None:
        self._since = float("-inf")
        self._taken = 0

    def take(self, now: float) -> bool:
        """Whether this second has one left."""
        if now - self._since >= 1.0:
            self._since, self._taken = now, 0
        self._taken += 1
        return self._taken <= GUESSED_AT_ONCE


class RelayBudget:
    """Times are monotonic seconds; `limit`: the busy share from which on nothing new is accepted, 1: there is none."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._state = LoadState(limit)
        self._lateness = LoadState(LATENESS)
        self._load = Load()
        self._promised: dict[str, tuple[float, float]] = {}  # holder → cost, until
        self._guesses = Guesses()

    @property
    def level(self) -> LoadLevel:
        """As last measured."""
        return self._state.level

    @property
    def is_late(self) -> bool:
        """Whether it is so late, however busy it may be, that what is timed there says nothing about a camera."""
        return self._lateness.level is LoadLevel.FULL

    def observe(self, now: float, load: Load) -> LoadLevel:
        """A measurement of the relay."""
        self._load = load
        self._promised = {holder: one for holder, one in self._promised.items() if one[1] > now}
        self._lateness.update(now, load)
        return self._state.update(now, load)

    def restart(self) -> None:
        """A fresh process: what was measured of the last one is over. What was promised still is."""
        self._state, self._lateness = LoadState(self._limit), LoadState(LATENESS)
        self._load = Load()

    def expected(self, now: float) -> float:
        """The busy share that is to be expected once everything runs that was promised."""
        return self._load.busy + sum(cost for cost, until in self._promised.values() if until > now)

    def has_room(self, now: float) -> bool:
        """Whether a small picture may be granted."""
        return self._limit >= 1 or (self.level is not LoadLevel.FULL and self.expected(now) < self._limit)

    def ask(self, now: float, want: Want) -> Grant:
        """Decide, and keep the promise in mind where it is granted."""
        self._promised.pop(want.holder, None)
        grant = self._decide(self.expected(now), want)
        if grant is Grant.GRANTED and want.guessed and not want.replaces and self._limit < 1:
            grant = Grant.GRANTED if self._guesses.take(now) else Grant.REFUSED
        if grant is Grant.GRANTED:
            self._promised[want.holder] = (want.cost, now + PROMISED_SECONDS)
        return grant

    def _decide(self, expected: float, want: Want) -> Grant:
        if self._limit >= 1:
            return Grant.GRANTED
        if want.large:
            fits = self.level is LoadLevel.NORMAL and expected + want.cost <= self._limit - HEADROOM
            return Grant.GRANTED if fits else Grant.SUB_STREAM
        if want.replaces:
            return Grant.GRANTED
        fits = self.level is not LoadLevel.FULL and expected + want.cost <= self._limit
        return Grant.GRANTED if fits else Grant.REFUSED
