"""The pure wanted state: what must run, because of whom, until when."""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from camera_hub.media.feeds.desired_state import Action, CloseFeed, DesiredFeeds, FeedKey, OpenFeed
from camera_hub.media.feeds.device_limits import LEARNED_SECONDS
from camera_hub.media.relays.link import relay_of
from camera_hub.relay.messages import FeedSpec, RtspLiveSource

LINGER = 10.0
KEY = FeedKey(0, "s7")
SPEC = FeedSpec("s7", RtspLiveSource("rtsp://camera/1", "127.0.0.1", 554))


def test_a_feed_opens_once_and_closes_after_it_has_lingered() -> None:
    wanted = DesiredFeeds(LINGER)
    assert wanted.acquire(KEY, SPEC, "a") == [OpenFeed(KEY, SPEC)]
    assert wanted.acquire(KEY, SPEC, "b") == []
    assert wanted.release(KEY, "a", 100.0) == []
    assert wanted.sweep(1000.0) == []
    assert wanted.release(KEY, "b", 1000.0) == []
    assert wanted.sweep(1009.9) == []
    assert wanted.sweep(1010.0) == [CloseFeed(KEY)]
    assert len(wanted) == 0


def test_who_comes_back_while_it_lingers_finds_it_running() -> None:
    wanted = DesiredFeeds(LINGER)
    wanted.acquire(KEY, SPEC, "a")
    wanted.release(KEY, "a", 0.0)
    assert wanted.acquire(KEY, SPEC, "b") == []
    assert wanted.sweep(100.0) == []


def test_a_look_leaves_nothing_behind_but_never_ends_another_s_linger() -> None:
    wanted = DesiredFeeds(LINGER)
    wanted.acquire(KEY, SPEC, "look")
    assert wanted.release(KEY, "look", 0.0, linger=False) == [CloseFeed(KEY)]
    wanted.acquire(KEY, SPEC, "tile")
    wanted.release(KEY, "tile", 5.0)
    wanted.acquire(KEY, SPEC, "look")
    assert wanted.release(KEY, "look", 6.0, linger=False) == []
    assert wanted.sweep(15.0) == [CloseFeed(KEY)]


def test_a_hold_for_a_time_ends_by_itself_and_is_never_shortened() -> None:
    wanted = DesiredFeeds(LINGER)
    wanted.acquire(KEY, SPEC, "warm", until=30.0)
    wanted.acquire(KEY, SPEC, "warm", until=20.0)
    assert wanted.sweep(29.9) == []
    assert wanted.held(KEY)
    assert wanted.sweep(30.0) == []
    assert not wanted.held(KEY)
    assert wanted.sweep(40.0) == [CloseFeed(KEY)]


def test_a_new_login_reopens_and_the_new_relay_is_told_the_new_one() -> None:
    wanted = DesiredFeeds(LINGER)
    wanted.acquire(KEY, SPEC, "a")
    assert wanted.respecify(KEY, SPEC) == []
    new = replace(SPEC, credentials_version=2)
    assert wanted.respecify(KEY, new) == [OpenFeed(KEY, new)]
    wanted.acquire(FeedKey(1, "s7"), SPEC, "a")
    assert wanted.of_relay(0) == [OpenFeed(KEY, new)]
    assert wanted.respecify(FeedKey(0, "s8"), SPEC) == []


def test_giving_up_and_dropping() -> None:
    wanted = DesiredFeeds(LINGER)
    assert wanted.reopen(KEY) == []
    assert wanted.drop(KEY) == []
    wanted.acquire(KEY, SPEC, "a")
    assert wanted.reopen(KEY) == [CloseFeed(KEY), OpenFeed(KEY, SPEC)]
    assert wanted.drop(KEY) == [CloseFeed(KEY)]
    assert wanted.release(KEY, "a", 0.0) == []


def of_recorder(stream: int, relay: int = 0) -> tuple[FeedKey, FeedSpec]:
    key = FeedKey(relay, f"s{stream}")
    return key, replace(SPEC, feed=key.source_id, device="d1")


def a_full_recorder() -> DesiredFeeds:
    """It bears three sessions, and has them."""
    wanted = DesiredFeeds(LINGER, 3)
    for stream in (1, 2, 3):
        assert wanted.acquire(*of_recorder(stream, relay=stream % 2), "tile") == [
            OpenFeed(*of_recorder(stream, stream % 2))
        ]
    return wanted


