"""Media with a relay in a process of its own: offers, tiles, restarts, looks."""

import asyncio
import os
import signal
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from camera_hub.access.policy import Actor, Role
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import AccessChanged, CameraChanged, DeviceChanged, EventBus, FeedChanged
from camera_hub.media.engine import MediaEngine
from camera_hub.media.interface import RelayReplaced, TileStatus, TileWish, ViewerEnded
from camera_hub.media.wall.authorization import CameraFacts
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, User
from tests.media.conftest import NOON, OPERATOR, FakeSources, eventually, tile_in, until, viewer_of

pytestmark = pytest.mark.one_database

PAGE = "page-0001"


async def heard(media: MediaEngine) -> list[dict[str, Any]]:
    """All that the (new) relay process has heard."""
    reply = await media.links[0].call("fake.heard", {})
    messages: list[dict[str, Any]] = reply["heard"]
    return messages


async def say(media: MediaEngine, *frames: dict[str, Any]) -> None:
    """Make the relay say these things."""
    await media.links[0].call("fake.say", {"frames": list(frames)})


async def test_an_offer_is_answered_and_a_tile_becomes_live(media: MediaEngine) -> None:
    async with media.pages.connected(PAGE, OPERATOR) as news:
        answer = await media.viewers.offer(OPERATOR, PAGE, 0, "offer")
        assert (answer.sdp, answer.tracks, answer.codecs, answer.epoch) == ("answer", 16, ["h264"], 1)
        assert media.pages.greeting(PAGE).viewers == [answer.viewer]
        media.tiles.show(PAGE, TileWish(answer.viewer, 3, 1, 1))
        assert (await tile_in(news, "connecting")).camera == 1
        live = await tile_in(news, "live")
    assert (live.viewer, live.track, live.serial, live.stream, live.codec) == (answer.viewer, 3, 1, "sub", "h264")


async def test_only_another_quality_of_the_same_camera_holds_the_picture_before(
    media: MediaEngine, sources: FakeSources
) -> None:
    sources.paths[1] = {"sub": "live", "main": "live"}
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        for serial, (camera, quality) in enumerate(
            ((1, "auto"), (1, "main"), (2, "auto"), (None, "auto"), (2, "auto"))
        ):
            media.tiles.show(PAGE, TileWish(viewer, 0, serial, camera, quality))  # type: ignore[arg-type]  # of a tuple
            await tile_in(news, "live" if camera else "empty", serial=serial)
    shown = [(m["feed"], m["hold"]) for m in await heard(media) if m["type"] == "track.show"]
    assert shown == [("s12", False), ("s11", True), ("s22", False), (None, False), ("s22", False)]


async def test_a_switch_is_one_message_and_the_last_feed_is_let_go(media: MediaEngine) -> None:
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        media.tiles.show(PAGE, TileWish(viewer, 0, 1, 1))
        await tile_in(news, "live")
        media.tiles.show(PAGE, TileWish(viewer, 0, 2, 2))
        assert (await tile_in(news, "live", serial=2)).camera == 2
        media.tiles.show(PAGE, TileWish(viewer, 0, 3, None))
        assert (await tile_in(news, "empty")).serial == 3
    shown = [(m["feed"], m["serial"], m["hold"]) for m in await heard(media) if m["type"] == "track.show"]
    assert shown == [("s12", 1, False), ("s22", 2, False), (None, 3, False)]
    assert not any(m["type"] == "feed.close" for m in await heard(media)), "feeds linger"


async def test_a_large_wall_has_a_second_viewer_for_its_further_tiles(media: MediaEngine) -> None:
    async with media.pages.connected(PAGE, OPERATOR) as news:
        near = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        far = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer", first=16)).viewer
        assert media.pages.greeting(PAGE).viewers == [near, far]
        media.tiles.show(PAGE, TileWish(far, 17, 1, 1))
        live = await tile_in(news, "live")
        assert (live.viewer, live.track, live.camera) == (far, 17, 1)
        for viewer, number in ((far, 3), (near, 16), (far, 32)):
            with pytest.raises(HubError):
                media.tiles.show(PAGE, TileWish(viewer, number, 1, 1))
        again = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer", first=16)).viewer
        assert media.pages.greeting(PAGE).viewers == [near, again], "only the one in its place ends"
    shown = [(m["viewer"], m["track"]) for m in await heard(media) if m["type"] == "track.show"]
    assert shown == [(far, 1)]


