"""The RTSP server against FFmpeg as a foreign player and against a client made by hand."""

import asyncio
import dataclasses
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise

import numpy as np
import pytest
from aiortc.rtp import RtcpPacket

from camera_hub.simulator.farm import Farm
from camera_hub.simulator.model import FarmPlan, RtspAuth
from camera_hub.simulator.picture.making import frame_of
from camera_hub.simulator.rtsp.stream import Stream
from camera_hub.simulator.testing import QUICK_SUB, small_farm, small_plan
from tests.fakes.clock import ManualClock
from tests.simulator.peers import DEADLINE, RtspClient, basic, digest, pictures


@pytest.fixture
async def farm() -> AsyncIterator[Farm]:
    async with small_farm(villages=1, cameras=8) as farm:
        yield farm


def url(farm: Farm, channel: int = 0, quality: str = "sub_url") -> str:
    (village,) = farm.describe()["villages"]
    return str(village["devices"][0]["channels"][channel][quality])


async def connect(farm: Farm) -> RtspClient:
    state = next(iter(farm.devices.values())).state
    return await RtspClient.connect(state.plan.address, state.rtsp_port)


async def until(
    condition: Callable[[], bool], turn: Callable[[], Awaitable[object]] = lambda: asyncio.sleep(0)
) -> None:
    """Let others run until something holds; fail after the deadline."""
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await turn()


async def encoded(stream: Stream) -> None:
    """Until all that the stream sends now is there: one whose next frames are still being encoded stalls."""
    loop = await stream.loop()
    await until(lambda: loop.ready == loop.length, lambda: asyncio.sleep(0.02))


@pytest.mark.slow
@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_a_foreign_player_sees_the_place_and_the_clock_go(farm: Farm, transport: str) -> None:
    shown = await pictures(url(farm), 12, transport=transport)
    body = frame_of(QUICK_SUB).body_height
    assert all(picture[:body].mean() > 40 and picture[:body].std() > 10 for picture in shown)
    clock = [picture[body:, 160:].astype(int) for picture in shown]
    assert any(np.abs(clock[0] - later).max() > 100 for later in clock[1:]), "twelve frames last over a second"


async def test_channels_of_a_recorder_show_different_pictures(farm: Farm) -> None:
    one, two = await asyncio.gather(pictures(url(farm, 0), 2), pictures(url(farm, 3), 2))
    assert np.abs(one[-1].astype(int) - two[-1]).mean() > 5


async def test_an_h265_main_stream_plays() -> None:
    async with small_farm(h265=True) as farm:
        shown = await pictures(url(farm, quality="main_url"), 3)
    assert shown[-1].shape == (192, 320)
    assert shown[-1].std() > 20


async def test_digest_is_asked_for_and_taken(farm: Farm) -> None:
    client = await connect(farm)
    header = await client.log_in(url(farm), "admin", "village-2024")
    reply = await client.ask("DESCRIBE", url(farm), Authorization=header)
    assert reply.status == 200
    assert b"H264/90000" in reply.body
    assert b"packetization-mode=1" in reply.body
    await client.close()


async def test_a_wrong_password_and_a_made_up_nonce_are_refused_and_counted(farm: Farm) -> None:
    client = await connect(farm)
    header = await client.log_in(url(farm), "admin", "wrong")
    assert (await client.ask("DESCRIBE", url(farm), Authorization=header)).status == 401
    forged = digest(
        'realm="x", nonce="1234567890abcdef1234567890abcdef"', "DESCRIBE", url(farm), "admin", "village-2024"
    )
    assert (await client.ask("DESCRIBE", url(farm), Authorization=forged)).status == 401
    stats = next(iter(farm.devices.values())).state.stats
    assert (stats.logins, stats.logins_failed) == (2, 2)
    await client.close()


def with_first_device(plan: FarmPlan, **changes: object) -> FarmPlan:
    village = plan.villages[0]
    device = dataclasses.replace(village.devices[0], **changes)  # type: ignore[arg-type]  # names are checked at run time
    return FarmPlan((dataclasses.replace(village, devices=(device,)),))


async def test_basic_is_taken_only_where_it_is_offered() -> None:
    for auth, status in ((RtspAuth.BASIC, 200), (RtspAuth.BOTH, 200), (RtspAuth.DIGEST, 401)):
        async with small_farm(plan=with_first_device(small_plan(), rtsp_auth=auth)) as farm:
            client = await connect(farm)
            reply = await client.ask("DESCRIBE", url(farm), Authorization=basic("admin", "village-2024"))
            assert reply.status == status
            refused = await client.ask("DESCRIBE", url(farm))
            schemes = [challenge.split()[0] for challenge in refused.headers["www-authenticate"]]
            assert schemes == {"basic": ["Basic"], "both": ["Digest", "Basic"], "digest": ["Digest"]}[auth]
            await client.close()


async def test_sha_256_digest_is_taken_where_it_is_offered() -> None:
    async with small_farm(plan=with_first_device(small_plan(), digest_algorithm="SHA-256")) as farm:
        client = await connect(farm)
        header = await client.log_in(url(farm), "admin", "village-2024")
        assert "algorithm=SHA-256" in header
        assert (await client.ask("DESCRIBE", url(farm), Authorization=header)).status == 200
        await client.close()


async def test_a_first_viewer_gets_parameter_sets_and_a_key_frame_first(farm: Farm) -> None:
    client = await connect(farm)
    await client.play(url(farm))
    first, second = await client.rtp(), await client.rtp()
    assert first[12] & 0x1F == 24, "SPS and PPS in one STAP-A"
    kind = second[13] & 0x1F if second[12] & 0x1F == 28 else second[12] & 0x1F
    assert kind == 5
    await client.close()