def test_beyond_its_device_s_sessions_a_feed_waits_for_the_first_that_closes_over_all_relays() -> None:
    wanted = a_full_recorder()
    assert wanted.acquire(*of_recorder(4), "tile") == []
    assert wanted.acquire(*of_recorder(5), "tile") == []
    assert wanted.waits(FeedKey(0, "s4"))
    assert OpenFeed(*of_recorder(4)) not in wanted.of_relay(0), "nor does a new relay open it"
    other = replace(SPEC, feed="s9", device="d2")
    assert wanted.acquire(FeedKey(0, "s9"), other, "tile") == [OpenFeed(FeedKey(0, "s9"), other)]
    assert wanted.reopen(FeedKey(0, "s4")) == []
    assert wanted.release(FeedKey(1, "s1"), "tile", 0.0) == [CloseFeed(FeedKey(1, "s1")), OpenFeed(*of_recorder(4))], (
        "no lingering"
    )
    assert wanted.drop(FeedKey(0, "s2")) == [CloseFeed(FeedKey(0, "s2")), OpenFeed(*of_recorder(5))]
    assert not wanted.waits(FeedKey(0, "s5"))


def test_a_feed_that_waits_and_is_let_go_is_forgotten() -> None:
    wanted = a_full_recorder()
    wanted.acquire(*of_recorder(4), "tile")
    assert wanted.release(FeedKey(0, "s4"), "tile", 0.0) == [CloseFeed(FeedKey(0, "s4"))]
    assert wanted.release(FeedKey(1, "s1"), "tile", 0.0) == []


def test_lingering_feeds_give_way_the_oldest_first() -> None:
    wanted = a_full_recorder()
    wanted.release(FeedKey(0, "s2"), "tile", 5.0)
    wanted.release(FeedKey(1, "s1"), "tile", 6.0)
    assert wanted.acquire(*of_recorder(4), "tile") == [CloseFeed(FeedKey(0, "s2")), OpenFeed(*of_recorder(4))]
    assert wanted.acquire(*of_recorder(1, relay=1), "tile") == [], "it runs"
    assert wanted.acquire(*of_recorder(5), "tile") == []


def test_looks_find_room_only_where_nobody_waits() -> None:
    wanted = a_full_recorder()
    assert not wanted.has_room(FeedKey(0, "s4"), "d1")
    assert wanted.has_room(FeedKey(1, "s1"), "d1"), "it runs"
    assert wanted.has_room(FeedKey(0, "s4"), "d2")
    wanted.release(FeedKey(1, "s1"), "tile", 0.0)
    assert wanted.has_room(FeedKey(0, "s4"), "d1"), "a lingering one gives way"
    wanted.acquire(*of_recorder(1, relay=1), "tile")
    wanted.acquire(*of_recorder(5), "tile")
    assert not wanted.has_room(FeedKey(0, "s4"), "d1")


def test_a_device_that_refuses_a_session_bears_fewer_for_a_while() -> None:
    wanted = DesiredFeeds(LINGER, 16)
    for stream in range(1, 6):
        wanted.acquire(*of_recorder(stream), "tile")
    assert wanted.on_refused(FeedKey(0, "s5"), 2, 100.0) == [CloseFeed(FeedKey(0, "s5"))]
    assert wanted.on_refused(FeedKey(0, "s4"), 2, 100.5) == [CloseFeed(FeedKey(0, "s4"))]
    assert wanted.on_refused(FeedKey(0, "s4"), 2, 100.6) == [], "a late word"
    wanted.on_playing("d1", 3)
    assert wanted.acquire(*of_recorder(6), "tile") == []
    assert wanted.release(FeedKey(0, "s1"), "tile", 101.0)[0] == CloseFeed(FeedKey(0, "s1"))
    assert [key for key in wanted.all() if wanted.waits(key)] == [FeedKey(0, "s5"), FeedKey(0, "s6")]
    assert wanted.sweep(100.0 + LEARNED_SECONDS) == []
    opened = wanted.sweep(101.0 + LEARNED_SECONDS)
    assert opened == [OpenFeed(*of_recorder(5)), OpenFeed(*of_recorder(6))], "then it is asked again"


