"""Admission control: watched feeds before looks, a place that looks cannot take, and no thundering herd."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial

from camera_hub.clock import Clock, SystemClock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.relay.ingest.admission import WAKE_INTERVAL, AdmissionControl
from camera_hub.relay.ingest.login_permits import LoginPermitRequests
from camera_hub.relay.messages import FeedSpec, LoginMay, RtspLiveSource
from camera_hub.running import Backoff, ended, keep_running
from tests.fakes.clock import ManualClock

FREE = LoginPermitRequests(lambda head: None, asks=False)


WITH_LOGIN = RtspLiveSource("rtsp://127.0.0.1/1", "127.0.0.1", 554, "u", "p")


def spec(name: str, village: str = "v1") -> FeedSpec:
    return FeedSpec(name, RtspLiveSource("rtsp://127.0.0.1/1", "127.0.0.1", 554), group=village, device=name)


class Opening:
    """One feed that waits for admission."""

    def __init__(self, admission: AdmissionControl, name: str, order: list[str], *, watched: bool = False) -> None:
        self.watched = watched
        self.done = asyncio.Event()
        self._order = order
        self._admission, self._name = admission, name
        self.task = asyncio.create_task(self._open(), name=name)

    async def _open(self) -> None:
        async with self._admission.opening(spec(self._name), lambda: self.watched):
            self._order.append(self._name)
            await self.done.wait()


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_viewer_is_let_in_before_looks_that_came_earlier() -> None:
    admission, order = AdmissionControl(2, 32, FREE, SystemClock()), list[str]()
    async with AsyncExitStack() as stack:
        looks = [Opening(admission, f"look {number}", order) for number in range(3)]
        await settled()
        assert order == ["look 0"], "the last place is kept for a viewer"
        viewer = Opening(admission, "viewer", order, watched=True)
        for one in (*looks, viewer):
            stack.push_async_callback(ended, one.task)
        await settled()
        assert order == ["look 0", "viewer"]
        looks[2].watched = True
        admission.watched(spec("look 2"))
        looks[0].done.set()
        await settled()
        assert order == ["look 0", "viewer", "look 2"]
        viewer.done.set()
        looks[2].done.set()
        await settled()
        assert order[-1] == "look 1"


async def test_channels_that_wait_for_their_recorders_login_do_not_occupy_their_villages_places() -> None:
    """A silent recorder has one channel tried at a time; who wants another camera of the village need not wait."""
    asked: list[dict[str, object]] = []
    permits = LoginPermitRequests(asked.append, asks=True)
    admission = AdmissionControl(2, 32, permits, SystemClock())
    order: list[str] = []

    async def open_(of: FeedSpec) -> None:
        async with admission.opening(of):
            order.append(of.feed)
            await asyncio.Event().wait()

    channels = [FeedSpec(f"channel {number}", WITH_LOGIN, group="v1", device="recorder") for number in range(6)]
    async with AsyncExitStack() as stack:
        for of in (*channels, spec("another camera")):
            stack.push_async_callback(ended, asyncio.create_task(open_(of), name=of.feed))
        await settled()
        assert [head["feed"] for head in asked if head["type"] == "login.ask"] == [of.feed for of in channels]
        assert order == ["another camera"]


async def test_who_has_the_turn_that_a_viewer_waits_for_goes_before_looks() -> None:
    """Else a viewer would wait for a look of the same recorder, and that one behind all other looks."""
    permits = LoginPermitRequests(lambda head: None, asks=True)
    admission, order, done = AdmissionControl(2, 32, permits, SystemClock()), list[str](), asyncio.Event()
    recorder = partial(FeedSpec, source=WITH_LOGIN)

    async def open_(of: FeedSpec, watched: bool) -> None:
        async with admission.opening(of, lambda: watched):
            order.append(of.feed)
            await done.wait()

    async with AsyncExitStack() as stack:
        looks = [spec(f"look {number}") for number in range(3)]
        channels = [recorder(feed, group="v1", device="recorder") for feed in ("channel, a look", "channel, watched")]
        for of, watched in ((looks[0], False), (looks[1], False), (channels[0], False)):
            stack.push_async_callback(ended, asyncio.create_task(open_(of, watched), name=of.feed))
        await settled()
        permits.on_answer(LoginMay(1))
        await settled()
        assert order == ["look 0"]
        stack.push_async_callback(ended, asyncio.create_task(open_(channels[1], True), name="watched"))
        await settled()
        admission.watched(channels[1])
        await settled()
        assert order == ["look 0", "channel, a look"]
        done.set()


async def test_who_gives_up_while_waiting_takes_no_place() -> None:
    admission, order = AdmissionControl(1, 32, FREE, SystemClock()), list[str]()
    first, second, third = (Opening(admission, name, order) for name in ("first", "second", "third"))
    await settled()
    await ended(second.task)
    first.done.set()
    await settled()
    assert order == ["first", "third"]
    await ended(third.task)
    last = Opening(admission, "last", order)
    last.done.set()
    await asyncio.wait_for(last.task, 60)


async def test_who_gives_up_in_the_moment_that_a_place_falls_free_does_not_disturb_the_one_who_leaves() -> None:
    admission, order = AdmissionControl(1, 32, FREE, SystemClock()), list[str]()
    first, second, third = (Opening(admission, name, order) for name in ("first", "second", "third"))
    await settled()
    first.done.set()
    second.task.cancel()
    await settled()
    await first.task
    assert order == ["first", "third"]
    await ended(third.task)


class Villages:
    """Cameras that are pulled as a feed pulls them: each open takes a second, and fails while the link is down."""

    def __init__(self, clock: Clock, admission: AdmissionControl) -> None:
        self.up = False
        self.playing: list[str] = []
        self.tries = 0
        self.most: dict[str, int] = {}
        self._opening: dict[str, int] = {}
        self._clock = clock
        self._admission = admission
        self._tasks: list[asyncio.Task[None]] = []

    def pull(self, village: str, camera: int) -> None:
        one = spec(f"{village} camera {camera}", village)

        async def open_() -> None:
            async with self._admission.opening(one):
                self.tries += 1
                for counted in (village, "all"):
                    now = self._opening[counted] = self._opening.get(counted, 0) + 1
                    self.most[counted] = max(self.most.get(counted, 0), now)
                try:
                    await self._clock.sleep(1.0)
                finally:
                    for counted in (village, "all"):
                        self._opening[counted] -= 1
                if not self.up:
                    raise HubError(Kind.UNREACHABLE, "no answer", reason=Reason.UNREACHABLE)
            self.playing.append(one.feed)
            await asyncio.Event().wait()

        rest = partial(self._admission.wait_to_retry, one)
        backoff = Backoff(first=1.0, cap=600.0)
        pulling = keep_running(one.feed, open_, clock=self._clock, backoff=backoff, rest=rest)
        self._tasks.append(asyncio.create_task(pulling, name=one.feed))

    async def end(self) -> None:
        for task in self._tasks:
            await ended(task)


async def test_a_village_that_returns_is_served_whole_four_at_once_and_soon() -> None:
    clock = ManualClock()
    villages = Villages(clock, AdmissionControl(4, 32, FREE, clock))
    for camera in range(40):
        villages.pull("v1", camera)
    await clock.advance(3600)
    assert villages.playing == []
    villages.up = True
    while not villages.playing:  # the first one finds out by itself
        await clock.advance(1)
    await clock.advance(20)
    assert len(villages.playing) == 40, "nobody waits out minutes of backoff"
    assert villages.most == {"v1": 3, "all": 3}, "nobody watches: the fourth place is kept for one who does"
    await villages.end()


async def test_many_villages_that_return_together_keep_to_the_bound_of_all() -> None:
    clock = ManualClock()
    villages = Villages(clock, AdmissionControl(4, 8, FREE, clock))
    villages.up = True
    for camera in range(20):
        for village in range(16):
            villages.pull(f"v{village}", camera)
    await clock.advance(60)
    assert len(villages.playing) == 320
    assert villages.most["all"] == 7
    assert max(villages.most.values()) == 7
    await villages.end()


async def test_a_camera_that_comes_and_goes_does_not_wake_the_dead_ones_each_time() -> None:
    clock = ManualClock()
    admission = AdmissionControl(4, 32, FREE, clock)
    rested: list[float] = []

    async def dead() -> None:
        await admission.wait_to_retry(spec("dead"), 1000.0)
        rested.append(clock.monotonic())

    began = clock.monotonic()
    for _ in range(6):
        resting = asyncio.create_task(dead())
        await settled()
        async with admission.opening(spec("flapping")):
            pass
        await clock.advance(WAKE_INTERVAL / 3)
        await ended(resting)
    assert [at - began for at in rested] == [0.0, WAKE_INTERVAL]


async def test_an_overloaded_relay_opens_one_stream_at_a_time() -> None:
    overloaded, order = True, list[str]()
    admission = AdmissionControl(8, 8, FREE, SystemClock(), overloaded=lambda: overloaded)
    async with AsyncExitStack() as stack:
        feeds = [Opening(admission, f"feed {number}", order, watched=True) for number in range(4)]
        for one in feeds:
            stack.push_async_callback(ended, one.task)
        await settled()
        assert order == ["feed 0"]
        feeds[0].done.set()
        await settled()
        assert order == ["feed 0", "feed 1"], "it is slow, but nobody waits for ever"
        overloaded = False
        feeds[1].done.set()
        await settled()
        assert order == [f"feed {number}" for number in range(4)]