async def test_an_older_serial_is_ignored(media: MediaEngine) -> None:
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        media.tiles.show(PAGE, TileWish(viewer, 0, 5, 1))
        media.tiles.show(PAGE, TileWish(viewer, 0, 4, 2))
        assert (await tile_in(news, "live")).camera == 1
        await say(media, {"type": "track.state", "viewer": viewer, "track": 0, "serial": 4, "phase": "refused"})
        media.tiles.show(PAGE, TileWish(viewer, 0, 6, None))
        assert (await tile_in(news, "empty", "refused")).state == "empty"


@pytest.mark.parametrize(
    ("camera", "actor", "reason"),
    [
        (99, OPERATOR, "not_found"),
        (6, OPERATOR, Reason.NOT_APPROVED),
        (5, Actor(1, "v", "Village", Role.VILLAGE_ADMIN, frozenset({1})), "not_found"),
    ],
)
async def test_a_camera_that_may_not_be_seen_is_refused(
    media: MediaEngine, camera: int, actor: Actor, reason: str
) -> None:
    async with media.pages.connected(PAGE, actor) as news:
        viewer = (await media.viewers.offer(actor, PAGE, 0, "offer")).viewer
        media.tiles.show(PAGE, TileWish(viewer, 0, 1, camera))
        assert (await tile_in(news, "refused")).reason == reason
    assert not any(m["type"] == "feed.open" for m in await heard(media))


async def test_a_feed_that_fails_says_why_and_since_when(
    media: MediaEngine, sources: FakeSources, site: Database
) -> None:
    sources.paths[1] = {"sub": "failed/wrong_password"}
    sources.errors[2] = HubError(Kind.UNREACHABLE, "the device does not answer", reason=Reason.UNREACHABLE)
    since = NOON - timedelta(hours=3)
    async with site.write() as session:
        await session.execute(update(Camera).where(Camera.id == 2).values(health="fault", health_since=since))
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        media.tiles.show(PAGE, TileWish(viewer, 0, 1, 1))
        failed = await tile_in(news, "failed")
        assert (failed.reason, failed.detail) == (Reason.WRONG_PASSWORD, "as told")
        assert failed.since is not None
        media.tiles.show(PAGE, TileWish(viewer, 1, 1, 2))
        failed = await tile_in(news, "failed")
        assert (failed.reason, failed.since) == (Reason.UNREACHABLE, since)


async def test_a_new_login_reopens_the_feed_with_the_new_version(
    media: MediaEngine, sources: FakeSources, bus: EventBus
) -> None:
    sources.paths[1] = {"sub": "failed/wrong_password"}
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        media.tiles.show(PAGE, TileWish(viewer, 0, 1, 1))
        await tile_in(news, "failed")
        sources.paths[1], sources.credentials_version = {"sub": "live"}, 2
        bus.publish(DeviceChanged(1, 1, credentials=True))
        await tile_in(news, "waiting", "live")
    opened = [m["credentials_version"] for m in await heard(media) if m["type"] == "feed.open"]
    assert (opened[0], opened[-1]) == (1, 2)


async def test_a_poor_link_moves_main_tiles_to_the_sub_stream_and_back_and_the_tiles_say_so(
    media: MediaEngine, sources: FakeSources
) -> None:
    sources.paths[1] = {"main": "live", "sub": "live"}
    sources.paths[2] = {"main": "live"}
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        for track in (0, 1):
            media.tiles.show(PAGE, TileWish(viewer, track, 1, track + 1, "main"))
            assert (await tile_in(news, "live")).stream == "main"

        async def told(track: int, stream: str, note: str | None) -> None:
            wanted = (track, "live", stream, note)
            await until(news, lambda n: isinstance(n, TileStatus) and (n.track, n.state, n.stream, n.note) == wanted)

        async def link(level: str) -> None:
            await say(media, {"type": "viewer.link", "viewer": viewer, "level": level})

        await link("light")
        await told(1, "main", "link_poor")
        await told(0, "sub", "link_sub")
        await link("keys")
        await told(0, "sub", "link_keys")
        await told(1, "main", "link_keys")
        media.tiles.show(PAGE, TileWish(viewer, 2, 1, 1, "main"))
        await told(2, "sub", "link_keys")  # nor is a new tile given more than the link bears
        await link("full")
        await told(1, "main", None)
        await told(0, "main", None)
    shown = [(m["feed"], m["hold"]) for m in await heard(media) if m["type"] == "track.show" and m["track"] == 0]
    assert shown == [("s11", False), ("s12", True), ("s11", True)]
    assert media.readings.summary()["odd_messages"] == 0