def test_a_refused_session_takes_the_place_of_a_lingering_one() -> None:
    wanted = DesiredFeeds(LINGER, 16)
    for stream in (1, 2, 3):
        wanted.acquire(*of_recorder(stream), "tile")
    wanted.release(FeedKey(0, "s1"), "tile", 0.0)
    assert wanted.on_refused(FeedKey(0, "s3"), 2, 1.0) == [CloseFeed(FeedKey(0, "s1"))]
    assert not wanted.waits(FeedKey(0, "s3")), "the relay's next try finds room"
    assert wanted.on_refused(FeedKey(0, "s2"), 0, 2.0) == [CloseFeed(FeedKey(0, "s2"))]
    assert wanted.on_refused(FeedKey(0, "s3"), 0, 3.0) == [], "one is always tried: others may hold all sessions"


def test_villages_are_shared_among_relays() -> None:
    assert {relay_of(village, 3) for village in range(1, 17)} == {0, 1, 2}
    assert {relay_of(village, 1) for village in range(1, 17)} == {0}


class WhatRunsIsWhatIsWanted(RuleBasedStateMachine):
    """A relay that does what it is told, beside a plain model of who holds what."""

    def __init__(self) -> None:
        super().__init__()
        self.wanted = DesiredFeeds(LINGER)
        self.open: set[FeedKey] = set()
        self.holders: dict[FeedKey, set[str]] = {}
        self.now = 0.0

    def do(self, actions: list[OpenFeed] | list[CloseFeed] | list[OpenFeed | CloseFeed]) -> None:
        for action in actions:
            if isinstance(action, OpenFeed):
                self.open.add(action.key)
            else:
                assert action.key in self.open, "closed what was not open"
                self.open.discard(action.key)

    @rule(stream=st.integers(1, 3), holder=st.sampled_from("abc"))
    def hold(self, stream: int, holder: str) -> None:
        key = FeedKey(0, f"s{stream}")
        self.do(self.wanted.acquire(key, replace(SPEC, feed=key.source_id), holder))
        self.holders.setdefault(key, set()).add(holder)

    @rule(stream=st.integers(1, 3), holder=st.sampled_from("abc"), linger=st.booleans())
    def release(self, stream: int, holder: str, linger: bool) -> None:
        key = FeedKey(0, f"s{stream}")
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


class NoDeviceIsAskedForMoreThanItBears(RuleBasedStateMachine):
    """Six streams of a recorder that bears three sessions, on two relays."""

    def __init__(self) -> None:
        super().__init__()
        self.wanted = DesiredFeeds(LINGER, 3)
        self.open: set[FeedKey] = set()
        self.held: dict[FeedKey, set[str]] = {}
        self.now = 0.0

    def do(self, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, OpenFeed):
                assert action.key not in self.open
                self.open.add(action.key)
            else:
                self.open.discard(action.key)
            assert len(self.open) <= 3, "not even for a moment"

    @rule(stream=st.integers(1, 6), relay=st.integers(0, 1), holder=st.sampled_from("ab"))
    def hold(self, stream: int, relay: int, holder: str) -> None:
        key, spec = of_recorder(stream, relay)
        self.do(self.wanted.acquire(key, spec, holder))
        self.held.setdefault(key, set()).add(holder)

    @rule(stream=st.integers(1, 6), relay=st.integers(0, 1), holder=st.sampled_from("ab"), linger=st.booleans())
    def release(self, stream: int, relay: int, holder: str, linger: bool) -> None:
        key = FeedKey(relay, f"s{stream}")
        self.do(self.wanted.release(key, holder, self.now, linger=linger))
        self.held.setdefault(key, set()).discard(holder)

    @rule(stream=st.integers(1, 6), relay=st.integers(0, 1))
    def drop(self, stream: int, relay: int) -> None:
        self.do(self.wanted.drop(FeedKey(relay, f"s{stream}")))
        self.held.pop(FeedKey(relay, f"s{stream}"), None)

    @rule(seconds=st.floats(0, 20))
    def sweep(self, seconds: float) -> None:
        self.now += seconds
        self.do(self.wanted.sweep(self.now))

    @invariant()
    def who_waits_has_a_reason(self) -> None:
        waiting = {key for key in self.wanted.all() if self.wanted.waits(key)}
        assert waiting.isdisjoint(self.open)
        assert all(self.held[key] for key in waiting)
        assert not waiting or len(self.open) == 3
        assert {key for key, holders in self.held.items() if holders} <= self.open | waiting


TestNoDeviceIsAskedForMore = NoDeviceIsAskedForMoreThanItBears.TestCase
TestNoDeviceIsAskedForMore.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestWhatRunsIsWhatIsWanted = WhatRunsIsWhatIsWanted.TestCase
TestWhatRunsIsWhatIsWanted.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
