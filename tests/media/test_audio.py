"""Who hears what: only where the site has sound, only what is shown, only while one may, and one camera at a time."""

import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import delete, update

from camera_hub.access.stream_tokens import TokenScope, hashed
from camera_hub.errors import Reason
from camera_hub.events import AccessChanged, EventBus
from camera_hub.media.child_process import Spawn
from camera_hub.media.engine import MediaEngine
from camera_hub.media.interface import AudioWish, PageAudioState, RelayReplaced, TileWish
from camera_hub.media.rtsp_out.admission import PlayerRequest
from camera_hub.media.wall.pages import PageOutbox
from camera_hub.media.wall.viewer_session import PlayerTerms
from camera_hub.settings import Settings
from camera_hub.store.database import Database
from camera_hub.store.tables import User, UserVillage
from tests.media.conftest import OPERATOR, FakeSources, engine, eventually, tile_in, until
from tests.media.test_engine import heard as told_to_relay
from tests.media.test_engine import say

pytestmark = pytest.mark.one_database

PAGE = "page-0001"


@pytest.fixture
async def loud(
    settings: Settings, bus: EventBus, site: Database, sources: FakeSources, spawn: Spawn
) -> AsyncIterator[MediaEngine]:
    """A Media of a site that has sound."""
    allowed = settings.model_copy(update={"media": settings.media.model_copy(update={"audio": True})})
    async with engine(allowed, bus, site, sources, spawn) as media:
        yield media


async def watch(media: MediaEngine, news: PageOutbox, *cameras: int) -> str:
    """Show the cameras in the page's first tiles; the viewer."""
    viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
    for track, camera in enumerate(cameras):
        media.tiles.show(PAGE, TileWish(viewer, track, 1, camera))
        await tile_in(news, "live")
    return viewer


async def says(news: PageOutbox, state: str, **values: Any) -> PageAudioState:
    """The next word of that state about what is heard."""

    def fits(one: object) -> bool:
        wanted = {"state": state, **values}
        return isinstance(one, PageAudioState) and all(getattr(one, name) == value for name, value in wanted.items())

    found = await until(news, fits)
    assert isinstance(found, PageAudioState)
    return found


async def listens(media: MediaEngine) -> list[tuple[str | None, int]]:
    return [(m["feed"], m["serial"]) for m in await told_to_relay(media) if m["type"] == "audio.listen"]


async def test_a_shown_camera_is_heard_and_another_one_instead_of_it(loud: MediaEngine) -> None:
    async with loud.pages.connected(PAGE, OPERATOR) as news:
        viewer = await watch(loud, news, 1, 2)
        loud.audio.listen(PAGE, AudioWish(1, 1))
        assert await says(news, "live") == PageAudioState(1, 1, "live", viewer)
        loud.audio.listen(PAGE, AudioWish(2, 2))
        assert (await says(news, "live", camera=2)).serial == 2
        loud.audio.listen(PAGE, AudioWish(1, 1))  # late
        loud.audio.listen(PAGE, AudioWish(3, None))
        await says(news, "off", serial=3, reason=None)
        assert await listens(loud) == [("s12", 1), (None, 2), ("s22", 2), (None, 3)]


async def test_a_tile_tells_what_its_sound_is(loud: MediaEngine, sources: FakeSources) -> None:
    sources.paths[2] = {"sub": "live/unsupported"}
    async with loud.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await loud.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        loud.tiles.show(PAGE, TileWish(viewer, 0, 1, 1))
        tile = await tile_in(news, "live")
        assert (tile.audio, tile.audio_codec) == ("plays", "pcma")
        loud.tiles.show(PAGE, TileWish(viewer, 0, 2, 2))
        assert (await tile_in(news, "live", serial=2)).audio == "unsupported"


