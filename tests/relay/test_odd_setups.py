"""Cameras that agree to one thing and do another: channels, transports, connections, logins."""

import base64

import pytest

from camera_hub.errors import Reason
from camera_hub.peculiarity_kinds import PeculiarityKind
from camera_hub.relay.messages import FeedSpec, Peculiarity, RtspLiveSource
from tests.relay.camera import Camera, Quirks, camera
from tests.relay.clip import clip
from tests.relay.hub import Hub, relay
from tests.relay.test_odd_cameras import phases, shows

SETUP = b"RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\nSession: 77\r\n%s\r\n"


async def live(hub: Hub, cam: Camera) -> None:
    await hub.open("s1", cam)
    await hub.state("s1", "live")
    await shows(hub, 20, "s1")
    assert "failed" not in phases(hub, "s1")


@pytest.mark.slow
@pytest.mark.parametrize(
    "transport",
    [
        b"",
        b"Transport: RTP/AVP/TCP;unicast\r\n",
        b"Transport: RTP/AVP/TCP;unicast;interleaved=4-5\r\n",
        b"Transport: RTP/AVP/TCP;unicast;interleaved=999-5\r\n",
        b"Transport: rtp/avp/tcp; unicast; INTERLEAVED = 2\r\n",
    ],
)
async def test_video_plays_on_whatever_channel_it_comes(transport: bytes) -> None:
    async with camera(clip(), Quirks(answer={"SETUP": SETUP % transport})) as cam, relay() as hub:
        await live(hub, cam)


@pytest.mark.slow
async def test_a_camera_that_asks_and_announces_in_mid_session_is_answered_and_played() -> None:
    asked = b"".join(
        b"%s rtsp://x RTSP/1.0\r\nCSeq: %d\r\n\r\n" % (method, number)
        for number, method in enumerate((b"OPTIONS", b"ANNOUNCE", b"SET_PARAMETER", b"PLAY_NOTIFY"))
    )
    play = b"RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\nRTP-Info: url=;;seq=x,,\r\nSession: 99\r\n\r\n" + asked
    quirks = Quirks(answer={"OPTIONS": play}, session="77")
    async with camera(clip(), quirks) as cam, relay() as hub:
        await live(hub, cam)


@pytest.mark.parametrize("known", [False, True])
async def test_a_password_never_goes_in_the_clear_to_a_device_that_has_offered_digest(known: bool) -> None:
    """Case 08, after a restart: the relay knows it from the hub alone."""
    kinds = (Peculiarity(PeculiarityKind.DIGEST_OFFERED, "yes"),) if known else ()
    quirks = Quirks(login=("admin", "secret"), challenges=('Basic realm="x"',))
    async with camera(clip(), quirks) as cam, relay() as hub:
        source = RtspLiveSource(cam.url, "127.0.0.1", cam.port, "admin", "secret", peculiarities=kinds)
        await hub.pipe.call(FeedSpec("s1", source).head("feed.open"))
        basic = "Basic " + base64.b64encode(b"admin:secret").decode()
        if known:
            assert (await hub.state("s1", "failed"))["reason"] == Reason.BAD_REPLY
        else:
            await hub.state("s1", "live")
        sent = [headers.get("authorization") for _, _, headers in cam.seen.requests]
        assert (basic in sent) is not known
