"""Pure: which beats and looks may start now, within their bounds, and whether they start in time."""

import heapq
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from camera_hub.health.judging.pace import Waiting
from camera_hub.health.rounds.camera_watch import CameraWatch


@dataclass(frozen=True, slots=True)
class RoundBounds:
    """How much may be under way: signalling beats, looks (each a session at a device), of these in one village, at one
    device, and at cameras whose last look found no media (they may take up to their deadline)."""

    beats: int
    beats_per_village: int
    looks: int
    per_village: int
    per_device: int

    @property
    def troubled(self) -> int:
        """Half of the looks: the rest is always free for cameras that answer in time."""
        return max(1, self.looks // 2)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What to start now: signalling beats, and looks."""

    beats: tuple[CameraWatch, ...]
    looks: tuple[CameraWatch, ...]


def to_start(
    watches: Iterable[CameraWatch], now: float, bounds: RoundBounds, answers: Callable[[int], bool] = lambda _: True
) -> Chosen:
    """What to start now, within the bounds, which what is under way counts against.

    Villages take turns: whoever has least under way goes first, of those the longest due (cameras known to give media
    before others), so that no village and no recorder can occupy all places. `answers`: whether the device has ever
    answered on its ports; where it has not, only a look can tell anything.
    """
    watches = list(watches)
    beats, looks = _UnderWay(), _UnderWay()
    for watch in watches:
        if watch.looking is not None:
            (looks if watch.looking == "look" else beats).take(watch)
    due_beats: list[CameraWatch] = []
    due_looks: list[CameraWatch] = []
    for watch in watches:
        if watch.looking is not None:
            continue
        if is_look_due(watch, now, answers):
            due_looks.append(watch)
        elif watch.due <= now:
            due_beats.append(watch)

    def may_look(watch: CameraWatch) -> bool:
        return (
            looks.count < bounds.looks
            and looks.villages[watch.village_id] < bounds.per_village
            and looks.devices[watch.device_id] < bounds.per_device
            and not (watch.failures and looks.troubled >= bounds.troubled)
        )

    def may_ask(watch: CameraWatch) -> bool:
        return beats.count < bounds.beats and beats.villages[watch.village_id] < bounds.beats_per_village

    chosen_looks = _in_turn(due_looks, looks, may_look, _turn)
    chosen = {watch.camera_id for watch in chosen_looks}
    left = [w for w in due_looks if w.due <= now and w.camera_id not in chosen and answers(w.device_id)]
    # Whoever waits for its look is asked all the same: whether it answers is told each round.
    chosen_beats = _in_turn(due_beats + left, beats, may_ask, lambda watch: watch.due)
    return Chosen(tuple(chosen_beats), tuple(chosen_looks))


def is_look_due(watch: CameraWatch, now: float, answers: Callable[[int], bool] = lambda _: True) -> bool:
    """Whether a key frame is to be fetched now. Of a device that does not answer none is."""
    if not answers(watch.device_id):
        return min(watch.due, watch.picture_due) <= now
    return watch.picture_due <= now and not watch.mute


def _turn(watch: CameraWatch) -> float:
    """When its look has its turn. Those whose last look found media go before those of which nothing is known (after a
    start or an import all are due at once, and a look at a dumb device takes up to its deadline) and those that fail,
    by a picture interval: long enough for a backlog to be worked off, and nobody waits for ever."""
    return min(watch.picture_due, watch.due) + (0.0 if watch.verified else watch.intervals.picture)


class _UnderWay:
    """What is under way."""

    def __init__(self) -> None:
        self.count = 0
        self.troubled = 0
        self.villages: Counter[int] = Counter()
        self.devices: Counter[int] = Counter()

    def take(self, watch: CameraWatch) -> None:
        self.count += 1
        self.troubled += watch.failures > 0
        self.villages[watch.village_id] += 1
        self.devices[watch.device_id] += 1


def _in_turn(
    due: list[CameraWatch], places: _UnderWay, may: Callable[[CameraWatch], bool], at: Callable[[CameraWatch], float]
) -> list[CameraWatch]:
    """Those that may start, one from the village with least under way after the other."""
    queues: dict[int, deque[CameraWatch]] = {}
    for watch in sorted(due, key=at):
        queues.setdefault(watch.village_id, deque()).append(watch)
    order = [(places.villages[village], at(queue[0]), village) for village, queue in queues.items()]
    heapq.heapify(order)
    chosen: list[CameraWatch] = []
    while order:
        _, _, village = heapq.heappop(order)
        queue = queues[village]
        first = next((one for one in queue if may(one)), None)
        if first is None:  # its places are taken, and are not given back here
            continue
        queue.remove(first)
        places.take(first)
        chosen.append(first)
        if queue:
            heapq.heappush(order, (places.villages[village], at(queue[0]), village))
    return chosen


def most_are_silent(watches: Iterable[CameraWatch]) -> bool:
    """Whether of most villages no camera answers, as while the hub's own uplink is down. A village whose first camera
    is back counts as one that answers."""
    answers: dict[int, bool] = {}
    for watch in watches:
        answers[watch.village_id] = answers.get(watch.village_id, False) or watch.silent_since is None
    return list(answers.values()).count(False) * 2 > len(answers)


LATE = 30.0
"""A look that has not begun this many seconds after it was due is late."""


@dataclass(frozen=True, slots=True)
class RoundsPace:
    """Whether looks begin when they are due: of `observed` cameras `late` wait longer, the longest since `late_s`
    seconds."""

    observed: int
    late: int
    late_s: float


def pace_of(watches: Iterable[CameraWatch], now: float) -> RoundsPace:
    """The pace of rounds at that moment."""
    waiting = [0.0 if watch.looking is not None else _waits(watch, now) for watch in watches]
    late = [seconds for seconds in waiting if seconds > LATE]
    return RoundsPace(len(waiting), len(late), max(late, default=0.0))


def waiting_of(watches: Iterable[CameraWatch], now: float, period: float) -> Waiting:
    """How many cameras wait longer than a period for a look that has not begun. Those that are known to give no media
    are left out: looks at them take up to their deadline, and their villages' bounds make them wait."""
    waits = [w.looking is None and w.media.state != "fault" and _waits(w, now) > period for w in watches]
    return Waiting(sum(waits), len(waits))


def _waits(watch: CameraWatch, now: float) -> float:
    """For how long its beat or its look has been due."""
    return now - (watch.due if watch.mute else min(watch.due, watch.picture_due))
