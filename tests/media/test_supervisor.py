"""Several relays: villages are shared among them, and a tile follows its camera's village."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from camera_hub.cameras.credentials.login_budget import LoginBudget
from camera_hub.clock import SystemClock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import EventBus
from camera_hub.media.child_process import Process, Spawn, environment, helper
from camera_hub.media.engine import HelperCommands, MediaEngine
from camera_hub.media.interface import Quality, RelayReplaced, TileWish
from camera_hub.media.relays.handover import StandbyWarmUp
from camera_hub.media.relays.link import RelayLink
from camera_hub.media.relays.process import RelayProcess
from camera_hub.media.relays.supervisor import RelaySupervisor, config_of, memory_limit
from camera_hub.media.relays.watchdog import REPLACE_EVERY, memory_verdict
from camera_hub.media.wall.pages import PageOutbox
from camera_hub.relay.messages import FeedPhase, FeedSpec, FeedState, RtspLiveSource
from camera_hub.settings import MediaSettings, Settings
from camera_hub.store.database import Database
from camera_hub.wire import PipeFrame
from tests.media.conftest import FAKE_RELAY, OPERATOR, FakeChosen, FakeSources, engine, eventually, tile_in, until

pytestmark = pytest.mark.one_database

PAGE = "page-0001"


class TwoVillages(FakeSources):
    """Camera 5 is of village 2, all others of village 1."""

    async def choose(self, camera_id: int, quality: Quality, codecs: frozenset[str]) -> FakeChosen:
        return replace(await super().choose(camera_id, quality, codecs), village_id=2 if camera_id == 5 else 1)


@pytest.fixture
async def two(settings: Settings, bus: EventBus, site: Database, spawn: Spawn) -> AsyncIterator[MediaEngine]:
    settings = settings.model_copy(update={"media": MediaSettings(relays=2, udp_port=0)})
    async with engine(settings, bus, site, TwoVillages(), spawn) as media:
        yield media


async def test_a_tile_is_carried_by_the_relay_of_its_village(two: MediaEngine) -> None:
    async with two.pages.connected(PAGE, OPERATOR) as news:
        first = (await two.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        second = (await two.viewers.offer(OPERATOR, PAGE, 1, "offer")).viewer
        two.tiles.show(PAGE, TileWish(first, 0, 1, 1))
        assert (await tile_in(news, "live")).viewer == second
        two.tiles.show(PAGE, TileWish(second, 0, 1, 1))
        two.tiles.show(PAGE, TileWish(first, 0, 2, 5))
        live = await tile_in(news, "live")
        assert (live.viewer, live.serial, live.camera) == (first, 2, 5)
        two.tiles.show(PAGE, TileWish(first, 0, 3, None))
        assert (await tile_in(news, "empty")).viewer == first


@pytest.mark.processes
async def test_a_relay_that_dies_leaves_its_tiles_to_the_other(two: MediaEngine) -> None:
    async with two.pages.connected(PAGE, OPERATOR) as news:
        first = (await two.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        await two.viewers.offer(OPERATOR, PAGE, 1, "offer")
        two.tiles.show(PAGE, TileWish(first, 0, 1, 1))
        await tile_in(news, "live")
        pid = two.links[1].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(news, lambda n: n == RelayReplaced(1, 2))
        assert (await tile_in(news, "live")).viewer == first
        assert two.pages.greeting(PAGE).viewers == [first]


async def test_a_relay_that_cannot_start_is_told_at_once(settings: Settings, bus: EventBus, site: Database) -> None:
    settings = settings.model_copy(update={"media": MediaSettings(udp_port=0)})
    with pytest.raises(HubError) as error:
        async with MediaEngine(
            settings,
            SystemClock(),
            bus,
            site,
            FakeSources(),
            LoginBudget(SystemClock()),
            HelperCommands(("/bin/false",)),
        ):
            pass
    assert error.value.kind is Kind.UNAVAILABLE


def test_relays_take_ports_one_after_the_other(settings: Settings) -> None:
    several = settings.model_copy(update={"media": MediaSettings(udp_port=8189)})
    assert [config_of(several, number).udp_port for number in range(3)] == [8189, 8190, 8191]
    assert config_of(settings, 2).udp_port == 0


def test_helpers_get_no_secret_of_our_environment() -> None:
    ours = {
        "PATH": "/bin",
        "CAMERA_HUB_DATABASE__URL": "postgresql://hub:secret@db/hub",
        "AWS_SECRET": "x",
        "TZ": "UTC",
    }
    passed = environment(ours)
    assert (passed["PATH"], passed["TZ"]) == ("/bin", "UTC")
    assert not any("secret" in value or "SECRET" in name for name, value in passed.items())
    assert "CAMERA_HUB_DATABASE__URL" not in passed


async def heard(media: MediaEngine, type_: str) -> list[dict[str, Any]]:
    """What the relay in charge was told, of one kind."""
    told = (await media.links[0].call("fake.heard", {}))["heard"]
    return [message for message in told if message["type"] == type_]


async def watching(media: MediaEngine, news: PageOutbox, *cameras: int) -> str:
    """Open a viewer that shows these cameras, one per track; answers its name."""
    viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
    for track, camera in enumerate(cameras):
        media.tiles.show(PAGE, TileWish(viewer, track, 1, camera))
        await tile_in(news, "live")
    return viewer


@pytest.mark.processes
async def test_a_fresh_relay_opens_what_plays_before_it_takes_over_and_pages_offer_anew(media: MediaEngine) -> None:
    relay = media.links[0]
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = await watching(media, news, 1, 2)
        pid = relay.pid
        assert await media.relays.restart(0) == 2
        assert relay.pid != pid
        await until(news, lambda n: n == RelayReplaced(0, 2))
        order = [message["type"] for message in (await relay.call("fake.heard", {}))["heard"]]
        assert order.index("feed.open") < order.index("port.open")
        assert {message["feed"] for message in await heard(media, "feed.open")} == {"s12", "s22"}
        assert media.pages.greeting(PAGE).viewers == []
        again = await watching(media, news, 1)
        assert again != viewer


class Feeds:
    """As feeds.feeds and relays.inbound: three feeds play, of which one is released while the standby warms up."""

    def __init__(self) -> None:
        source = RtspLiveSource("rtsp://127.0.0.1/live", "127.0.0.1", 554)
        self.playing = [FeedSpec(f"s{n}", source) for n in (1, 2, 3)]
        self.ended: list[int] = []
        self.started: list[int] = []

    def on_relay_started(self, relay: RelayLink) -> None:
        self.started.append(relay.epoch)

    def on_relay_message(self, relay: RelayLink, frame: PipeFrame) -> None:
        pass

    def on_login_message(self, relay: RelayLink, process: RelayProcess, frame: PipeFrame) -> None:
        pass

    def on_process_ended(self, process: RelayProcess) -> None:
        self.ended.append(process.id)

    def playing_on(self, relay: int) -> list[FeedSpec]:
        return self.playing

    def wanted_on(self, relay: int) -> list[FeedSpec]:
        return self.playing[:2]


class FeedsAtTheEnd(Feeds):
    """Tells that it was asked for what should run, which is the last that a hand-over does."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    def wanted_on(self, relay: int) -> list[FeedSpec]:
        self.asked.set()
        return super().wanted_on(relay)