@pytest.mark.slow
async def test_a_picture_stays_where_its_device_does_not_tell_the_other_stream_just_now(
    media: MediaEngine, sources: FakeSources
) -> None:
    sources.paths[1] = {"main": "live", "sub": "live"}
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        media.tiles.show(PAGE, TileWish(viewer, 0, 1, 1, "main"))
        await tile_in(news, "live")
        sources.errors[1] = HubError(Kind.TIMEOUT, "no answer", reason=Reason.TIMED_OUT)
        await say(media, {"type": "viewer.link", "viewer": viewer, "level": "light"})
        kept = await until(news, lambda n: isinstance(n, TileStatus) and n.note == "link_poor")
        assert isinstance(kept, TileStatus)
        assert (kept.state, kept.stream) == ("live", "main")
        await eventually(lambda: _true(len(sources.chosen) == 2))
        del sources.errors[1]
        viewer_of(media, viewer).shown[0].chosen_at = 0.0
        assert (await tile_in(news, "live")).stream == "sub"
        media.known_streams.on_camera_changed(1)
        sources.errors[1] = HubError(Kind.NOT_FOUND, "there is no such camera", reason="not_found")
        await say(media, {"type": "viewer.link", "viewer": viewer, "level": "full"})
        assert (await tile_in(news, "refused")).reason == "not_found"


async def _true(answer: bool) -> bool:
    return answer


@pytest.mark.slow
async def test_a_main_stream_that_comes_too_late_gives_way_to_the_sub_stream_for_a_while(
    media: MediaEngine, sources: FakeSources, bus: EventBus
) -> None:
    sources.paths[1] = {"main": "live", "sub": "live"}
    sources.paths[2] = {"main": "live"}
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        for track in (0, 1):
            media.tiles.show(PAGE, TileWish(viewer, track, 1, track + 1, "main"))
            assert (await tile_in(news, "live")).stream == "main"

        async def told(track: int, stream: str, note: str | None) -> None:
            wanted = (track, "live", stream, note)
            await until(news, lambda n: isinstance(n, TileStatus) and (n.track, n.state, n.stream, n.note) == wanted)

        late = {"type": "feed.state", "phase": "live", "codec": "h264", "reason": Reason.LATE, "detail": "5 s late"}
        with bus.subscribe(FeedChanged) as events:
            await say(media, {**late, "feed": "s11"}, {**late, "feed": "s21"})
            await told(0, "sub", "late_sub")
            await told(1, "main", "late")
            seen = [await asyncio.wait_for(events.next(), 60) for _ in range(2)]
        assert FeedChanged(1, 11, "live", Reason.LATE) in seen, "health looks at it"
        assert media.cameras.feed_reason(1) == ("live", Reason.LATE), "though the sub stream is well"
        assert (await media.looks.look(1)).late
        await say(media, {**late, "feed": "s11", "reason": None}, {**late, "feed": "s21", "reason": None})
        await told(1, "main", None)

        media._late._marks.clear()  # as if its rest was over
        for shown in viewer_of(media, viewer).shown.values():
            shown.chosen_at = 0.0
        await told(0, "main", None)


async def test_a_stream_that_turns_out_h265_is_replaced_by_the_sub_stream(
    media: MediaEngine, sources: FakeSources
) -> None:
    sources.paths[1] = {"main": "h265", "sub": "live"}
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        media.tiles.show(PAGE, TileWish(viewer, 0, 1, 1, "main"))
        live = await tile_in(news, "live")
    assert (live.stream, live.codec) == ("sub", "h264")
    assert sources.codecs[11] == "h265"


