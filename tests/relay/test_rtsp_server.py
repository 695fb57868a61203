"""RTSP out of a real relay on real sockets: a camera in, plain and foreign players out."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from camera_hub.errors import HubError, Kind
from camera_hub.running import running
from tests.foreign import foreign
from tests.relay.camera import Camera, camera
from tests.relay.clip import clip
from tests.relay.hub import relay
from tests.relay.rtsp_player import TOKEN, AuthorizingHub, listening, player, sets


@asynccontextmanager
async def site(codec: str = "h264", **config: object) -> AsyncIterator[tuple[int, AuthorizingHub, Camera]]:
    """A relay that pulls one camera as feed "a" and lets the token's holder have it: port, hub's side, camera."""
    async with camera(clip(codec=codec)) as one, relay(rtsp_host="127.0.0.1", **config) as hub:
        await hub.open("a", one)
        await hub.state("a", "live")
        authorizing = AuthorizingHub(hub)
        async with running(authorizing.answer(), "authorizing"):
            yield await listening(hub), authorizing, one


@pytest.mark.slow
async def test_a_player_is_described_set_up_and_played_from_the_cached_key_frame() -> None:
    async with site() as (port, authorizing, one), player(port, f"{TOKEN}/5") as tv:
        options = await tv.ask("OPTIONS")
        assert "DESCRIBE" in options.headers["public"]
        described = await tv.ask("DESCRIBE", Accept="application/sdp", User_Agent="decoder")
        coded = [base64.b64encode(unit).decode() for unit in one.clip.parameters()]
        assert sets(described.body) == coded
        assert "packetization-mode=1" in described.body
        played = await tv.play()
        packets = await tv.receive(60)
        told = dict(part.split("=", 1) for part in played.headers["rtp-info"].split(";"))
        assert int(told["seq"]) == packets[0].sequence
        assert int(told["rtptime"]) == packets[0].timestamp
        assert [p.sequence for p in packets] == [(packets[0].sequence + n) & 0xFFFF for n in range(len(packets))]
        assert packets[0].payload[0] & 0x1F in (7, 24), "parameter sets first"
        assert {p.ssrc for p in packets} == {packets[0].ssrc}
        asked = authorizing.asked[0]
        assert (asked["camera"], asked["quality"], asked["address"]) == (5, "main", "127.0.0.1")
        assert TOKEN not in str(authorizing.hub.said), "the token stays in the relay"
        assert (await authorizing.figures())[asked["session"]]["playing"]
        assert (await tv.ask("TEARDOWN")).status == 200
        assert (await tv.ask("PAUSE")).status == 200
        assert (await tv.ask("PLAY")).status == 455
        tv.writer.close()
        ended = await authorizing.ended(asked["session"])
        assert (ended["reason"], ended["transport"]) == ("closed", "tcp")
        assert ended["bytes"] >= sum(len(p.payload) for p in packets)
        assert len(authorizing.asked) == 1


@pytest.mark.slow
@pytest.mark.parametrize("hurried", [True, False])
async def test_a_recorder_gets_the_cached_group_as_it_was_taken_and_who_looks_gets_it_hurried(hurried: bool) -> None:
    async with site() as (port, authorizing, _), player(port, f"{TOKEN}/5") as tv:
        authorizing.hurried = hurried
        while (await authorizing.hub.call("figures"))["feeds"]["a"]["frames"] < 6:
            pass  # until several frames are cached
        await tv.ask("DESCRIBE")
        await tv.play()
        times = list(dict.fromkeys(packet.timestamp for packet in await tv.receive(60)))
        cached = [(b - a) & 0xFFFFFFFF for a, b in pairwise(times)]
        assert len(cached) > 5
        if hurried:
            assert cached[0] == 90
        else:
            assert min(cached) > 900, "no two frames closer than 10 ms: the camera takes 25 a second"


async def run(*command: str) -> tuple[int, str]:
    """A foreign player's status and words."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(60):
            out, _ = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    return process.returncode or 0, out.decode(errors="replace")


@pytest.mark.foreign
@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_ffmpeg_plays_it(codec: str, transport: str) -> None:
    ffmpeg = foreign("ffmpeg")
    async with site(codec) as (port, authorizing, _):
        url = f"rtsp://127.0.0.1:{port}/{TOKEN}/5"
        command = (ffmpeg, "-v", "error", "-xerror", "-rtsp_transport", transport, "-i", url)
        status, said = await run(*command, "-frames:v", "40", "-f", "framecrc", "-")
        assert status == 0, said
        pictures = [line for line in said.splitlines() if line.startswith("0,")]
        assert len(pictures) == 40, said
        ended = await authorizing.ended(authorizing.asked[-1]["session"])
        assert (ended["transport"], ended["reason"]) == (transport, "closed")


@pytest.mark.foreign
async def test_ffprobe_reads_size_and_codec() -> None:
    ffprobe = foreign("ffprobe")
    async with site() as (port, _, _):
        shown = ("-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0")
        status, said = await run(
            ffprobe, "-v", "error", "-rtsp_transport", "tcp", *shown, f"rtsp://127.0.0.1:{port}/{TOKEN}/5/sub"
        )
        assert (status, said.strip()) == (0, "h264,320,240")


