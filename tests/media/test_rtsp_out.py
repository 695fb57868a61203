"""RTSP out on the hub's side: who is let in, which feed they share, what the register keeps, and how sessions end."""

import os
import signal
from datetime import timedelta
from typing import Any

import pytest

from camera_hub.access.policy import Actor, Role
from camera_hub.access.stream_tokens import StreamTokens, TokenScope, hashed
from camera_hub.clock import SystemClock
from camera_hub.events import CameraChanged, EventBus
from camera_hub.media.background import Background
from camera_hub.media.child_process import Spawn
from camera_hub.media.engine import MediaEngine
from camera_hub.media.rtsp_out.admission import PlayerAdmission, PlayerRequest
from camera_hub.media.rtsp_out.player_sessions import PlayerSessions
from camera_hub.media.rtsp_out.session_register import SessionView, StreamRegister
from camera_hub.media.wall.authorization import WatchAuthorization
from camera_hub.relay.messages import RtspAsk, RtspEnded
from camera_hub.settings import MediaSettings, Settings
from camera_hub.store.database import Database
from camera_hub.store.retention import SETTLE
from camera_hub.store.tables import Camera, StreamSession
from camera_hub.wire import PipeFrame
from tests.fakes.clock import ManualClock
from tests.media.conftest import FakeSources, engine, eventually
from tests.media.parts import FakeCapacity

pytestmark = pytest.mark.one_database

ADMIN = Actor(1, "op", "管理员", Role.TOWNSHIP_ADMIN)


class Players:
    """Players as the relay tells of them."""

    def __init__(self, media: MediaEngine) -> None:
        self.media = media
        self.number = 0

    async def ask(self, text: str, camera: int, session: str | None = None) -> dict[str, Any]:
        """The hub's answer."""
        self.number += 1
        ask = RtspAsk(session or f"p{self.number}", hashed(text), camera, "main", "10.1.1.9", "decoder")
        relay = self.media.links[0]
        answer: dict[str, Any] = (await relay.call("fake.ask", {"ask": ask.head("rtsp.ask")}))["answer"]
        return answer

    async def say(self, session: str, reason: str, **values: Any) -> None:
        """The relay's last word about a session."""
        word = RtspEnded(session, reason, **values)
        await self.media.links[0].call("fake.say", {"frames": [word.head("rtsp.ended")]})

    async def over(self, line: int = 0) -> SessionView:
        """The line, the newest being 0, once it has ended."""

        async def ended() -> bool:
            return not (await self.lines())[line].running

        await eventually(ended)
        return (await self.lines())[line]

    async def lines(self) -> list[SessionView]:
        return await self.media.players.lines(limit=50)


@pytest.fixture
async def players(media: MediaEngine) -> Players:
    return Players(media)


ALL = TokenScope()


async def made(media: MediaEngine, scope: TokenScope = ALL, **values: Any) -> tuple[int, str]:
    token, text = await media.stream_tokens.create(
        ADMIN, "大屏解码器", scope, **{"expires_at": None, "max_sessions": 4, **values}
    )
    return token.id, text


async def port_of(media: MediaEngine) -> int | None:
    """The first relay's port, after all that has happened to tokens."""
    await media.players.on_tokens_changed()
    await media.rtsp_ports.update()
    return media.rtsp_ports.states()[0].port


async def test_a_token_lets_a_player_share_the_feed_and_a_line_is_kept(media: MediaEngine, players: Players) -> None:
    token_id, text = await made(media)
    answer = await players.ask(text, 1, "p1")
    assert answer["feed"] == "s12"
    assert media.players.running() == {token_id: 1}
    line = (await players.lines())[0]
    assert (line.camera_name, line.village_name, line.address, line.agent) == (
        "camera 1",
        "东村",
        "10.1.1.9",
        "decoder",
    )
    assert (line.running, line.ended_at) == (True, None)
    await players.say("p1", "closed", transport="udp", bytes=3_000_000_000)
    line = await players.over()
    assert (line.end_reason, line.transport, line.bytes) == ("closed", "udp", 3_000_000_000)
    assert media.cameras.feed_reason(1) == ("live", None), "the lease is released, the feed lingers"
    used = (await media.stream_tokens.all())[0].used_at
    assert used == line.started_at