@pytest.mark.parametrize(
    ("sound", "reason"),
    [
        ("none", Reason.AUDIO_NONE),
        ("unsupported", Reason.AUDIO_UNSUPPORTED),
        ("refused", Reason.AUDIO_REFUSED),
    ],
)
async def test_what_cannot_be_heard_is_refused_with_its_reason(
    loud: MediaEngine, sources: FakeSources, sound: str, reason: Reason
) -> None:
    sources.paths[1] = {"sub": f"live/{sound}"}
    async with loud.pages.connected(PAGE, OPERATOR) as news:
        await watch(loud, news, 1)
        loud.audio.listen(PAGE, AudioWish(1, 1))
        assert await says(news, "off") == PageAudioState(1, 1, "off", reason=reason)
        assert await listens(loud) == []


async def test_a_browser_without_the_codec_is_told_so(loud: MediaEngine) -> None:
    async with loud.pages.connected(PAGE, OPERATOR) as news:
        viewer = await watch(loud, news, 1)
        loud.audio.listen(PAGE, AudioWish(1, 1))
        await says(news, "live")
        state = {"viewer": viewer, "serial": 1, "feed": "s12", "phase": "refused", "reason": "audio_unsupported"}
        await say(loud, {"type": "audio.state", **state})
        assert (await says(news, "off")).reason == Reason.AUDIO_UNSUPPORTED
        assert (await listens(loud))[-1] == (None, 1)


@pytest.mark.parametrize("instead", [2, None])
async def test_the_sound_ends_with_its_tile_and_does_not_come_back_by_itself(
    loud: MediaEngine, instead: int | None
) -> None:
    async with loud.pages.connected(PAGE, OPERATOR) as news:
        viewer = await watch(loud, news, 1)
        loud.audio.listen(PAGE, AudioWish(1, 1))
        await says(news, "live")
        loud.tiles.show(PAGE, TileWish(viewer, 0, 2, instead))
        await says(news, "off", serial=1)
        loud.tiles.show(PAGE, TileWish(viewer, 0, 3, 1))
        await tile_in(news, "live", serial=3)
        assert await listens(loud) == [("s12", 1), (None, 1)]


async def test_the_sound_follows_the_tile_to_another_stream(loud: MediaEngine, sources: FakeSources) -> None:
    sources.paths[1] = {"sub": "live", "main": "live"}
    async with loud.pages.connected(PAGE, OPERATOR) as news:
        viewer = await watch(loud, news, 1)
        loud.audio.listen(PAGE, AudioWish(1, 1))
        await says(news, "live")
        loud.tiles.show(PAGE, TileWish(viewer, 0, 2, 1, "main"))
        await says(news, "waiting")
        await says(news, "live")
        assert await listens(loud) == [("s12", 1), ("s11", 1)]


async def test_rights_that_end_take_the_sound_with_them(loud: MediaEngine, site: Database, bus: EventBus) -> None:
    async with loud.pages.connected(PAGE, OPERATOR) as news:
        await watch(loud, news, 1, 5)
        loud.audio.listen(PAGE, AudioWish(1, 5))
        await says(news, "live")
        async with site.write() as session:
            await session.execute(update(User).values(role="village_admin", all_villages=False))
            session.add(UserVillage(user_id=1, village_id=1))
        bus.publish(AccessChanged(1))
        await tile_in(news, "refused")
        loud.audio.listen(PAGE, AudioWish(2, 5))
        await says(news, "waiting", serial=2)
        assert (await listens(loud))[-1][0] is None
        async with site.write() as session:
            await session.execute(delete(User))
        bus.publish(AccessChanged(1))
        await until(news, lambda n: getattr(n, "reason", None) == "signed_out")


