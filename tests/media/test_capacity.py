"""What the machine bears: levels with hysteresis, learned costs, and who is granted what."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import Event, HubLoad
from camera_hub.media.capacity.budget import GUESSED_AT_ONCE, PROMISED_SECONDS, Grant, RelayBudget, Want
from camera_hub.media.capacity.capacity import REPEAT_SECONDS, Capacity
from camera_hub.media.capacity.costs import USUAL, CostModel, StreamRate, StreamRates
from camera_hub.media.capacity.load_level import FALL_SECONDS, HEADROOM, MARGIN, Load, LoadLevel, LoadState
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.wall.tile_requests import RETRIED_AT_ONCE
from camera_hub.relay.messages import RelayPulse
from tests.fakes.clock import ManualClock
from tests.media.parts import stream

LIMIT = 0.85
loads = st.builds(Load, st.floats(0, 1), st.floats(0, 1))


def levels(*busy: float, late: float = 0.0) -> list[LoadLevel]:
    """The level after each second's measurement."""
    state = LoadState(LIMIT)
    return [state.update(float(second), Load(one, late)) for second, one in enumerate(busy)]


def test_a_peak_is_no_level_and_neither_is_a_moments_rest() -> None:
    assert set(levels(0.2, 1.0, 1.0, 0.2, 1.0, 0.2)) == {LoadLevel.NORMAL}
    assert levels(*[0.9] * 4) == [LoadLevel.NORMAL, LoadLevel.NORMAL, LoadLevel.FULL, LoadLevel.FULL]
    rested = levels(*[0.9] * 4, *[0.1] * 4, *[0.9] * 4, *[0.1] * 6)
    assert set(rested[2:-1]) == {LoadLevel.FULL}
    assert rested[-1] is LoadLevel.NORMAL


def test_a_level_is_left_below_where_it_was_entered() -> None:
    hovering = levels(*[LIMIT] * 4, *[LIMIT - MARGIN / 2] * 60)
    assert set(hovering[3:]) == {LoadLevel.FULL}
    assert levels(*[LIMIT] * 4, *[LIMIT - MARGIN - 0.01] * 7)[-1] is LoadLevel.BUSY


@pytest.mark.parametrize(("late", "level"), [(0.02, LoadLevel.NORMAL), (0.12, LoadLevel.BUSY), (0.3, LoadLevel.FULL)])
def test_a_loop_that_is_late_is_loaded_however_little_it_does(late: float, level: LoadLevel) -> None:
    assert levels(*[0.1] * 5, late=late)[-1] is level


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(loads, min_size=20, max_size=60))
def test_whatever_came_before_a_steady_load_ends_in_the_level_it_speaks_for(before: list[Load]) -> None:
    for steady, level in ((0.95, LoadLevel.FULL), (0.75, LoadLevel.BUSY), (0.1, LoadLevel.NORMAL)):
        state, now = LoadState(LIMIT), 0.0
        for load in (*before, *[Load(steady)] * int(2 * FALL_SECONDS + 2)):
            now += 1.0
            state.update(now, load)
        assert state.level is level


def pulse(busy: float, **traffic: float) -> RelayPulse:
    return RelayPulse(1, 0.0, 0.0, loop_busy=busy, **traffic)


def test_what_a_picture_costs_is_learned_from_what_this_machine_takes() -> None:
    model, rate = CostModel(), StreamRate(25.0, 1e6)
    before = model.feed(rate), model.track(rate)
    carried = {"frames_in": 250.0, "bits_in": 10e6, "frames_out": 500.0, "bits_out": 20e6}
    reckoned = 10 * before[0] + 20 * before[1]
    for _ in range(40):
        model.learn(pulse(3 * reckoned, **carried))
    assert model.feed(rate) == pytest.approx(3 * before[0], rel=0.01)
    assert model.track(rate) == pytest.approx(3 * before[1], rel=0.01)
    known = model.factor
    model.learn(pulse(1.0, frames_in=9000.0))
    model.learn(pulse(0.5, frames_in=1.0))
    assert model.factor == known, "neither a loop without any time left nor one without work teaches anything"


