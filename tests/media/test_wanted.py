"""The pure wanted state: what must run, because of whom, until when."""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from camera_hub.media.wanted import Close, FeedKey, Open, Wanted, relay_of
from camera_hub.relay.messages import FeedSpec

LINGER = 10.0
KEY = FeedKey(0, 7)
SPEC = FeedSpec("s7", "rtsp://camera/1", "127.0.0.1", 554)


def test_a_feed_opens_once_and_closes_after_it_has_lingered() -> None:
    wanted = Wanted(LINGER)
    assert wanted.hold(KEY, SPEC, "a") == [Open(KEY, SPEC)]
    assert wanted.hold(KEY, SPEC, "b") == []
    assert wanted.release(KEY, "a", 100.0) == []
    assert wanted.sweep(1000.0) == []
    assert wanted.release(KEY, "b", 1000.0) == []
    assert wanted.sweep(1009.9) == []
    assert wanted.sweep(1010.0) == [Close(KEY)]
    assert len(wanted) == 0


def test_who_comes_back_while_it_lingers_finds_it_running() -> None:
    wanted = Wanted(LINGER)
    wanted.hold(KEY, SPEC, "a")
    wanted.release(KEY, "a", 0.0)
    assert wanted.hold(KEY, SPEC, "b") == []
    assert wanted.sweep(100.0) == []


def test_a_look_leaves_nothing_behind_but_never_ends_another_s_linger() -> None:
    wanted = Wanted(LINGER)
    wanted.hold(KEY, SPEC, "look")
    assert wanted.release(KEY, "look", 0.0, linger=False) == [Close(KEY)]
    wanted.hold(KEY, SPEC, "tile")
    wanted.release(KEY, "tile", 5.0)
    wanted.hold(KEY, SPEC, "look")
    assert wanted.release(KEY, "look", 6.0, linger=False) == []
    assert wanted.sweep(15.0) == [Close(KEY)]


def test_a_hold_for_a_time_ends_by_itself_and_is_never_shortened() -> None:
    wanted = Wanted(LINGER)
    wanted.hold(KEY, SPEC, "warm", until=30.0)
    wanted.hold(KEY, SPEC, "warm", until=20.0)
    assert wanted.sweep(29.9) == []
    assert wanted.held(KEY)
    assert wanted.sweep(30.0) == []
    assert not wanted.held(KEY)
    assert wanted.sweep(40.0) == [Close(KEY)]


def test_a_new_login_reopens_and_the_new_relay_is_told_the_new_one() -> None:
    wanted = Wanted(LINGER)
    wanted.hold(KEY, SPEC, "a")
    assert wanted.respecify(KEY, SPEC) == []
    new = replace(SPEC, credentials_version=2)
    assert wanted.respecify(KEY, new) == [Open(KEY, new)]
    wanted.hold(FeedKey(1, 7), SPEC, "a")
    assert wanted.of_relay(0) == [Open(KEY, new)]
    assert wanted.respecify(FeedKey(0, 8), SPEC) == []


def test_giving_up_and_dropping() -> None:
    wanted = Wanted(LINGER)
    assert wanted.reopen(KEY) == []
    assert wanted.drop(KEY) == []
    wanted.hold(KEY, SPEC, "a")
    assert wanted.reopen(KEY) == [Close(KEY), Open(KEY, SPEC)]
    assert wanted.drop(KEY) == [Close(KEY)]
    assert wanted.release(KEY, "a", 0.0) == []


def test_villages_are_shared_among_relays() -> None:
    assert {relay_of(village, 3) for village in range(1, 17)} == {0, 1, 2}
    assert {relay_of(village, 1) for village in range(1, 17)} == {0}


class WhatRunsIsWhatIsWanted(RuleBasedStateMachine):
    """A relay that does what it is told, beside a plain model of who holds what."""

    def __init__(self) -> None:
        super().__init__()
        self.wanted = Wanted(LINGER)
        self.open: set[FeedKey] = set()
        self.holders: dict[FeedKey, set[str]] = {}
        self.now = 0.0

    def do(self, actions: list[Open] | list[Close] | list[Open | Close]) -> None:
        for action in actions:
            if isinstance(action, Open):
                self.open.add(action.key)
            else:
                assert action.key in self.open, "closed what was not open"
                self.open.discard(action.key)

    @rule(stream=st.integers(1, 3), holder=st.sampled_from("abc"))
    def hold(self, stream: int, holder: str) -> None:
        key = FeedKey(0, stream)
        self.do(self.wanted.hold(key, replace(SPEC, feed=key.name), holder))
        self.holders.setdefault(key, set()).add(holder)

    @rule(stream=st.integers(1, 3), holder=st.sampled_from("abc"), linger=st.booleans())
    def release(self, stream: int, holder: str, linger: bool) -> None:
        key = FeedKey(0, stream)
        self.do(self.wanted.release(key, holder, self.now, linger=linger))
        self.holders.setdefault(key, set()).discard(holder)

    @rule(seconds=st.floats(0, 20))
    def sweep(self, seconds: float) -> None:
        self.now += seconds
        self.do(self.wanted.sweep(self.now))

    @rule()
    def after_a_long_time_only_held_feeds_run(self) -> None:
        self.now += 2 * LINGER
        self.do(self.wanted.sweep(self.now))
        assert self.open == {key for key, holders in self.holders.items() if holders}

    @invariant()
    def what_is_held_runs(self) -> None:
        assert self.open == {open_.key for open_ in self.wanted.of_relay(0)}
        assert all(key in self.open for key, holders in self.holders.items() if holders)


TestWhatRunsIsWhatIsWanted = WhatRunsIsWhatIsWanted.TestCase
TestWhatRunsIsWhatIsWanted.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
