"""Viewers of a relay: connecting, being shown cameras, being switched, going away."""

import asyncio
import os
import re
import socket
from contextlib import AsyncExitStack
from functools import partial

import pytest
from aioice import stun
from aiortc import RTCPeerConnection, RTCSessionDescription

from camera_hub.errors import HubError, Reason
from camera_hub.relay.peer import tile_switch as tile
from tests.relay.camera import Quirks, camera
from tests.relay.clip import clip
from tests.relay.hub import Hub, relay
from tests.relay.peer import Peer, viewer
from tests.relay.test_signalling import H264, offer


async def show(hub: Hub, track: int, feed: str | None, serial: int = 1, *, hold: bool = False) -> None:
    await hub.call("track.show", viewer="v", track=track, feed=feed, serial=serial, hold=hold)


async def track_state(hub: Hub, phase: str, serial: int = 1, track: int = 0) -> dict[str, object]:
    frame = await hub.until(
        "track.state",
        lambda head: (head["phase"], head["serial"], head["track"]) == (phase, serial, track),
    )
    return frame.head


@pytest.mark.slow
async def test_a_viewer_decodes_two_cameras_and_is_switched() -> None:
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(relay())
        for name, width in (("a", 320), ("b", 352), ("c", 416)):
            await hub.open(name, await stack.enter_async_context(camera(clip(width=width, height=240))))
            await hub.state(name, "live")
        peer = await stack.enter_async_context(viewer(hub, tracks=2))
        await show(hub, 0, "a")
        await show(hub, 1, "b")
        assert await peer.width(0) == 320
        assert await peer.width(1) == 352
        await show(hub, 0, "c", serial=2)
        await track_state(hub, "live", serial=2)
        await peer.until_width(0, 416)
        await show(hub, 0, None, serial=3)
        await track_state(hub, "empty", serial=3)


async def test_a_track_waits_for_a_feed_that_opens_later_and_survives_its_closing() -> None:
    async with camera(clip()) as cam, relay() as hub, viewer(hub) as peer:
        await show(hub, 0, "late")
        await track_state(hub, "waiting")
        await hub.open("late", cam)
        assert await peer.width(0) == 320
        await track_state(hub, "live")
        await hub.call("feed.close", feed="late")
        await hub.state("late", "stopped")
        waiting = [frame for frame in hub.said if frame.type == "track.state"]
        assert waiting[-1].head["phase"] == "waiting"


async def test_the_picture_before_goes_on_until_the_next_feed_has_its_key_frame() -> None:
    async with camera(clip()) as sub, camera(clip(width=416)) as main, relay() as hub, viewer(hub) as peer:
        await hub.open("sub", sub)
        await show(hub, 0, "sub")
        assert await peer.width(0) == 320
        before = await sent(hub)
        await show(hub, 0, "main", serial=2, hold=True)
        await track_state(hub, "waiting", serial=2)
        assert await sent(hub, at_least=before + 3) > before  # nobody has opened the next one yet
        await hub.open("main", main)
        await track_state(hub, "live", serial=2)
        await peer.until_width(0, 416)
        assert (await hub.call("figures"))["feeds"]["sub"]["tracks"] == 0
        of_main = [frame.head["phase"] for frame in hub.said if frame.head.get("serial") == 2]
        assert of_main == ["waiting", "live"]


async def test_the_picture_before_is_held_for_a_few_seconds_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tile, "HOLD_SECONDS", 0.2)
    mute = Quirks(no_key_frames=True)
    async with camera(clip()) as sub, camera(clip(), mute) as main, relay() as hub, viewer(hub) as peer:
        await hub.open("sub", sub)
        await show(hub, 0, "sub")
        assert await peer.width(0) == 320
        await hub.open("main", main)
        await show(hub, 0, "main", serial=2, hold=True)
        async with asyncio.timeout(60):
            while (await hub.call("figures"))["feeds"]["sub"]["tracks"]:
                pass
        of_main = [frame.head["phase"] for frame in hub.said if frame.head.get("serial") == 2]
        assert of_main == ["waiting"]


async def test_a_held_picture_goes_on_when_the_next_stream_cannot_be_shown() -> None:
    h265 = clip(codec="h265", seconds=1)
    async with camera(clip()) as sub, camera(h265) as main, relay() as hub, viewer(hub) as peer:
        await hub.open("sub", sub)
        await show(hub, 0, "sub")
        assert await peer.width(0) == 320
        await show(hub, 0, "main", serial=2, hold=True)
        await hub.open("main", main)
        assert (await track_state(hub, "refused", serial=2))["reason"] == "no_h264"
        await show(hub, 0, "sub", serial=2, hold=True)
        await track_state(hub, "live", serial=2)


async def sent(hub: Hub, at_least: int = 0) -> int:
    """Frames sent to the first track, once there are that many."""
    async with asyncio.timeout(60):
        while (frames := int((await hub.call("figures"))["viewers"]["v"]["tracks"][0]["frames"])) < at_least:
            pass
    return frames