@pytest.mark.processes
async def test_a_killed_relay_is_replaced_and_told_the_wanted_state(media: MediaEngine, bus: EventBus) -> None:
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        media.tiles.show(PAGE, TileWish(viewer, 0, 1, 1))
        await tile_in(news, "live")
        pid = media.links[0].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        told = await until(news, lambda n: isinstance(n, RelayReplaced))
        assert isinstance(told, RelayReplaced)
        assert (told.relay, told.epoch) == (0, 2)
        assert media.pages.greeting(PAGE).viewers == []
        opened = [m for m in await heard(media) if m["type"] == "feed.open"]
        assert [m["feed"] for m in opened] == ["s12"]
        again = await media.viewers.offer(OPERATOR, PAGE, 0, "offer")
        media.tiles.show(PAGE, TileWish(again.viewer, 0, 2, 1))
        await tile_in(news, "live", serial=2)
        assert again.epoch == 2
    assert [m["type"] for m in await heard(media)].count("feed.open") == 1


async def test_a_page_that_comes_back_finds_its_viewer_and_its_tiles(media: MediaEngine) -> None:
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        media.tiles.show(PAGE, TileWish(viewer, 0, 1, 1))
        await tile_in(news, "live")
    async with media.pages.connected(PAGE, OPERATOR) as news:
        assert media.pages.greeting(PAGE).viewers == [viewer]
        assert (await tile_in(news, "live")).camera == 1


async def test_a_viewer_that_the_relay_ends_is_told_to_its_page(media: MediaEngine) -> None:
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        await say(media, {"type": "viewer.state", "viewer": viewer, "state": "closed", "reason": "reaped"})
        assert await until(news, lambda n: isinstance(n, ViewerEnded)) == ViewerEnded(viewer, "reaped")
        media.tiles.show(PAGE, TileWish(viewer, 0, 1, 1))
        assert await until(news, lambda n: isinstance(n, ViewerEnded)) == ViewerEnded(viewer, "unknown")


async def test_viewers_per_user_are_bounded_and_pages_gone_away_give_way(media: MediaEngine) -> None:
    async with media.pages.connected("page-open1", OPERATOR), media.pages.connected("page-open2", OPERATOR):
        await media.viewers.offer(OPERATOR, "page-open1", 0, "offer")
        await media.viewers.offer(OPERATOR, "page-open2", 0, "offer")
        away = await media.viewers.offer(OPERATOR, "page-away", 0, "offer")
        await media.viewers.offer(OPERATOR, None, 0, "offer")
        await media.viewers.offer(OPERATOR, None, 0, "offer")
        assert media.pages.greeting("page-away").viewers == []
        with pytest.raises(HubError) as refused:
            await media.viewers.offer(OPERATOR, None, 0, "offer")
    assert refused.value.kind is Kind.BUSY
    assert away.viewer


async def test_an_offer_that_the_relay_refuses_leaves_nothing(media: MediaEngine) -> None:
    for _ in range(6):
        with pytest.raises(HubError) as refused:
            await media.viewers.offer(OPERATOR, PAGE, 0, "broken")
        assert refused.value.reason == "bad_offer"
    assert media.readings.summary()["viewers"] == 0


async def test_a_user_who_is_disabled_loses_their_viewers(media: MediaEngine, bus: EventBus, site: Database) -> None:
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        async with site.write() as session:
            await session.execute(update(User).values(disabled=True))
        bus.publish(AccessChanged(1))
        assert await until(news, lambda n: isinstance(n, ViewerEnded)) == ViewerEnded(viewer, "signed_out")