@pytest.mark.processes
async def test_after_a_relays_death_the_sound_comes_back_with_the_picture(loud: MediaEngine) -> None:
    async with loud.pages.connected(PAGE, OPERATOR) as news:
        await watch(loud, news, 1)
        loud.audio.listen(PAGE, AudioWish(1, 1))
        await says(news, "live")
        pid = loud.links[0].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(news, lambda n: isinstance(n, RelayReplaced))
        viewer = (await loud.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        loud.tiles.show(PAGE, TileWish(viewer, 0, 2, 1))
        assert await says(news, "live") == PageAudioState(1, 1, "live", viewer)


async def test_a_page_that_reconnects_is_told_what_it_hears(loud: MediaEngine) -> None:
    async with loud.pages.connected(PAGE, OPERATOR) as news:
        viewer = await watch(loud, news, 1)
        loud.audio.listen(PAGE, AudioWish(1, 1))
        await says(news, "live")
    async with loud.pages.connected(PAGE, OPERATOR) as news:
        assert await says(news, "live") == PageAudioState(1, 1, "live", viewer)


async def test_a_site_without_sound_sets_none_up_and_refuses_whoever_asks(media: MediaEngine) -> None:
    async with media.pages.connected(PAGE, OPERATOR) as news:
        await watch(media, news, 1)
        media.audio.listen(PAGE, AudioWish(1, 1))
        assert (await says(news, "off")).reason == Reason.AUDIO_FORBIDDEN
    assert not media.audio.may(OPERATOR)
    said = await told_to_relay(media)
    assert [message["audio"] for message in said if message["type"] in ("feed.open", "viewer.offer")] == [False, False]
    assert not [message for message in said if message["type"] == "audio.listen"]


# WHEP players, who have no switch

BOTH = "v=0\nm=video 9 x 1\na=rtpmap:1 H264/90000\nm=audio 9 x 2\n"


async def stays() -> bool:
    return True


async def offered(media: MediaEngine) -> list[tuple[bool, str | None]]:
    """Of each offer that the relay was given: whether sound is allowed, and in which codec alone."""
    return [(m["audio"], m["audio_codec"]) for m in await told_to_relay(media) if m["type"] == "viewer.offer"]


@pytest.mark.slow
async def test_a_player_hears_the_camera_in_its_codec_as_far_as_its_token_goes(loud: MediaEngine) -> None:
    for sound, camera in ((True, 1), (False, 2)):
        _, text = await loud.stream_tokens.create(
            OPERATOR, "portal", TokenScope(), expires_at=None, max_sessions=4, sound=sound
        )
        await loud.whep_players.offer(PlayerRequest(hashed(text), camera, "10.1.1.9"), "auto", BOTH)

    async def heard() -> bool:
        return ("s12", 1) in await listens(loud)

    await eventually(heard)
    assert await offered(loud) == [(True, "pcma"), (False, None)]
    assert [feed for feed, _ in await listens(loud)] == ["s12"]


@pytest.mark.slow
async def test_a_player_with_a_session_hears_as_long_as_its_user_may(
    loud: MediaEngine, site: Database, bus: EventBus, sources: FakeSources
) -> None:
    sources.paths[2] = {"sub": "live/none"}
    await loud.whep.offer(OPERATOR, 1, BOTH, PlayerTerms(stays))
    await loud.whep.offer(OPERATOR, 2, BOTH, PlayerTerms(stays))
    await loud.whep.offer(OPERATOR, 3, "m=video", PlayerTerms(stays))
    assert await offered(loud) == [(True, "pcma"), (False, None), (True, None)]

    async def heard() -> bool:
        return ("s12", 1) in await listens(loud)

    await eventually(heard)


@pytest.mark.slow
async def test_a_player_that_only_wants_to_hear_is_shown_nothing_and_hears(loud: MediaEngine) -> None:
    answered = await loud.whep.offer(OPERATOR, 1, "m=audio 9 x 2\n", PlayerTerms(stays))

    async def heard() -> bool:
        return ("s12", 1) in await listens(loud)

    await eventually(heard)
    assert not [m for m in await told_to_relay(loud) if m["type"] == "track.show" and m["viewer"] == answered.viewer]
