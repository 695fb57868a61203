"""A relay pulls cameras: what it says of good ones and bad ones, and how it treats them."""

import asyncio
from dataclasses import asdict, replace
from typing import Any

import pytest

from camera_hub.errors import Reason
from camera_hub.relay.messages import FeedSpec, Gb28181Source, LoginMay, PlaybackSource, RtspLiveSource
from tests.fakes.ports import closed_port
from tests.relay.camera import NONCE, REALM, Camera, Quirks, camera
from tests.relay.clip import clip
from tests.relay.hub import Hub, relay

MD5 = f'Digest realm="{REALM}", nonce="{NONCE}"'
WITH_QOP = f'Digest realm="{REALM}", nonce="{NONCE}", qop="auth"'
SHA256 = f'Digest realm="{REALM}", nonce="{NONCE}", algorithm=SHA-256, qop="auth"'
BASIC = f'Basic realm="{REALM}"'


def with_password(spec: FeedSpec, password: str, **values: Any) -> FeedSpec:
    """The same feed with another password."""
    assert isinstance(spec.source, RtspLiveSource)
    return replace(spec, source=replace(spec.source, password=password), **values)


async def failure(hub: Hub, feed: str = "s1") -> dict[str, object]:
    return await hub.state(feed, "failed")


async def test_a_feed_goes_live_and_says_what_it_is() -> None:
    async with camera(clip()) as cam, relay() as hub:
        began = asyncio.get_running_loop().time()
        await hub.open("s1", cam)
        live = await hub.state("s1", "live")
        took_ms = 1000 * (asyncio.get_running_loop().time() - began)
        assert (live["codec"], live["width"], live["height"]) == ("h264", 320, 240)
        assert live["profile"] == clip().parameters()[0][1:4].hex()
        assert 0 < live["signalling_ms"] < took_ms
        assert 0 <= live["stream_ms"] <= live["key_frame_ms"] < took_ms
        phases = [frame.head["phase"] for frame in hub.said if frame.type == "feed.state"]
        assert phases == ["connecting", "waiting_key", "live"]


async def test_an_h265_feed_goes_live() -> None:
    async with camera(clip(codec="h265", seconds=1)) as cam, relay() as hub:
        await hub.open("s1", cam)
        live = await hub.state("s1", "live")
        assert (live["codec"], live["width"], live["height"]) == ("h265", 320, 240)


async def test_parameter_sets_that_stand_only_in_the_sdp_are_put_before_each_key_frame() -> None:
    async with camera(clip(), Quirks(in_band_parameters=False)) as cam, relay() as hub:
        await hub.open("s1", cam)
        await hub.call("feed.keys", feed="s1", every=0)
        frame = await hub.until("key_frame")
        assert frame.body.startswith(b"\x00\x00\x00\x01".join((b"", *clip().parameters())))


@pytest.mark.parametrize("challenges", [(MD5,), (WITH_QOP,), (SHA256,), (BASIC,), (BASIC, MD5, SHA256)])
async def test_a_login_is_answered_in_the_best_way_the_camera_knows(challenges: tuple[str, ...]) -> None:
    quirks = Quirks(login=("admin", "pa:ss"), challenges=challenges)
    async with camera(clip(), quirks) as cam, relay() as hub:
        await hub.open("s1", cam, username="admin", password="pa:ss")
        await hub.state("s1", "live")
        assert cam.seen.methods()[:4] == ["DESCRIBE", "DESCRIBE", "SETUP", "PLAY"]
        given = [headers.get("authorization", "") for _, _, headers in cam.seen.requests]
        assert given[0] == ""
        if len(challenges) == 3:
            assert "algorithm=SHA-256" in given[1]


def signed(cam: Camera) -> int:
    """Requests that carried a login."""
    return sum("authorization" in headers for _, _, headers in cam.seen.requests)


async def test_a_refused_login_is_not_tried_again_until_the_hub_opens_the_feed_anew() -> None:
    quirks = Quirks(login=("admin", "right"))
    async with camera(clip(), quirks) as cam, relay() as hub:
        spec = await hub.open("s1", cam, username="admin", password="wrong", device="d", credentials_version=1)
        refused = await failure(hub)
        assert (refused["reason"], refused["final"]) == (Reason.WRONG_PASSWORD, True)
        assert signed(cam) == 1
        await hub.pipe.call(with_password(spec, "right", credentials_version=2).head("feed.open"))
        await hub.state("s1", "live")
        assert signed(cam) == 1 + 3


