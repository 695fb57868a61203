"""RTSP out on the hub's side: who is let in, which feed they share, what the register keeps, and how sessions end."""

from typing import Any

import pytest

from camera_hub.access.policy import Actor, Role
from camera_hub.access.stream_tokens import Scope, hashed
from camera_hub.events import CameraChanged, EventBus
from camera_hub.media.engine import Media
from camera_hub.media.stream_sessions import SessionView
from camera_hub.relay.messages import RtspAsk, RtspEnded
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera
from tests.media.conftest import eventually

ADMIN = Actor(1, "op", "管理员", Role.TOWNSHIP_ADMIN)


class Players:
    """Players as the relay tells of them. `answers`: what the hub answered, by the request's number."""

    def __init__(self, media: Media) -> None:
        self.media = media
        self.number = 0

    async def ask(self, text: str, camera: int, session: str | None = None) -> dict[str, Any]:
        """The hub's answer."""
        self.number += 1
        ask = RtspAsk(session or f"p{self.number}", hashed(text), camera, "main", "10.1.1.9", "decoder")
        relay = self.media._feeds.relays[0]
        answer: dict[str, Any] = (await relay.call("fake.ask", {"ask": ask.head("rtsp.ask")}))["answer"]
        return answer

    async def say(self, session: str, reason: str, **values: Any) -> None:
        """The relay's last word about a session."""
        word = RtspEnded(session, reason, **values)
        await self.media._feeds.relays[0].call("fake.say", {"frames": [word.head("rtsp.ended")]})

    async def over(self, line: int = 0) -> SessionView:
        """The line, the newest being 0, once it has ended."""

        async def ended() -> bool:
            return not (await self.lines())[line].running

        await eventually(ended)
        return (await self.lines())[line]

    async def lines(self) -> list[SessionView]:
        return await self.media.rtsp_out.register.page(limit=50)


@pytest.fixture
async def players(media: Media) -> Players:
    return Players(media)


ALL = Scope()


async def made(media: Media, scope: Scope = ALL, **values: Any) -> tuple[int, str]:
    token, text = await media.rtsp_out.tokens.create(
        ADMIN, "大屏解码器", scope, **{"expires_at": None, "max_sessions": 4, **values}
    )
    return token.id, text


async def test_a_token_lets_a_player_share_the_feed_and_a_line_is_kept(media: Media, players: Players) -> None:
    token_id, text = await made(media)
    answer = await players.ask(text, 1, "p1")
    key = media._feeds.of_camera(1)[0]
    assert answer["feed"] == key.name
    assert media.rtsp_out.running() == {token_id: 1}
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
    assert not media._feeds._wanted.held(key), "the hold is gone, the feed lingers"
    used = (await media.rtsp_out.tokens.all())[0].used_at
    assert used == line.started_at


async def test_a_revoked_token_and_a_retired_camera_end_their_sessions_at_once(
    media: Media, players: Players, site: Database, bus: EventBus
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
    await media.rtsp_out.tokens.revoke(token_id)
    assert (await players.over(1)).end_reason == "revoked"
    assert (await players.ask(text, 1))["reason"] == "revoked"
    assert media.rtsp_out.running() == {}