def test_a_stream_is_expected_to_bring_what_it_brought_or_what_its_like_brings() -> None:
    rates = StreamRates()
    assert rates.of("s1", "sub") == USUAL["sub"]
    reading = {"phase": "live", "frame_rate": 10.0, "bit_rate": 2e5}
    rates.learn({"s1": reading, "s9": {**reading, "phase": "failed"}, "s8": {"phase": "live"}})
    assert rates.of("s1", "sub") == StreamRate(10.0, 2e5)
    assert rates.of("s2", "sub") == StreamRate(10.0, 2e5)
    assert rates.of("s3", "main") == USUAL["main"]


def budget(busy: float, late: float = 0.0) -> RelayBudget:
    """A relay that has been that busy for long; the next moment is 10."""
    made = RelayBudget(LIMIT)
    for second in range(10):
        made.observe(float(second), Load(busy, late))
    return made


def test_what_was_granted_and_is_not_measured_yet_counts() -> None:
    one = budget(0.5)
    grants = [one.ask(10.0, Want(f"tile {number}", 0.1)) for number in range(5)]
    assert grants == [Grant.GRANTED] * 3 + [Grant.REFUSED] * 2
    assert one.ask(10.0, Want("tile 0", 0.1)) is Grant.GRANTED, "who asks again does not need it twice"
    one.observe(10.0 + PROMISED_SECONDS, Load(0.5))
    assert one.ask(10.0 + PROMISED_SECONDS, Want("tile 4", 0.1)) is Grant.GRANTED


def test_a_main_stream_is_granted_with_time_to_spare_and_small_pictures_up_to_the_limit() -> None:
    assert budget(0.5).ask(10.0, Want("a", 0.1, large=True)) is Grant.GRANTED
    assert budget(LIMIT - HEADROOM - 0.05).ask(10.0, Want("a", 0.1, large=True)) is Grant.SUB_STREAM
    assert budget(0.75).ask(10.0, Want("a", 0.05)) is Grant.GRANTED
    assert budget(0.75).ask(10.0, Want("a", 0.05, large=True)) is Grant.SUB_STREAM


def test_nothing_new_comes_to_a_full_relay_but_who_shows_something_may_change_it() -> None:
    full = budget(0.95)
    assert not full.has_room(10.0)
    assert full.ask(10.0, Want("new", 0.0001)) is Grant.REFUSED
    assert full.ask(10.0, Want("old", 0.1, replaces=True)) is Grant.GRANTED
    assert full.ask(10.0, Want("old", 0.1, large=True, replaces=True)) is Grant.SUB_STREAM
    full.restart()
    assert full.has_room(10.0)


def test_until_a_machine_was_seen_at_work_it_is_given_new_pictures_two_walls_at_a_time() -> None:
    one = budget(0.1)
    wants = [Want(f"tile {number}", 0.0001, guessed=True) for number in range(GUESSED_AT_ONCE + 8)]
    grants = [one.ask(10.0, want) for want in wants]
    assert grants == [Grant.GRANTED] * GUESSED_AT_ONCE + [Grant.REFUSED] * 8
    assert one.ask(10.5, Want("old", 0.0001, replaces=True, guessed=True)) is Grant.GRANTED
    assert one.ask(10.5, Want("known", 0.0001)) is Grant.GRANTED
    assert one.ask(11.0, wants[-1]) is Grant.GRANTED
    unlimited = RelayBudget(1.0)
    assert {unlimited.ask(10.0, want) for want in wants} == {Grant.GRANTED}