def supervisor(settings: Settings, spawn: Spawn, feeds: Feeds, link: RelayLink) -> RelaySupervisor:
    launch = partial(helper, FAKE_RELAY, spawn)
    config = config_of(settings, 0)
    return RelaySupervisor(link, config, SystemClock(), feeds, feeds, memory_bytes=1 << 40, launch=launch)


async def test_what_was_released_while_the_fresh_relay_warmed_up_is_closed_there_too(
    settings: Settings, spawn: Spawn
) -> None:
    feeds, link = Feeds(), RelayLink(0)
    async with supervisor(settings, spawn, feeds, link) as relay:
        assert await relay.replace() == 2
        told = (await link.call("fake.heard", {}))["heard"]
        assert [one["feed"] for one in told if one["type"] == "feed.open"] == ["s1", "s2", "s3"]
        assert [one["feed"] for one in told if one["type"] == "feed.close"] == ["s3"]
    assert feeds.started == [1, 2]
    assert len(feeds.ended) == 2
    assert not link.up


async def test_a_successor_that_is_ready_as_the_hub_ends_is_ended_too(settings: Settings, spawn: Spawn) -> None:
    processes: list[Process] = []

    async def counting(command: Sequence[str], theirs: socket.socket) -> Process:
        processes.append(await spawn(command, theirs))
        return processes[-1]

    feeds, link = FeedsAtTheEnd(), RelayLink(0)
    async with supervisor(settings, counting, feeds, link) as relay:
        replacing = asyncio.create_task(relay.replace())
        await feeds.asked.wait()
    with pytest.raises(HubError):
        await replacing
    assert len(processes) == 2
    assert [process.returncode for process in processes if process.returncode is None] == []
    assert len(feeds.ended) == 2
    assert feeds.started == [1]