async def test_a_track_says_why_its_feed_fails_and_is_live_again_after() -> None:
    async with camera(clip()) as cam, relay() as hub, viewer(hub) as peer:
        await hub.open("a", cam)
        await show(hub, 0, "a")
        assert await peer.width(0) == 320
        cam.hang_up()
        await hub.until("track.state", lambda head: head["reason"] == Reason.UNREACHABLE)
        await hub.until("track.state", lambda head: head["phase"] == "live", since=len(hub.said))


async def test_a_feed_that_the_hub_points_elsewhere_is_opened_anew_under_the_same_name() -> None:
    async with camera(clip()) as first, camera(clip(width=416)) as second, relay() as hub, viewer(hub) as peer:
        await hub.open("a", first)
        await show(hub, 0, "a")
        assert await peer.width(0) == 320
        await hub.open("a", second)
        await peer.until_width(0, 416)
        assert first.torn_down.is_set()
        assert second.seen.connections == 1


async def test_an_h265_camera_is_refused_to_a_browser_without_it() -> None:
    async with camera(clip(codec="h265", seconds=1)) as cam, relay() as hub, viewer(hub) as peer:
        assert peer.answer["codecs"] == ["h264"]
        await hub.open("a", cam)
        assert (await hub.state("a", "live"))["codec"] == "h265"
        await show(hub, 0, "a")
        assert (await track_state(hub, "refused"))["reason"] == "no_h264"


def is_of(name: str, head: dict[str, object]) -> bool:
    return head["viewer"] == name


async def test_viewers_that_never_connect_are_reaped_and_leave_nothing_behind() -> None:
    async with relay(connect_timeout=0.3) as hub:
        connection = RTCPeerConnection()
        connection.addTransceiver("video", direction="recvonly")
        await connection.setLocalDescription(await connection.createOffer())
        sdp = connection.localDescription.sdp
        await connection.close()
        tasks, files = len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd"))
        names = {f"v{number}" for number in range(40)}
        for name in names:
            await hub.call("viewer.offer", viewer=name, sdp=sdp)
        for name in names:
            closed = await hub.until("viewer.state", partial(is_of, name))
            assert (closed.head["state"], closed.head["reason"]) == ("closed", "reaped")
        assert (await hub.call("figures"))["viewers"] == {}
        async with asyncio.timeout(60):  # their tasks end a moment after they have been reaped
            while len(asyncio.all_tasks()) > tasks or len(os.listdir("/proc/self/fd")) > files:
                await hub.call("figures")


async def test_a_viewer_that_says_goodbye_is_gone() -> None:
    async with relay() as hub:
        async with viewer(hub):
            pass
        closed = await hub.until("viewer.state", lambda head: head["state"] == "closed")
        assert closed.head["reason"] == "gone"


async def test_a_port_on_all_addresses_serves_ipv4_too() -> None:
    async with camera(clip()) as cam, relay(udp_host="::") as hub, viewer(hub) as peer:
        await hub.open("a", cam)
        await show(hub, 0, "a")
        assert await peer.width(0) == 320


async def test_a_viewer_that_the_hub_closes_is_told_by_dtls() -> None:
    async with relay() as hub, viewer(hub) as peer:
        closed = asyncio.Event()
        peer.connection.on("connectionstatechange", lambda: closed.set())
        await hub.call("viewer.close", viewer="v")
        await asyncio.wait_for(closed.wait(), 60)
        assert peer.connection.connectionState == "closed"
        said = await hub.until("viewer.state", lambda head: head["state"] == "closed")
        assert said.head["reason"] == "closed"


async def test_viewers_are_limited_and_an_offer_under_the_same_name_replaces() -> None:
    async with relay(max_viewers=1) as hub, viewer(hub, "v"):
        with pytest.raises(HubError) as raised:
            async with viewer(hub, "w"):
                pass
        assert raised.value.reason == Reason.BUSY
        async with viewer(hub, "v"):
            closed = await hub.until("viewer.state", lambda head: head["state"] == "closed")
            assert closed.head["reason"] == "replaced"


async def test_an_offer_without_h264_is_refused() -> None:
    async with relay() as hub:
        with pytest.raises(HubError) as raised:
            await hub.call(
                "viewer.offer",
                viewer="v",
                sdp="v=0\r\na=ice-ufrag:abcd\r\na=fingerprint:sha-256 AA\r\n"
                "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n",
            )
        assert raised.value.reason == "no_h264"