@pytest.mark.parametrize("slowness", [0.5, 1.0, 2.0, 4.0])
def test_a_hub_that_starts_fills_a_machine_of_any_speed_up_to_its_limit_and_not_beyond(slowness: float) -> None:
    machine, rate = Machine(), USUAL["sub"]
    model = CostModel()
    each = slowness * (model.feed(rate) + model.track(rate))  # what a picture takes in truth
    waiting, shown, loads = list(range(1, 401)), 0, [0.0]
    for second in range(60):
        if machine.capacity.has_room(0):
            for camera in waiting[: None if second == 0 else RETRIED_AT_ONCE]:
                if machine.capacity.ask(0, stream(camera), f"tile {camera}") is Grant.GRANTED:
                    waiting.remove(camera)
                    shown += 1
        loads.append(shown * each)
        machine.clock.move(1.0)
        traffic = {"frames_in": shown * rate.frames, "bits_in": shown * rate.bits}
        sent = {"frames_out": shown * rate.frames, "bits_out": shown * rate.bits}
        busy = min(1.0, sum(loads[-3:]) / 3)  # a relay measures the last seconds
        machine.link.pulse = RelayPulse(1, 0.0, 0.0, loop_busy=busy, **traffic, **sent)
        machine.capacity.observe()
    assert max(loads) <= LIMIT + each, "but for the last one, which may take a little more than was reckoned"
    assert not waiting or loads[-1] >= LIMIT - 0.1


def test_a_limit_of_one_is_none_for_pictures_and_a_late_relay_is_late_all_the_same() -> None:
    one = RelayBudget(1.0)
    for second in range(10):
        one.observe(float(second), Load(1.0))
    assert (one.level, one.is_late) == (LoadLevel.NORMAL, False), "busy alone is nothing then"
    for second in range(10, 20):
        one.observe(float(second), Load(1.0, 3.0))
    assert (one.level, one.is_late) == (LoadLevel.FULL, True)
    assert one.has_room(20.0)
    assert one.ask(20.0, Want("a", 0.5, large=True)) is Grant.GRANTED
    one.restart()
    assert not one.is_late


@settings(deadline=None)
@given(
    st.floats(0, 1),
    st.lists(st.builds(Want, st.sampled_from("abcdef"), st.floats(0.001, 0.4), st.booleans()), max_size=20),
)
def test_new_pictures_never_take_more_than_there_is(busy: float, wants: list[Want]) -> None:
    one = budget(busy)
    for want in wants:
        before = one.expected(10.0)
        grant = one.ask(10.0, want)
        assert one.expected(10.0) <= max(LIMIT, before) + 1e-9
        assert grant is not Grant.GRANTED or one.expected(10.0) <= LIMIT + 1e-9
        assert grant is not Grant.REFUSED or not want.large, "a smaller one may do"


@dataclass
class Link:
    """A relay's last pulse and readings."""

    number: int = 0
    epoch: int = 1
    pulse: RelayPulse | None = None
    readings: dict[str, Any] = field(default_factory=dict)


@dataclass
class Measured:
    """The hub's loop, and the bus."""

    busy: float = 0.0
    late: float = 0.0
    published: list[Event] = field(default_factory=list)

    def publish(self, event: Event) -> None:
        self.published.append(event)


class Machine:
    """Capacity over one relay."""

    def __init__(self, limit: float = LIMIT) -> None:
        self.clock, self.link, self.hub = ManualClock(), Link(), Measured()
        self.running: set[FeedKey] = set()
        self.capacity = Capacity([self.link], self.running, self.hub, self.clock, self.hub, limit)

    def run(self, seconds: int, busy: float, late: float = 0.0) -> None:
        """So many pulses of a relay that is that busy."""
        for _ in range(seconds):
            self.clock.move(1.0)
            self.link.pulse = RelayPulse(1, 0.0, late, loop_late=late, loop_busy=busy)
            self.capacity.observe()


def test_a_feed_that_runs_is_cheap_and_one_that_must_be_opened_is_not() -> None:
    machine = Machine()
    machine.run(3, 0.0)
    machine.run(3, 0.8485)
    assert machine.capacity.ask(0, stream(1), "tile") is Grant.REFUSED
    machine.running.add(FeedKey(0, stream(1).spec.feed))
    assert machine.capacity.ask(0, stream(1), "tile") is Grant.GRANTED
    assert machine.capacity.ask(0, stream(1), "pictures", sent=False) is Grant.GRANTED
    assert machine.capacity.refused == 1