async def test_rights_that_are_lost_while_the_database_fails_are_applied_when_it_is_back(
    media: MediaEngine, bus: EventBus, site: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, tries = media.authorization.current_actor, list[int]()

    async def once_away(user_id: int) -> Actor | None:
        tries.append(user_id)
        if len(tries) == 1:
            raise HubError(Kind.UNAVAILABLE, "the database does not answer", reason=Reason.DATABASE_AWAY)
        return await read(user_id)

    monkeypatch.setattr(media.authorization, "current_actor", once_away)
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        async with site.write() as session:
            await session.execute(update(User).values(disabled=True))
        bus.publish(AccessChanged(1))
        assert await until(news, lambda n: isinstance(n, ViewerEnded)) == ViewerEnded(viewer, "signed_out")
    assert tries == [1, 1]


async def test_feeds_go_on_while_the_database_fails(
    media: MediaEngine, bus: EventBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = list[int]()

    async def away(camera_id: int) -> CameraFacts:
        tries.append(camera_id)
        raise HubError(Kind.UNAVAILABLE, "the database does not answer", reason=Reason.DATABASE_AWAY)

    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        media.tiles.show(PAGE, TileWish(viewer, 0, 1, 1))
        await tile_in(news, "live")
        monkeypatch.setattr(media.authorization, "facts", away)
        bus.publish(CameraChanged(1, 1))

        async def tried() -> bool:
            return bool(tries)

        await eventually(tried)
        assert media.cameras.feed_reason(1) == ("live", None)


async def test_a_camera_that_is_retired_is_refused_where_it_is_shown(
    media: MediaEngine, bus: EventBus, site: Database
) -> None:
    async with media.pages.connected(PAGE, OPERATOR) as news:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        media.tiles.show(PAGE, TileWish(viewer, 0, 1, 1))
        await tile_in(news, "live")
        async with site.write() as session:
            await session.execute(update(Camera).where(Camera.id == 1).values(state="retired"))
        bus.publish(CameraChanged(1, 1))
        assert (await tile_in(news, "refused")).reason == Reason.RETIRED
    assert media.cameras.feed_reason(1) is None


async def test_a_hung_relay_is_ended_when_the_hub_leaves(media: MediaEngine) -> None:
    assert media.links[0].post("fake.hang", {})
    with pytest.raises(HubError) as late:
        await media.links[0].call("figures", {}, deadline=0.1)
    assert late.value.kind is Kind.TIMEOUT


async def test_warming_keeps_feeds_running(media: MediaEngine, sources: FakeSources) -> None:
    sources.errors[3] = HubError(Kind.UNREACHABLE, "away", reason=Reason.UNREACHABLE)
    await media.cameras.warm([1, 2, 3, 1], "tour 7", 30)

    async def live() -> bool:
        return media.cameras.feed_reason(1) == ("live", None) and media.cameras.feed_reason(2) == ("live", None)

    await eventually(live)
    assert media.cameras.feed_reason(3) is None


async def test_a_wanted_key_frame_is_asked_from_the_camera(media: MediaEngine, sources: FakeSources) -> None:
    await media.cameras.warm([1], "tour", 30)
    await say(media, {"type": "sync.wanted", "feed": "s12"}, {"type": "sync.wanted", "feed": "s99"}, {"type": "what"})

    async def synced() -> bool:
        return sources.synced == [12]

    await eventually(synced)
    assert media.readings.summary()["odd_messages"] == 1


async def test_an_address_is_doubted_when_the_stream_fails_there(media: MediaEngine, sources: FakeSources) -> None:
    sources.paths[2] = {"sub": "failed/stream_not_found"}
    sources.paths[3] = {"sub": "failed/unreachable"}
    await media.cameras.warm([1, 2, 3], "tour", 30)

    async def all_told() -> bool:
        return sorted(sources.addresses) == [("doubt", 22), ("plays", 12), ("rest", 32)]

    await eventually(all_told)


async def test_tiles_are_not_told_to_other_pages(media: MediaEngine) -> None:
    async with media.pages.connected(PAGE, OPERATOR) as news, media.pages.connected("page-0002", OPERATOR) as other:
        viewer = (await media.viewers.offer(OPERATOR, PAGE, 0, "offer")).viewer
        media.tiles.show("page-0002", TileWish(viewer, 0, 1, 1))
        assert await until(other, lambda n: True) == ViewerEnded(viewer, "unknown")
        media.tiles.show(PAGE, TileWish(viewer, 0, 1, 1))
        await tile_in(news, "live")
        other.close()
        assert [n async for n in other if isinstance(n, TileStatus)] == []