@pytest.mark.slow
async def test_sequence_timestamps_and_reports_are_those_of_one_source(farm: Farm) -> None:
    await encoded(next(iter(farm.devices.values())).rtsp.streams[1, 2])
    client = await connect(farm)
    await client.play(url(farm))
    sequence: list[int] = []
    stamps: list[int] = []
    report = b""
    while len(sequence) < 40:
        channel, data = await client.packet()
        if channel == 1:
            report = data
            RtcpPacket.parse(data)
            continue
        _, _, number, stamp, source = struct.unpack("!BBHII", data[:12])
        sequence.append(number)
        stamps.append(stamp)
    assert [later - earlier for earlier, later in pairwise(sequence)] == [1] * 39
    steps = {later - earlier for earlier, later in pairwise(stamps)} - {0}
    assert all(abs(step - 90_000 / QUICK_SUB.fps) <= 1 for step in steps)
    assert report[1] == 200
    assert struct.unpack("!I", report[4:8])[0] == source
    await client.close()


async def test_viewers_of_one_channel_share_its_stream_and_are_counted(farm: Farm) -> None:
    state = next(iter(farm.devices.values())).state
    name = f"{state.plan.channels[0].key}/sub"
    one, two = await connect(farm), await connect(farm)
    await one.play(url(farm))
    await one.rtp()
    await two.play(url(farm))
    await two.rtp()
    assert state.stats.sessions[name] == 2
    await one.ask("TEARDOWN", url(farm), Authorization=one.sign("TEARDOWN"))
    assert state.stats.sessions[name] == 1
    await two.close()
    await until(lambda: state.stats.sessions[name] == 0)
    assert state.stats.plays[name] == 2
    await one.close()


async def test_pause_stops_and_play_goes_on(farm: Farm) -> None:
    state = next(iter(farm.devices.values())).state
    client = await connect(farm)
    await client.play(url(farm))
    assert (await client.ask("PAUSE", url(farm), Authorization=client.sign("PAUSE"))).status == 200
    assert sum(state.stats.sessions.values()) == 0
    assert (await client.ask("PLAY", url(farm), Authorization=client.sign("PLAY"))).status == 200
    client.frames.clear()
    assert await client.rtp()
    await client.close()


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("DESCRIBE", "/Streaming/Channels/901", {}, 404),
        ("DESCRIBE", "/elsewhere", {}, 404),
        ("SETUP", "/Streaming/Channels/101/trackID=1", {"Transport": "RTP/AVP;multicast;port=5000-5001"}, 461),
        ("SETUP", "/Streaming/Channels/101/trackID=1", {"Transport": "RTP/AVP/TCP;interleaved=400-401"}, 461),
        ("PLAY", "/Streaming/Channels/101", {"Session": "unknown"}, 454),
        ("RECORD", "/Streaming/Channels/101", {}, 405),
    ],
)
async def test_what_cannot_be_is_refused(
    farm: Farm, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    client = await connect(farm)
    target = url(farm).partition("/Streaming")[0] + path
    header = await client.log_in(target, "admin", "village-2024", method)
    assert (await client.ask(method, target, Authorization=header, **headers)).status == status
    await client.close()


async def test_nonsense_is_answered_with_400_and_the_end(farm: Farm) -> None:
    client = await connect(farm)
    client.writer.write(b"GET / HTTP/1.1\r\n\r\n")
    async with asyncio.timeout(DEADLINE):
        assert (await client.reader.read()).startswith(b"RTSP/1.0 400 ")
    await client.close()


async def test_a_device_has_only_so_many_sessions() -> None:
    async with small_farm(plan=with_first_device(small_plan(), max_sessions=1)) as farm:
        one, two = await connect(farm), await connect(farm)
        await one.play(url(farm))
        header = await two.log_in(url(farm), "admin", "village-2024", "SETUP")
        reply = await two.ask("SETUP", url(farm), Authorization=header, Transport="RTP/AVP/TCP;interleaved=0-1")
        assert reply.status == 453
        await one.close()
        await two.close()


async def test_a_session_that_says_nothing_for_a_minute_is_ended_and_a_living_one_is_not() -> None:
    clock = ManualClock()
    async with small_farm(clock=clock) as farm:
        state = next(iter(farm.devices.values())).state
        silent, living = await connect(farm), await connect(farm)
        await silent.play(url(farm))
        await living.play(url(farm))
        assert sum(state.stats.sessions.values()) == 2
        for _ in range(7):
            await living.ask("GET_PARAMETER", url(farm), Authorization=living.sign("GET_PARAMETER"))
            await clock.advance(10)
        assert sum(state.stats.sessions.values()) == 1
        await living.ask("GET_PARAMETER", url(farm), Authorization=living.sign("GET_PARAMETER"))
        await silent.close()
        await living.close()


async def test_udp_sessions_send_to_the_ports_named_and_live_by_receiver_reports(farm: Farm) -> None:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mine:
        mine.setblocking(False)
        mine.bind(("127.0.0.1", 0))
        port = mine.getsockname()[1]
        client = await connect(farm)
        header = await client.log_in(url(farm), "admin", "village-2024", "SETUP")
        transport = f"RTP/AVP;unicast;client_port={port}-{port + 1}"
        reply = await client.ask("SETUP", url(farm), Authorization=header, Transport=transport)
        assert "server_port=" in reply.header("transport")
        session = reply.header("session").partition(";")[0]
        play = await client.log_in(url(farm), "admin", "village-2024", "PLAY")
        assert (await client.ask("PLAY", url(farm), Authorization=play, Session=session)).status == 200
        async with asyncio.timeout(DEADLINE):
            packet = await loop.sock_recv(mine, 2048)
        assert packet[0] >> 6 == 2
        await client.close()