def hostile() -> dict[str, bytes]:
    foreign = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    foreign.attributes["USERNAME"] = "nobody:here"
    foreign.add_message_integrity(b"guess")
    return {
        "empty": b"",
        "oversized": bytes(2000),
        "first byte": b"\x50hello",
        "short stun": b"\x00\x01",
        "stun of nonsense": b"\x00\x01\x00\x08\x21\x12\xa4\x42" + bytes(12) + b"\xff" * 8,
        "stun with short attribute": b"\x00\x01\x00\x04\x21\x12\xa4\x42" + bytes(12) + b"\x00\x24\x00\x04",
        "stun of a stranger": bytes(foreign),
        "dtls of a stranger": b"\x16\xfe\xfd" + bytes(60),
        "rtp of a stranger": b"\x80\x60" + bytes(40),
        "rtcp of a stranger": b"\x80\xcb\x00\x01" + bytes(20),
    }


@pytest.mark.slow
async def test_hostile_datagrams_are_counted_and_harm_nobody() -> None:
    async with camera(clip()) as cam, relay() as hub, viewer(hub) as peer:
        await hub.open("a", cam)
        await show(hub, 0, "a")
        assert await peer.width(0) == 320
        port = next(int(line.split()[1]) for line in peer.answer["sdp"].split("\r\n") if line.startswith("m=video"))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for data in hostile().values():
                for _ in range(20):
                    stranger.sendto(data, ("127.0.0.1", port))
        for _ in range(20):
            await peer.width(0)
        counts = (await hub.call("figures"))["relay"]["datagrams"]
        assert counts["bad_size"] == 40
        assert counts["bad_first_byte"] == 20
        assert counts["bad_stun"] + counts["unknown_user"] == 80
        assert counts["unknown_source"] == 60


@pytest.mark.slow
async def test_the_key_frames_of_a_tapped_feed_are_handed_to_the_hub() -> None:
    async with camera(clip()) as cam, relay() as hub:
        await hub.open("a", cam)
        await hub.call("feed.keys", feed="a", every=0)
        first = await hub.until("key_frame")
        assert first.head["codec"] == "h264"
        assert first.body.startswith(b"\x00\x00\x00\x01\x67")
        await hub.call("feed.keys", feed="a", every=0.1)
        second = await hub.until("key_frame", lambda head: head["received_at"] > first.head["received_at"])
        third = await hub.until("key_frame", lambda head: head["received_at"] > second.head["received_at"])
        assert third.body.count(b"\x00\x00\x00\x01") >= 3


async def test_someone_who_waits_for_a_key_frame_makes_the_relay_ask_for_a_synchronization_point() -> None:
    async with camera(clip(), Quirks(no_key_frames=True)) as cam, relay() as hub, viewer(hub):
        await hub.open("a", cam)
        await hub.state("a", "waiting_key")
        await show(hub, 0, "a")
        assert (await hub.until("sync.wanted")).head["feed"] == "a"


async def test_the_streams_of_a_viewer_all_have_numbers_of_their_own() -> None:
    async with relay() as hub, viewer(hub, tracks=6) as peer:
        found = re.findall(r"a=ssrc-group:FID (\d+) (\d+)", peer.answer["sdp"])
        assert len({number for pair in found for number in pair}) == 12


async def test_a_viewer_that_is_closed_in_the_same_breath_leaves_no_trace() -> None:
    async with camera(clip()) as cam, relay() as hub:
        await hub.open("a", cam)
        await hub.state("a", "live")
        for word in (
            {"type": "viewer.offer", "viewer": "v", "sdp": offer(H264)},
            {"type": "track.show", "viewer": "v", "track": 0, "feed": "a", "serial": 1},
            {"type": "viewer.close", "viewer": "v"},
        ):
            hub.pipe.post(word)
        await hub.until("viewer.state", lambda head: head["state"] == "closed")
        assert (await hub.call("figures"))["feeds"]["a"]["tracks"] == 0


@pytest.mark.parametrize(
    ("kinds", "audio"),
    [(("video", "audio"), False), (("audio", "video"), False), (("audio", "video"), True), (("video", "video"), False)],
)
async def test_a_player_decodes_whatever_else_it_offers(kinds: tuple[str, ...], audio: bool) -> None:
    """As WHEP players offer: sound first or last, served or not, a second picture."""
    async with camera(clip()) as cam, relay() as hub:
        await hub.open("a", cam)
        connection = RTCPeerConnection()
        try:
            for kind in kinds:
                connection.addTransceiver(kind, direction="recvonly")
            peer = Peer(connection)
            await connection.setLocalDescription(await connection.createOffer())
            answer = await hub.call(
                "viewer.offer", viewer="v", sdp=connection.localDescription.sdp, audio=audio, tracks=1
            )
            assert (answer["tracks"], answer["audio"]) == (1, audio)
            connected = asyncio.Event()
            connection.on(
                "connectionstatechange", lambda: connected.set() if connection.connectionState == "connected" else None
            )
            await connection.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
            await show(hub, 0, "a")
            peer.tracks = [track for track in peer.tracks if track.kind == "video"]
            assert await peer.width(0) == 320
            async with asyncio.timeout(60):
                await connected.wait()
        finally:
            await connection.close()