@pytest.mark.foreign
@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_gstreamer_plays_it(transport: str) -> None:
    launch = foreign("gst-launch-1.0")
    async with site() as (port, authorizing, _):
        source = f"rtspsrc location=rtsp://127.0.0.1:{port}/{TOKEN}/5 protocols={transport} latency=0"
        chain = "rtph264depay ! video/x-h264,alignment=au ! fakesink num-buffers=40 silent=false"
        # Its status tells nothing: at its end it may say PAUSE into the connection that its TEARDOWN has closed.
        _, said = await run(launch, "-v", *f"{source} ! {chain}".split())
        assert said.count("last-message = chain") >= 40, said
        assert "Got EOS" in said, said
        assert (await authorizing.ended(authorizing.asked[-1]["session"]))["transport"] == transport


async def test_a_decoder_that_demands_a_login_brings_the_token_as_its_password() -> None:
    async with site() as (port, authorizing, _), player(port, "5/sub") as tv:
        refused = await tv.ask("DESCRIBE")
        assert refused.status == 401
        assert refused.headers["www-authenticate"].startswith("Basic ")
        login = base64.b64encode(f"admin:{TOKEN}".encode()).decode()
        assert (await tv.ask("DESCRIBE", Authorization=f"Basic {login}")).status == 200
        assert (authorizing.asked[0]["camera"], authorizing.asked[0]["quality"]) == (5, "sub")


async def test_a_play_for_a_broken_url_is_answered_as_the_presentation_that_was_set_up() -> None:
    async with site() as (port, _, _), player(port, f"{TOKEN}/5") as tv:
        await tv.ask("SETUP", f"{tv.url}/track1", Transport="RTP/AVP/TCP;unicast;interleaved=0-1")
        played = await tv.ask("PLAY", "rtsp://[::1/5")
        assert played.status == 200
        assert played.headers["rtp-info"].startswith(f"url={tv.url}/track1;")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "status"),
    [(Kind.UNAUTHENTICATED, 403), (Kind.NOT_FOUND, 404), (Kind.BUSY, 453), (Kind.UNREACHABLE, 503)],
)
async def test_the_hubs_refusal_is_answered_by_its_number_and_no_word_more(kind: Kind, status: int) -> None:
    async with site() as (port, authorizing, _), player(port, f"{TOKEN}/5") as tv:
        authorizing.refusal = HubError(kind, "camera 5 of East Village is away")
        answer = await tv.ask("DESCRIBE")
        assert answer.status == status
        assert "Village" not in str(answer)


async def test_one_connection_is_for_one_camera() -> None:
    async with site() as (port, authorizing, _), player(port, f"{TOKEN}/5") as tv:
        await tv.play()
        tv.packets.clear()
        assert (await tv.ask("DESCRIBE", f"rtsp://127.0.0.1:{port}/{TOKEN}/6")).status == 455
        assert (await tv.ask("SETUP", Transport="RTP/AVP/TCP;interleaved=2-3")).status == 455
        assert (await tv.ask("GET_PARAMETER")).status == 200
        assert (await tv.ask("PAUSE")).status == 200
        assert len(authorizing.asked) == 1


@pytest.mark.slow
async def test_the_picture_comes_back_in_the_same_session_after_the_camera_dropped_out() -> None:
    async with site() as (port, authorizing, one), player(port, f"{TOKEN}/5") as tv:
        await tv.play()
        await tv.receive(20)
        since = len(authorizing.hub.said)
        one.hang_up()
        await authorizing.hub.until("feed.state", lambda head: head["phase"] == "live", since=since)
        packets = await tv.receive(len(tv.packets) + 60)
        numbers = [packet.sequence for packet in packets]
        assert numbers == [(numbers[0] + n) & 0xFFFF for n in range(len(numbers))]
        times = [packet.timestamp for packet in packets if packet.marker]
        assert all((b - a) & 0xFFFFFFFF < 1 << 31 for a, b in pairwise(times))


async def test_the_hub_ends_a_session_and_its_word_is_the_reason() -> None:
    async with site() as (port, authorizing, _), player(port, f"{TOKEN}/5") as tv:
        await tv.play()
        await authorizing.hub.call("rtsp.end", session=authorizing.asked[0]["session"], reason="revoked")
        await tv.gone()
        assert (await authorizing.ended(authorizing.asked[0]["session"]))["reason"] == "revoked"
        assert (await authorizing.figures()) == {}


async def test_a_camera_with_b_frames_is_refused_here_too() -> None:
    async with (
        camera(clip(options="bframes=2:b-adapt=0")) as one,
        relay(rtsp_host="127.0.0.1") as hub,
        running(AuthorizingHub(hub).answer(), "authorizing"),
    ):
        await hub.open("a", one)
        port = await listening(hub)
        async with player(port, f"{TOKEN}/5") as tv:
            await hub.until("feed.state", lambda head: head["reason"] == "b_frames")
            assert (await tv.ask("DESCRIBE")).status == 415