async def test_a_revoked_token_and_a_retired_camera_end_their_sessions_at_once(
    media: MediaEngine, players: Players, site: Database, bus: EventBus
) -> None:
    token_id, text = await made(media)
    await players.ask(text, 1)
    await players.ask(text, 2)
    async with site.write() as session:
        camera = await session.get_one(Camera, 2)
        camera.state = "retired"
    bus.publish(CameraChanged(2, 1))
    assert (await players.over(0)).end_reason == "retired"
    assert (await players.lines())[1].running
    await media.stream_tokens.revoke(token_id)
    assert (await players.over(1)).end_reason == "revoked"
    assert (await players.ask(text, 1))["reason"] == "revoked"
    assert media.players.running() == {}


async def test_who_has_no_good_token_is_refused_and_leaves_no_line(media: MediaEngine, players: Players) -> None:
    _, village = await made(media, TokenScope(village_id=2))
    _, named = await made(media, TokenScope(cameras=(1, 2)))
    assert (await players.ask("0" * 32, 1))["error"] == "unauthenticated"
    assert (await players.ask(village, 1))["error"] == "not_found", "another village's camera"
    assert (await players.ask(named, 3))["error"] == "not_found", "a camera that is not named"
    assert (await players.ask(named, 99))["error"] == "not_found", "no camera at all"
    _, everything = await made(media)
    assert (await players.ask(everything, 6))["error"] == "not_found", "a camera that is not approved"
    assert await players.lines() == []
    assert media.players.running() == {}
    assert (await players.ask(village, 5))["feed"]
    assert (await players.ask(named, 2))["feed"]


async def test_a_token_and_the_hub_have_only_so_many_sessions(
    settings: Settings, bus: EventBus, site: Database, sources: FakeSources, spawn: Spawn
) -> None:
    few = settings.model_copy(update={"media": settings.media.model_copy(update={"rtsp_sessions": 3})})
    async with engine(few, bus, site, sources, spawn) as media:
        players = Players(media)
        _, narrow = await made(media, max_sessions=2)
        _, wide = await made(media, max_sessions=9)
        assert "feed" in await players.ask(narrow, 1, "a")
        assert "feed" in await players.ask(narrow, 1)
        assert (await players.ask(narrow, 1))["error"] == "busy"
        assert "feed" in await players.ask(wide, 2)
        assert (await players.ask(wide, 2))["error"] == "busy"
        await players.say("a", "closed")
        await players.over(2)
        assert "feed" in await players.ask(wide, 2)
        assert media.readings.summary()["feeds"] == 2, "one pull per stream, however many players"


async def test_a_session_ends_when_its_token_expires(
    settings: Settings, bus: EventBus, site: Database, sources: FakeSources, spawn: Spawn
) -> None:
    clock = ManualClock()
    async with engine(settings, bus, site, sources, spawn, clock) as media:
        players = Players(media)
        _, text = await made(media, expires_at=clock.now() + timedelta(hours=1))
        await players.ask(text, 1)
        clock.move(3599)
        await media.players.sweep()
        assert await port_of(media) == 8554
        clock.move(1)
        await media.players.sweep()
        assert (await players.over()).end_reason == "expired"
        assert await port_of(media) is None, "nobody may come, so the port is shut"


@pytest.mark.processes
async def test_a_relay_that_dies_ends_its_sessions_and_opens_its_port_again(
    media: MediaEngine, players: Players
) -> None:
    _, text = await made(media)
    assert await port_of(media) == 8554
    await players.ask(text, 1)
    relay = media.links[0]
    assert relay.pid is not None
    os.kill(relay.pid, signal.SIGKILL)
    assert (await players.over()).end_reason == "relay_restarted"

    async def listens() -> bool:
        heard = (await relay.call("fake.heard", {}))["heard"]
        return {"type": "rtsp.listen", "listen": True} in heard

    await eventually(listens)
    assert "feed" in await players.ask(text, 1)


