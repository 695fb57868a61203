"""The whole road of one picture: virtual cameras → relay process → a WebRTC peer, and → eye process."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import pytest

from camera_hub.demo.webrtc import WallPeer
from camera_hub.errors import HubError, Reason
from camera_hub.events import EventBus
from camera_hub.media.engine import MediaEngine
from camera_hub.media.interface import Quality, RelayReplaced, TileStatus, TileWish
from camera_hub.relay.messages import RtspLiveSource
from camera_hub.settings import IngestSettings, Settings
from camera_hub.simulator.farm import Farm
from camera_hub.simulator.faults import Fault
from camera_hub.simulator.state import DeviceState
from camera_hub.simulator.testing import small_farm, small_plan
from camera_hub.store.database import Database
from tests.media.conftest import OPERATOR, FakeChosen, FakeSources, engine, eventually, tile_in, until

pytestmark = pytest.mark.one_database

PAGE = "page-0001"


@dataclass
class FarmSources(FakeSources):
    """Camera n is the n-th device of the farm."""

    farm: Farm | None = None

    async def choose(self, camera_id: int, quality: Quality, codecs: frozenset[str]) -> FakeChosen:
        chosen = await super().choose(camera_id, quality, codecs)
        assert self.farm is not None
        state = list(self.farm.devices.values())[camera_id - 1].state
        url = state.stream_url(state.plan.channels[0], 2 if chosen.role == "sub" else 1)
        plan = state.plan
        source = RtspLiveSource(url, plan.address, state.rtsp_port, plan.username, plan.password)
        spec = replace(chosen.spec, source=source, device=f"d{camera_id}")
        return replace(chosen, spec=spec)


@pytest.fixture
async def farm() -> AsyncIterator[Farm]:
    async with small_farm(villages=3, cameras=3) as farm:
        yield farm


@pytest.fixture
async def real(settings: Settings, bus: EventBus, site: Database, farm: Farm) -> AsyncIterator[MediaEngine]:
    """A Media with a real relay and a real eye, fed by the farm."""
    async with engine(settings, bus, site, FarmSources(farm=farm)) as media:
        yield media


@pytest.mark.slow
async def test_cameras_play_switch_and_come_back_after_the_relay_was_killed(real: MediaEngine, farm: Farm) -> None:
    async with real.pages.connected(PAGE, OPERATOR) as news, asyncio.timeout(60):
        async with WallPeer(2) as peer:
            answer = await real.viewers.offer(OPERATOR, PAGE, 0, await peer.offer())
            await peer.accept(answer.sdp)
            assert answer.codecs == ["h264"]
            real.tiles.show(PAGE, TileWish(answer.viewer, 0, 1, 1))
            real.tiles.show(PAGE, TileWish(answer.viewer, 1, 1, 2))
            assert await peer.picture(0) == (320, 192)
            assert await peer.picture(1) == (320, 192)
            await tile_in(news, "live")
            first, second = await real.viewers.readings(answer.viewer, OPERATOR)
            assert (first.track, second.track) == (0, 1)
            assert first.feed is not None
            assert first.feed["codec"] == "h264"
            assert first.feed["width"] == 320
            assert first.feed["key_frames"] >= 1
            assert first.sent is not None
            assert first.sent["packets"] >= 1
            with pytest.raises(HubError, match="no such viewer"):  # it is one person's
                await real.viewers.readings(answer.viewer, replace(OPERATOR, user_id=OPERATOR.user_id + 1))
            real.tiles.show(PAGE, TileWish(answer.viewer, 0, 2, 3))
            assert (await tile_in(news, "live", serial=2)).camera == 3
            pid = real.links[0].pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await until(news, lambda n: isinstance(n, RelayReplaced))
        async with WallPeer(1) as peer:
            again = await real.viewers.offer(OPERATOR, PAGE, 0, await peer.offer())
            await peer.accept(again.sdp)
            real.tiles.show(PAGE, TileWish(again.viewer, 0, 3, 3))
            assert await peer.picture(0) == (320, 192)


@pytest.mark.slow
async def test_a_fresh_relay_takes_over_with_its_pictures_ready(real: MediaEngine, farm: Farm) -> None:
    device = next(iter(farm.devices.values())).state
    async with real.pages.connected(PAGE, OPERATOR) as news, asyncio.timeout(60):
        async with WallPeer(1) as peer:
            answer = await real.viewers.offer(OPERATOR, PAGE, 0, await peer.offer())
            await peer.accept(answer.sdp)
            real.tiles.show(PAGE, TileWish(answer.viewer, 0, 1, 1))
            assert await peer.picture(0) == (320, 192)
            before = real.links[0].port
            assert await real.relays.restart(0) == 2
            assert await until(news, lambda n: isinstance(n, RelayReplaced)) == RelayReplaced(0, 2)
        async with WallPeer(1) as peer:
            again = await real.viewers.offer(OPERATOR, PAGE, 0, await peer.offer())
            await peer.accept(again.sdp)
            real.tiles.show(PAGE, TileWish(again.viewer, 0, 2, 1))
            assert await peer.picture(0) == (320, 192)
        assert real.links[0].port == before
        assert sum(device.stats.plays.values()) == 2, "the stream was opened once, beforehand, and never again"
        await eventually(lambda: _sessions(device, 1))


async def _sessions(device: DeviceState, count: int) -> bool:
    return sum(device.stats.sessions.values()) == count


@pytest.mark.slow
async def test_a_wrong_password_costs_two_tries_whoever_asks(real: MediaEngine, farm: Farm) -> None:
    key, device = next(iter(farm.devices.items()))
    await farm.set_fault(key, Fault.WRONG_PASSWORD)
    async with real.pages.connected(PAGE, OPERATOR) as news, WallPeer(1) as peer:
        answer = await real.viewers.offer(OPERATOR, PAGE, 0, await peer.offer())
        await peer.accept(answer.sdp)
        real.tiles.show(PAGE, TileWish(answer.viewer, 0, 1, 1))
        blocked = await until(news, lambda n: isinstance(n, TileStatus) and n.retry_at is not None)
        assert isinstance(blocked, TileStatus)
        assert (blocked.state, blocked.reason) == ("failed", Reason.WRONG_PASSWORD)
        for _ in range(3):
            assert (await real.looks.look(1, deadline=60)).reason == Reason.WRONG_PASSWORD
        await real.relays.restart(0)
        await until(news, lambda n: isinstance(n, RelayReplaced))
    assert device.state.stats.logins_failed == 2


@pytest.mark.slow
async def test_a_look_opens_a_feed_for_itself_and_closes_it(real: MediaEngine, farm: Farm) -> None:
    sight = await real.looks.look(1, scores=True)
    assert sight.reason is None, sight
    assert sight.seen is not None
    assert sight.jpeg is not None
    assert (sight.seen.width, sight.seen.height, sight.codec, sight.role) == (320, 192, "h264", "sub")
    assert sight.seen.scores["black"] == 100.0
    assert None not in (sight.signalling_ms, sight.stream_ms, sight.key_frame_ms)
    assert real.cameras.feed_reason(1) is None, "the feed is closed again"
    assert sight.seen.memory is not None
    later = await real.looks.look(1, scores=True, memory=sight.seen.memory, jpeg=False)
    assert later.seen is not None
    assert later.seen.scores["frozen"] >= 60


@pytest.mark.slow
async def test_faults_have_their_own_reasons(real: MediaEngine, farm: Farm) -> None:
    keys = list(farm.devices)
    await farm.set_fault(keys[0], Fault.WRONG_PASSWORD)
    await farm.set_fault(keys[1], Fault.DEAD)
    await farm.set_fault(keys[2], Fault.BLACK)
    wrong, dead, black = await asyncio.gather(
        real.looks.look(1, deadline=60), real.looks.look(2, deadline=60), real.looks.look(3, scores=True, deadline=60)
    )
    assert wrong.reason == Reason.WRONG_PASSWORD
    assert dead.reason in (Reason.PORT_CLOSED, Reason.UNREACHABLE)
    assert black.reason is None
    assert black.seen is not None
    assert black.seen.scores["black"] < 60


async def test_a_proof_keeps_the_picture(real: MediaEngine) -> None:
    assert await real.prover.prove(2) is None
    picture = await real.pictures.read(2)
    assert picture is not None
    assert picture.startswith(b"\xff\xd8\xff")


@pytest.mark.slow
async def test_a_main_stream_over_a_thin_link_becomes_late_and_gives_way_to_the_sub_stream(
    settings: Settings, bus: EventBus, site: Database, farm: Farm
) -> None:
    sources = FarmSources(farm=farm, paths={1: {"main": "", "sub": ""}})
    soon = settings.model_copy(update={"ingest": IngestSettings(late_seconds=1.0, late_for=1.0)})
    async with (
        engine(soon, bus, site, sources) as media,
        media.pages.connected(PAGE, OPERATOR) as news,
        WallPeer(1) as peer,
        asyncio.timeout(60),
    ):
        answer = await media.viewers.offer(OPERATOR, PAGE, 0, await peer.offer())
        await peer.accept(answer.sdp)
        media.tiles.show(PAGE, TileWish(answer.viewer, 0, 1, 1, "main"))
        assert (await tile_in(news, "live")).stream == "main"
        device = next(iter(farm.devices))
        await farm.set_fault(device, Fault.THIN, value=170_000)  # main takes 235 kbit/s, sub 140
        moved = await until(news, lambda n: isinstance(n, TileStatus) and n.note == "late_sub")
        assert isinstance(moved, TileStatus)
        assert (moved.state, moved.stream) == ("live", "sub")
        assert (await media.looks.look(1)).late, "health is told"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "reason", "codec"), [(None, Reason.NO_H264, "h265"), (Fault.B_FRAMES, Reason.B_FRAMES, "h264")]
)
async def test_what_no_browser_here_plays_comes_as_one_picture_per_key_frame(
    settings: Settings, bus: EventBus, site: Database, fault: Fault | None, reason: Reason, codec: str
) -> None:
    plan = small_plan(1, 1, h265_only=0 if fault else 1)
    async with small_farm(plan=plan) as farm, AsyncExitStack() as stack:
        if fault is not None:
            await farm.set_fault(next(iter(farm.devices)), fault)
        real = await stack.enter_async_context(engine(settings, bus, site, FarmSources(farm=farm)))
        async with real.pages.connected(PAGE, OPERATOR) as news, WallPeer(1) as peer, asyncio.timeout(60):
            answer = await real.viewers.offer(OPERATOR, PAGE, 0, await peer.offer())
            await peer.accept(answer.sdp)
            real.tiles.show(PAGE, TileWish(answer.viewer, 0, 1, 1))
            seen: set[bytes] = set()
            while len(seen) < 3:
                told = await tile_in(news, "pictures")
                assert (told.reason, told.codec, told.stream) == (reason, codec, "sub")
                still = real.stills.newest(1, "sub")
                assert still is not None
                assert still.jpeg.startswith(b"\xff\xd8\xff")
                seen.add(still.jpeg)
            (reading,) = await real.viewers.readings(answer.viewer, OPERATOR)
            assert reading.sent is None
            assert reading.feed is not None
            assert (reading.track, reading.feed["codec"]) == (0, codec)
            sight = await real.looks.look(1, max_width=0)
            assert sight.seen is not None
            assert (sight.seen.width, sight.seen.height) == (320, 192)
            await tile_in(news, "pictures")
