"""The stop shown is always the right one: runs through pauses, jumps, extensions, interrupts, clock steps, restarts and
dead stops that come back, against a slow model that counts half seconds."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera_hub.errors import HubError
from camera_hub.patrol.runs import timetable
from camera_hub.patrol.runs.timetable import Cursor, Stops

T0 = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TICK = 0.5


@dataclass
class SlowModel:
    """What a person with a stop watch would do: every half second looks whether the stop's time is over.

    It knows nothing of anchors: `shown` grows by what passes, and the stop changes when it reaches the dwell.
    """

    dwells: list[float]
    alive: set[int]
    loop: bool
    wanted: set[int]  # stops that are offered when all are over
    state: str = "running"
    why: str | None = None
    position: int = -1
    again: bool = False
    shown: float = 0.0
    extra: float = 0.0
    lap: int = 0

    def go(self, position: int) -> None:
        self.position, self.shown, self.extra = position, 0.0, 0.0

    def over(self) -> None:
        self.state = "ended" if self.loop else "closing"
        self.again, self.why, self.shown, self.extra = True, None, 0.0, 0.0
        self.position = max(self.position, 0)

    def onward(self) -> None:
        """To the next living stop in order; a loop goes round at most once. When all is over the last one stays."""
        last = self.position
        for _ in range(len(self.dwells)):
            if self.position + 1 == len(self.dwells):
                if not self.loop:
                    break
                self.position, self.lap = -1, self.lap + 1
            self.position += 1
            if self.position in self.alive:
                self.go(self.position)
                return
        self.position = last
        self.over()

    def once_more(self) -> None:
        """To the next living stop that is wanted, round from the present one, which comes last once it is over."""
        around = [p for p in [*range(self.position + 1, len(self.dwells)), *range(self.position)] if p in self.wanted]
        if self.state == "closing" and self.position in self.wanted:
            around.append(self.position)
        living = [p for p in around if p in self.alive]
        if not living:
            self.over()
            return
        self.state = "running" if self.state == "closing" else self.state
        self.go(living[0])

    def tick(self) -> None:
        if self.state == "running":
            self.shown += TICK
            if self.shown >= self.dwells[self.position] + self.extra:
                if self.again and not self.loop:
                    self.over()
                else:
                    self.onward()

    def left(self) -> float:
        if self.state not in ("running", "paused"):
            return 0.0
        return self.dwells[self.position] + self.extra - self.shown


@dataclass
class Follower:
    """The timetable, driven as runs do it: caught up before each operation, with a wall clock that may step."""

    dwells: list[float]
    alive: set[int]
    wanted: set[int]
    cursor: Cursor = field(init=False)
    real: float = 0.0
    stepped: float = 0.0

    @property
    def stops(self) -> Stops:
        return Stops(tuple(self.dwells), frozenset(self.alive), frozenset(self.wanted))

    @property
    def now(self) -> datetime:
        return T0 + timedelta(seconds=self.real + self.stepped)

    def catch_up(self) -> None:
        self.cursor = timetable.catch_up(self.stops, self.cursor, self.now).cursor


WAITS = st.integers(0, 40)
OPERATIONS = st.one_of(
    st.tuples(st.just("wait"), WAITS),
    st.tuples(st.sampled_from(["pause", "alarm", "ptz", "attention"]), st.just(0)),
    st.tuples(st.sampled_from(["resume", "next", "previous", "restart"]), st.just(0)),
    st.tuples(st.just("jump"), st.integers(0, 6)),
    st.tuples(st.just("extend"), st.integers(1, 20)),
    st.tuples(st.just("step"), st.integers(-7200, 7200)),
    st.tuples(st.sampled_from(["dies", "returns", "confirmed"]), st.integers(0, 6)),
)


@st.composite
def tours(draw: st.DrawFn) -> tuple[list[float], set[int], set[int], bool]:
    dwells = [float(seconds) for seconds in draw(st.lists(st.integers(3, 20), min_size=1, max_size=7))]
    stops = st.sets(st.integers(0, len(dwells) - 1))
    return dwells, draw(stops), draw(stops), draw(st.booleans())


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(tours(), st.lists(OPERATIONS, max_size=25))
def test_the_stop_shown_is_the_one_a_stop_watch_would_show(
    tour: tuple[list[float], set[int], set[int], bool], operations: list[tuple[str, int]]
) -> None:
    dwells, alive, wanted, loop = tour
    model = SlowModel(dwells, alive, loop, wanted)
    model.onward()
    run = Follower(dwells, alive, wanted)
    run.cursor = timetable.begin(run.stops, run.now, loop=loop).cursor
    agree(model, run)
    for what, much in operations:
        if what == "wait":
            for _ in range(much):
                run.real += TICK
                model.tick()
        elif what == "restart":  # only what is in the row outlives it
            run.cursor = Cursor(**{name: getattr(run.cursor, name) for name in Cursor.__slots__})
        else:
            run.catch_up()
            act(model, run, what, much % len(dwells) if what in ("jump", "dies", "returns", "confirmed") else much)
        run.catch_up()
        agree(model, run)


def agree(model: SlowModel, run: Follower) -> None:
    cursor = run.cursor
    assert (cursor.state, cursor.position) == (model.state, model.position)
    assert cursor.pause_reason == model.why
    assert not loop_differs(model, cursor)
    assert abs(timetable.time_left(run.stops, cursor, run.now) - model.left()) < 1e-3


def loop_differs(model: SlowModel, cursor: Cursor) -> bool:
    return cursor.loop and cursor.state != "ended" and cursor.lap != model.lap


def act(model: SlowModel, run: Follower, what: str, much: int) -> None:
    """Do it to both; what the one refuses the other must not want."""
    match what:
        case "step":  # the wall clock alone; who follows it moves the anchor with it
            run.stepped += much
            run.cursor = timetable.shifted(run.cursor, much)
        case "dies":
            model.alive.discard(much)
        case "returns":
            model.alive.add(much)
        case "confirmed":
            model.wanted.discard(much)
        case _:
            allowed = model_act(model, what, much)
            before = run.cursor
            try:
                run.cursor = operate(run, what, much)
            except HubError:
                run.cursor = before
                assert not allowed, f"{what} was refused in state {before.state}"
            else:
                assert allowed, f"{what} was done in state {before.state}"


def operate(run: Follower, what: str, much: int) -> Cursor:
    stops, cursor, now = run.stops, run.cursor, run.now
    match what:
        case "pause":
            return timetable.pause(stops, cursor, now).cursor
        case "alarm":
            return timetable.pause(stops, cursor, now, "alarm").cursor
        case "ptz":
            return timetable.pause(stops, cursor, now, "ptz").cursor
        case "attention":
            return timetable.pause(stops, cursor, now, "attention").cursor
        case "resume":
            return timetable.resume(cursor, now).cursor
        case "next":
            return timetable.forward(stops, cursor, now).cursor
        case "previous":
            return timetable.back(stops, cursor, now).cursor
        case "jump":
            return timetable.jump(stops, cursor, now, much).cursor
        case _:
            return timetable.extend(cursor, float(much)).cursor


def model_act(model: SlowModel, what: str, much: int) -> bool:
    """Do it to the model; returns whether it is allowed."""
    on = model.state in ("running", "paused")
    match what:
        case "pause" | "attention" | "alarm" | "ptz":
            why = "operator" if what == "pause" else what
            over = {"operator": {"ptz"}, "alarm": {"ptz", "operator", "attention"}}.get(why, set[str]())
            if model.state != "running" and model.why not in over:
                return False
            model.state, model.why = "paused", why
        case "resume":
            if model.state != "paused":
                return False
            if model.why == "alarm":
                model.shown = model.extra = 0.0
            model.state, model.why = "running", None
        case "next":
            if model.state == "ended" or (model.state == "closing" and not model.wanted):
                return False
            if model.again and not model.loop:
                model.once_more()
            else:
                model.onward()
        case "previous":
            return model_back(model)
        case "jump":
            if model.state == "ended" or much not in model.alive:
                return False
            model.state = "running" if model.state == "closing" else model.state
            model.go(much)
        case "extend":
            if not on or model.extra + much > timetable.LONGEST_EXTENSION:
                return False
            model.extra += much
    return True


def model_back(model: SlowModel) -> bool:
    if model.state == "ended":
        return False
    here = model.position
    if model.state == "closing":
        earlier = [p for p in model.alive if p <= here]
        if not earlier:
            return False
        model.state = "running"
        model.go(max(earlier))
        return True
    earlier = [p for p in model.alive if p < here]
    later = [p for p in model.alive if p > here]
    if earlier:
        model.go(max(earlier))
    elif model.loop and model.lap > 0 and later:
        model.lap -= 1
        model.go(max(later))
    else:
        model.go(here)
    return True


@pytest.mark.slow
@given(st.integers(0, 59), st.floats(0, 1.9), st.booleans())
@settings(max_examples=20, deadline=None)
def test_sixty_stops_over_a_day_drift_less_than_a_second(first: int, late: float, stepping: bool) -> None:
    """Woken up late at every change, and with a wall clock that is set twice an hour."""
    dwells = tuple(10.0 + (n * 7 + first) % 21 for n in range(60))
    stops = Stops(dwells, frozenset(range(60)))
    cursor, real, wall, changes = timetable.begin(stops, T0, loop=True).cursor, 0.0, 0.0, 0
    while real < 86_400:
        due = timetable.due(stops, cursor)
        assert due is not None
        real = (due - T0).total_seconds() - wall + late
        cursor = timetable.catch_up(stops, cursor, T0 + timedelta(seconds=real + wall)).cursor
        changes += 1
        if stepping and changes % 90 == 0:
            step = 0.4 if changes % 180 else -3600.0
            wall += step
            cursor = timetable.shifted(cursor, step)
    lap, into = divmod(real, sum(dwells))
    begun = (cursor.anchor - T0).total_seconds() - wall
    assert abs(begun - (lap * sum(dwells) + sum(dwells[: cursor.position]))) <= 1.0
    assert cursor.lap == lap
    assert sum(dwells[: cursor.position]) <= into + 1e-6