async def test_the_hub_is_asked_before_a_login_is_tried_and_told_what_became_of_it() -> None:
    async with camera(clip(), Quirks(login=("admin", "right"))) as cam, relay(asks_logins=True) as hub:
        spec = await hub.open("s1", cam, username="admin", password="wrong", device="d", credentials_version=1)
        ask = (await hub.until("login.ask")).head
        assert (ask["feed"], cam.seen.requests) == ("s1", [])
        await hub.pipe.send(LoginMay(ask["turn"], Reason.LOCKED_OUT, "not yet", 1800.0).head("login.may"))
        held = await failure(hub)
        assert (held["reason"], held["detail"], held["retry_in"]) == (Reason.LOCKED_OUT, "not yet", 1800.0)
        assert (held["final"], cam.seen.requests) == (True, [])

        heard = len(hub.said)
        await hub.pipe.call(spec.head("feed.open"))
        turn = (await hub.until("login.ask", since=heard)).head["turn"]
        await hub.pipe.send(LoginMay(turn).head("login.may"))
        said = (await hub.until("login.said", lambda head: head["turn"] == turn)).head
        assert (said["outcome"], signed(cam)) == ("refused", 1)

        heard = len(hub.said)
        await hub.pipe.call(with_password(spec, "right").head("feed.open"))
        turn = (await hub.until("login.ask", since=heard)).head["turn"]
        await hub.pipe.send(LoginMay(turn).head("login.may"))
        await hub.state("s1", "live")
        await hub.until("login.said", lambda head: head["turn"] == turn and head["outcome"] == "over")
        assert [h.head["outcome"] for h in hub.said if h.type == "login.said" and h.head["turn"] == turn] == [
            "accepted",
            "over",
        ]


async def test_a_camera_that_wants_a_login_and_gets_none_is_not_bothered_again() -> None:
    async with camera(clip(), Quirks(login=("admin", "x"))) as cam, relay() as hub:
        await hub.open("s1", cam)
        said = await failure(hub)
        assert (said["reason"], said["final"]) == (Reason.LOGIN_NEEDED, True)


def answer(status: str, headers: str = "", body: bytes = b"") -> bytes:
    return f"RTSP/1.0 {status}\r\nCSeq: {{cseq}}\r\n{headers}\r\n".encode() + body


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (answer("302 Moved", "Location: rtsp://127.0.0.1:9/x\r\n"), Reason.REDIRECTED),
        (answer("404 Not Found"), Reason.STREAM_NOT_FOUND),
        (answer("453 Not Enough Bandwidth"), Reason.DEVICE_FULL),
        (answer("500 Oops"), Reason.BAD_REPLY),
        (answer("200 OK", "Content-Length: 1503238553\r\n"), Reason.REPLY_TOO_LARGE),
        (answer("200 OK", "Content-Length: 3\r\n", b"abc"), Reason.BAD_REPLY),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Reason.NOT_RTSP),
        (answer("200 OK", "X: y\r\n" * 100), Reason.REPLY_TOO_LARGE),
    ],
)
async def test_a_bad_answer_has_its_reason_and_no_login_goes_anywhere_else(said: bytes, reason: Reason) -> None:
    async with camera(clip(), Quirks(answer={"DESCRIBE": said})) as cam, relay() as hub:
        await hub.open("s1", cam, username="admin", password="secret")
        assert (await failure(hub))["reason"] == reason
        assert not any("authorization" in headers for _, _, headers in cam.seen.requests)


async def test_a_closed_port_is_named_so() -> None:
    with closed_port() as port:
        async with camera(clip()) as cam, relay() as hub:
            cam.port = port
            await hub.open("s1", cam)
            assert (await failure(hub))["reason"] == Reason.PORT_CLOSED


async def test_a_camera_that_drips_its_answer_is_given_up_in_time() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"RTSP/1.0 200")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    async with server, camera(clip()) as cam, relay(open_timeout=0.3) as hub:
        cam.port = server.sockets[0].getsockname()[1]
        await hub.open("s1", cam)
        assert (await failure(hub))["reason"] == Reason.TIMED_OUT


async def test_udp_is_taken_where_tcp_is_refused() -> None:
    async with camera(clip(), Quirks(refuse_tcp=True)) as cam, relay() as hub:
        await hub.open("s1", cam)
        assert (await hub.state("s1", "live"))["width"] == 320
        assert cam.seen.methods()[:4] == ["DESCRIBE", "SETUP", "SETUP", "PLAY"]


@pytest.mark.slow
async def test_a_stream_that_falls_silent_is_opened_again() -> None:
    async with camera(clip(), Quirks(silent_after=5)) as cam, relay(media_timeout=0.6) as hub:
        await hub.open("s1", cam)
        assert (await failure(hub))["reason"] == Reason.STALLED
        await hub.state("s1", "live")
        since = len(hub.said)
        await hub.until("feed.state", lambda head: head["phase"] == "live", since=since)
        assert cam.seen.connections >= 2
        assert "TEARDOWN" in cam.seen.methods()