def test_looks_give_way_first_and_tours_next_and_both_come_back() -> None:
    machine = Machine()
    machine.run(4, 0.75)
    assert machine.capacity.may_open(0, "look"), "one at a time, so that no camera is forgotten"
    assert not machine.capacity.may_open(0, "look", 1)
    assert machine.capacity.may_open(0, "warm")
    assert not machine.capacity.may_open(0, "ahead"), "perhaps nobody asks for it"
    assert not machine.capacity.is_late(0)
    machine.run(4, 0.95, 0.5)
    assert not machine.capacity.may_open(0, "warm")
    assert not machine.capacity.may_open(0, "look")
    assert machine.capacity.is_late(0)
    assert machine.capacity.postponed == 4
    machine.run(8, 0.1)
    assert machine.capacity.may_open(0, "look", 5)
    assert machine.capacity.may_open(0, "ahead")
    assert not machine.capacity.is_late(0)


def test_a_player_is_refused_with_the_time_to_come_back_and_has_its_only_stream_judged_as_it_is() -> None:
    machine = Machine()
    machine.run(3, 0.5)
    machine.capacity.require(0, stream(1, "main"), "player")
    machine.run(4, 0.95)
    with pytest.raises(HubError) as refused:
        machine.capacity.require(0, stream(2), "player 2")
    assert (refused.value.kind, refused.value.reason, refused.value.params) == (Kind.BUSY, Reason.BUSY, {"retry_in": 5})


def test_an_overload_is_published_when_it_begins_and_when_it_is_over_and_both_again_and_again() -> None:
    machine, fine, full = Machine(), HubLoad((), False), HubLoad((0,), False)
    machine.run(int(REPEAT_SECONDS) - 1, 0.3)
    assert machine.hub.published == []
    machine.run(1, 0.3)
    assert machine.hub.published == [fine]
    machine.run(4, 0.95)
    assert machine.hub.published == [fine, full]
    machine.run(int(REPEAT_SECONDS), 0.95)
    assert machine.hub.published == [fine, full, full]
    machine.run(10, 0.1)
    assert machine.hub.published[3:] == [fine]
    machine.run(int(REPEAT_SECONDS), 0.1)
    assert machine.hub.published[3:] == [fine, fine], "who lost the first one learns it"
    machine.hub.late = 1.0
    machine.run(4, 0.1)
    assert machine.hub.published[5:] == [HubLoad((), True)]
    assert machine.capacity.is_late(0), "what a late hub times says nothing, whichever relay it is"
    assert machine.capacity.read()["load"] == "full"


@pytest.mark.parametrize("limit", [0.3, LIMIT, 1.0])
def test_late_is_who_is_late_whatever_the_limit(limit: float) -> None:
    machine = Machine(limit)
    machine.hub.busy = 0.9
    machine.run(10, 0.9, 0.005)
    assert not machine.capacity.is_late(0), "a busy relay still measures well"
    assert machine.capacity.read()["load"] == "normal", "the limit is the relays'"
    machine.run(10, 0.9, 3.0)
    assert machine.capacity.is_late(0)
    assert machine.hub.published[-1] == HubLoad((0,), False)
    machine.hub.late = 3.0
    machine.run(10, 0.1)
    assert machine.capacity.is_late(0)
    assert machine.hub.published[-1] == HubLoad((), True)
    assert machine.capacity.may_open(0, "look") is (limit == 1.0)
    assert machine.capacity.ask(0, stream(1), "tile") is Grant.GRANTED


def test_a_fresh_process_is_measured_anew_and_the_same_pulse_counts_once() -> None:
    machine = Machine()
    machine.run(4, 0.95)
    assert machine.capacity.word(0) == "full"
    machine.link.epoch, machine.link.pulse = 2, None
    machine.capacity.observe()
    assert machine.capacity.word(0) == "normal"
    assert machine.capacity.has_room(0)