@pytest.mark.processes
async def test_a_relay_whose_pulses_cannot_be_read_is_replaced(settings: Settings, spawn: Spawn) -> None:
    feeds, link = Feeds(), RelayLink(0)
    async with supervisor(settings, spawn, feeds, link):
        link.post("fake.babble", {})
        await eventually(lambda: _true(feeds.started == [1, 2]))


async def _true(answer: bool) -> bool:
    return answer


async def test_a_relay_that_does_not_exist_cannot_be_restarted(media: MediaEngine) -> None:
    with pytest.raises(HubError) as error:
        await media.relays.restart(7)
    assert error.value.kind is Kind.NOT_FOUND


@pytest.mark.processes
async def test_a_hung_relay_is_replaced(media: MediaEngine) -> None:
    relay = media.links[0]
    async with media.pages.connected(PAGE, OPERATOR) as news:
        await watching(media, news, 1)
        relay.post("fake.hang", {})
        await until(news, lambda n: n == RelayReplaced(0, 2))


@pytest.mark.processes
async def test_a_relay_that_dies_while_its_successor_warms_up_is_replaced_as_ever(media: MediaEngine) -> None:
    relay = media.links[0]
    async with media.pages.connected(PAGE, OPERATOR) as news:
        await watching(media, news, 1)
        replacing = asyncio.create_task(media.relays.restart(0))
        assert relay.pid is not None
        os.kill(relay.pid, signal.SIGKILL)
        await until(news, lambda n: n == RelayReplaced(0, 2))
        with pytest.raises(HubError) as error:
            await replacing
        assert error.value.kind is Kind.UNAVAILABLE


@pytest.mark.processes
@pytest.mark.parametrize("share", [1.1, 2.0])
async def test_a_relay_that_grows_too_big_is_replaced(media: MediaEngine, settings: Settings, share: float) -> None:
    async with media.pages.connected(PAGE, OPERATOR) as news:
        await watching(media, news, 1)
        media.links[0].post("fake.grow", {"rss_bytes": int(memory_limit(settings) * share)})
        await until(news, lambda n: n == RelayReplaced(0, 2))


def test_memory_makes_way_in_order_but_not_again_and_again() -> None:
    assert memory_verdict(99, 100, 0.0) == "fine"
    assert memory_verdict(120, 100, float("inf")) == "replace"
    assert memory_verdict(120, 100, REPLACE_EVERY - 1) == "fine"
    assert memory_verdict(151, 100, 0.0) == "kill"


def test_a_device_that_is_full_is_not_pressed_by_the_standby() -> None:
    specs = [
        FeedSpec(f"s{n}", RtspLiveSource("rtsp://127.0.0.1/1", "127.0.0.1", 554), device="nvr" if n < 4 else "d")
        for n in range(6)
    ]
    warming = StandbyWarmUp.of(specs)
    assert warming.on_feed_state(FeedState("s0", FeedPhase.LIVE)) == []
    assert warming.on_feed_state(FeedState("s1", FeedPhase.FAILED, reason=Reason.DEVICE_FULL)) == ["s1", "s2", "s3"]
    assert warming.on_feed_state(FeedState("s4", FeedPhase.LIVE)) == []
    assert not warming.settled
    warming.on_feed_state(FeedState("s5", FeedPhase.FAILED, reason=Reason.TIMED_OUT))
    assert warming.settled
    assert set(warming.specs) == {"s0", "s4", "s5"}


def test_the_memory_that_a_relay_may_hold_follows_the_settings(settings: Settings) -> None:
    assert 512 * 1024**2 < memory_limit(settings) < 2 * 1024**3
    small = settings.model_copy(update={"media": MediaSettings(relay_memory_bytes=300_000_000)})
    assert memory_limit(small) == 300_000_000