async def test_a_camera_that_agrees_but_sends_nothing_has_no_media() -> None:
    async with camera(clip(), Quirks(silent_after=0)) as cam, relay(media_timeout=0.3) as hub:
        await hub.open("s1", cam)
        assert (await failure(hub))["reason"] == Reason.NO_MEDIA


async def test_a_stream_without_key_frames_is_named_so() -> None:
    async with camera(clip(), Quirks(no_key_frames=True)) as cam, relay(key_frame_timeout=0.5) as hub:
        await hub.open("s1", cam)
        assert (await failure(hub))["reason"] == Reason.NO_KEY_FRAME


@pytest.mark.slow
@pytest.mark.parametrize(
    ("codec", "options"), [("h264", "bframes=2:b-adapt=0"), ("h265", "bframes=2:b-adapt=0:log-level=none")]
)
async def test_of_a_stream_with_b_frames_only_key_frames_are_handed_out(codec: str, options: str) -> None:
    async with camera(clip(codec=codec, options=options)) as cam, relay() as hub:
        await hub.open("s1", cam)
        said = (await hub.until("feed.state", lambda head: head["reason"] == Reason.B_FRAMES)).head
        assert (said["phase"], said["final"], said["codec"]) == ("live", False, codec)
        await hub.call("feed.keys", feed="s1", every=0.1)
        first = await hub.until("key_frame")
        await hub.until("key_frame", lambda head: head["received_at"] > first.head["received_at"])
        figures = (await hub.call("figures"))["feeds"]["s1"]
        assert figures["gop_bytes"] == 0, "nothing is cached that a track could replay"
        assert figures["failures"] == 0


@pytest.mark.slow
async def test_a_standing_tap_goes_on_beside_one_that_wants_the_next_key_frame_only() -> None:
    async with camera(clip(), Quirks(speed=4)) as cam, relay() as hub:
        await hub.open("s1", cam)
        await hub.call("feed.keys", feed="s1", every=0.01)
        await hub.until("key_frame")
        for _ in range(2):
            await hub.call("feed.keys", feed="s1", every=0)
            since = len(hub.said)
            await hub.until("key_frame", since=since)
            await hub.until("key_frame", since=len(hub.said))
        await hub.call("feed.keys", feed="s1", every=None)
        since = len(hub.said)
        keys = await key_frames(hub)
        while await key_frames(hub) < keys + 2:
            continue
        assert not [frame for frame in hub.said[since:] if frame.type == "key_frame"]


async def key_frames(hub: Hub) -> int:
    """How many the feed has had."""
    return int((await hub.call("figures"))["feeds"]["s1"]["key_frames"])


async def test_a_closed_feed_tears_its_session_down() -> None:
    async with camera(clip()) as cam, relay() as hub:
        await hub.open("s1", cam)
        await hub.state("s1", "live")
        await hub.call("feed.close", feed="s1")
        await hub.state("s1", "stopped")
        await asyncio.wait_for(cam.torn_down.wait(), 60)
        assert (await hub.call("figures"))["feeds"] == {}


async def test_jumping_and_wrapping_timestamps_lose_no_frame() -> None:
    def stamp(index: int) -> int:
        return 0xFFFFFFFF - 5 * 3600 + index * 3600 + (10**8 if index > 12 else 0)

    async with camera(clip(), Quirks(stamp=stamp, speed=4)) as cam, relay() as hub:
        await hub.open("s1", cam)
        await hub.call("feed.keys", feed="s1", every=0)
        await hub.until("key_frame")
        await hub.call("feed.keys", feed="s1", every=0)
        first = await hub.until("key_frame")
        await hub.until("key_frame", lambda head: head["received_at"] > first.head["received_at"])
        figures = (await hub.call("figures"))["feeds"]["s1"]
        assert (figures["gaps"], figures["dropped"], figures["jumps"]) == (0, 0, 1)


@pytest.mark.parametrize(
    "source",
    [
        PlaybackSource("rtsp://127.0.0.1/1", "127.0.0.1", 554, position=1_700_000_000.0),
        Gb28181Source("34020000001320000001", "34020000001310000001"),
        {"kind": "carrier_pigeon", "loft": 7},
    ],
)
async def test_a_source_that_relays_do_not_pull_is_refused_by_name_and_for_good(source: object) -> None:
    async with relay() as hub:
        head = {"feed": "s1", "source": source if isinstance(source, dict) else asdict(source)}  # type: ignore[call-overload]
        hub.pipe.post({"type": "feed.open", **head})
        failed = await failure(hub)
        assert (failed["reason"], failed["final"]) == (Reason.SOURCE_UNSUPPORTED, True)
        assert failed["detail"]
        assert (await hub.call("pulse"))["rss_bytes"] > 0, "the relay goes on"