async def test_whatever_a_player_calls_itself_is_stored(
    media: MediaEngine, players: Players, site: Database, clock: ManualClock
) -> None:
    """NUL among it, which PostgreSQL refuses."""
    token_id, text = await made(media)
    asked = PlayerRequest(hashed(text), 1, "10.1.1.9", "decoder\0\x1b[2J\u202e" + 200 * "x")
    line = await StreamRegister(site, clock).begun(token_id, asked, "main")
    stored = next(one for one in await players.lines() if one.id == line).agent
    assert stored.startswith("decoder\\x00\\x1b[2J\\u202exxx")
    assert len(stored) == 128


async def test_what_a_hub_left_open_is_closed_by_the_next_as_of_when_it_was_seen(
    media: MediaEngine, players: Players, site: Database
) -> None:
    _, text = await made(media)
    await players.ask(text, 1)
    line = (await players.lines())[0].id
    later = ManualClock(SystemClock().now() + timedelta(minutes=5))
    await StreamRegister(site, later).seen({line: RtspEnded("", "", "tcp", 77, 1)})
    await StreamRegister(site, ManualClock(later.now() + timedelta(hours=9))).close_left_over()
    left = (await players.lines())[0]
    assert (left.running, left.end_reason, left.bytes, left.transport) == (False, "hub_away", 77, "tcp")
    assert left.ended_at == later.now()


async def test_old_lines_go_once_a_day_and_not_before_a_wrong_clock_can_have_been_set(
    bus: EventBus, site: Database, clock: ManualClock
) -> None:
    tokens, authorization = StreamTokens(site, clock, bus), WatchAuthorization(site, clock)
    admission = PlayerAdmission(MediaSettings(rtsp_keep_days=30), tokens, authorization, clock, FakeCapacity())
    token, _ = await tokens.create(ADMIN, "old", TokenScope(), expires_at=None, max_sessions=1)
    async with site.write() as session:
        for days in (40, 1):
            at = clock.now() - timedelta(days=days)
            line = StreamSession(token_id=token.id, camera_name="", village_name="", role="sub", address="")
            line.started_at = line.seen_at = line.ended_at = at
            session.add(line)
    async with Background() as background:
        register = StreamRegister(site, clock)
        async with PlayerSessions(admission, register, background, clock) as service:
            for seconds, left in ((0.0, 2), (SETTLE - 1, 2), (1.0, 1), (3600.0, 1)):
                clock.move(seconds)
                await service.sweep()
                assert len(await register.page(limit=9)) == left
            clock.move(30 * 86400.0)
            await service.sweep()
            assert await register.page(limit=9) == []


async def test_switched_off_it_opens_no_port_and_lets_nobody_in(
    settings: Settings, bus: EventBus, site: Database, sources: FakeSources, spawn: Spawn
) -> None:
    off = settings.model_copy(update={"media": settings.media.model_copy(update={"rtsp_out": False})})
    async with engine(off, bus, site, sources, spawn) as media:
        _, text = await made(media)
        assert await port_of(media) is None
        assert (await Players(media).ask(text, 1))["error"] == "unauthenticated"


async def test_a_player_that_left_while_it_was_being_let_in_holds_nothing(media: MediaEngine, players: Players) -> None:
    _, text = await made(media)
    ask = RtspAsk("p1", hashed(text), 1, "main", "10.1.1.9")
    request = PipeFrame({**ask.head("rtsp.ask"), "id": 1})
    media._rtsp_out.on_player_request(0, request)
    media._rtsp_out.on_player_ended(0, RtspEnded("p1", "closed"))

    async def quiet() -> bool:
        return not media._background.runs("rtsp ask 1 of relay 0")

    await eventually(quiet)
    assert [(line.running, line.end_reason) for line in await players.lines()] in ([], [(False, "closed")])
    assert media.players.running() == {}
    assert media.readings.summary()["feeds"] == 0
