"""Faults of the RTSP server, as a peer meets them."""

import asyncio
import ssl
from collections.abc import AsyncIterator

import httpx
import pytest

from camera_hub.simulator.device import Device
from camera_hub.simulator.farm import Farm
from camera_hub.simulator.faults import INNER_ADDRESS, Fault
from camera_hub.simulator.rtsp.quirks import SESSION_PART
from camera_hub.simulator.testing import small_farm
from tests.fakes.clock import ManualClock
from tests.simulator.peers import DEADLINE, Reply, RtspClient, basic, digest
from tests.simulator.soap import LOGIN


@pytest.fixture
async def farm() -> AsyncIterator[Farm]:
    async with small_farm(villages=1, cameras=1) as farm:
        yield farm


@pytest.fixture
def device(farm: Farm) -> Device:
    return next(iter(farm.devices.values()))


def url(device: Device) -> str:
    return f"rtsp://{device.state.plan.address}:{device.state.rtsp_port}/Streaming/Channels/102"


async def connect(device: Device) -> RtspClient:
    return await RtspClient.connect(device.state.plan.address, device.state.rtsp_port)


async def described(device: Device) -> Reply:
    client = await connect(device)
    header = await client.log_in(url(device), *LOGIN)
    reply = await client.ask("DESCRIBE", url(device), Authorization=header)
    await client.close()
    return reply


@pytest.mark.parametrize(
    ("fault", "head"),
    [
        (Fault.CSEQ_ZERO, b"RTSP/1.0 200 OK\r\nCSeq: 0\r\nPublic"),
        (Fault.CSEQ_BEFORE, b"RTSP/1.0 200 OK\r\nCSeq: 0\r\nPublic"),
        (Fault.CSEQ_MISSING, b"RTSP/1.0 200 OK\r\nPublic"),
        (Fault.BLANK_HEADER_LINE, b"RTSP/1.0 200 OK\r\n \r\nCSeq: 1\r\nPublic"),
    ],
)
async def test_replies_are_numbered_and_set_out_oddly(farm: Farm, device: Device, fault: Fault, head: bytes) -> None:
    await farm.set_fault(device.state.plan.key, fault)
    client = await connect(device)
    client.send("OPTIONS", url(device))
    async with asyncio.timeout(DEADLINE):
        assert (await client.reader.readuntil(b"\r\n\r\n")).startswith(head)
    await client.close()


async def test_a_describe_before_options_is_refused_ignored_or_cut(farm: Farm, device: Device) -> None:
    await farm.set_fault(device.state.plan.key, Fault.OPTIONS_FIRST)
    client = await connect(device)
    assert (await client.ask("DESCRIBE", url(device))).status == 400
    await farm.set_fault(device.state.plan.key, Fault.OPTIONS_FIRST, value=0)
    client.send("DESCRIBE", url(device))
    assert (await client.ask("OPTIONS", url(device))).header("cseq") == "3", "the request before stays unanswered"
    assert (await client.ask("DESCRIBE", url(device))).status == 401
    await client.close()
    await farm.set_fault(device.state.plan.key, Fault.OPTIONS_FIRST, value=-1)
    client = await connect(device)
    client.send("DESCRIBE", url(device))
    async with asyncio.timeout(DEADLINE):
        assert await client.reader.read() == b""
    await client.close()


async def test_play_is_taken_on_one_url_alone(farm: Farm, device: Device) -> None:
    client = await connect(device)
    await client.play(url(device))
    for fault, taken, refused in (
        (Fault.PLAY_REFUSES_SLASH, url(device), url(device) + "/"),
        (Fault.PLAY_SESSION_URL, f"{url(device)}/{SESSION_PART}", url(device)),
    ):
        await farm.set_fault(device.state.plan.key, fault)
        sign = client.sign("PLAY")
        assert (await client.ask("PLAY", refused, Authorization=sign)).status in (405, 460)
        assert (await client.ask("PLAY", taken, Authorization=sign)).status == 200
        if fault is Fault.PLAY_SESSION_URL:
            assert f"a=control:{taken}\r\n".encode() in (await described(device)).body
            assert (await client.ask("TEARDOWN", refused, Authorization=client.sign("TEARDOWN"))).status == 460
        await farm.set_fault(device.state.plan.key, fault, on=False)
    await client.close()


@pytest.mark.parametrize(
    ("fault", "method", "lives"),
    [
        (Fault.KEEP_ALIVE_GET_PARAMETER, "GET_PARAMETER", True),
        (Fault.KEEP_ALIVE_GET_PARAMETER, "OPTIONS", False),
        (Fault.KEEP_ALIVE_UNLISTED, "GET_PARAMETER", True),
        (Fault.KEEP_ALIVE_UNLISTED, "OPTIONS", False),
        (Fault.KEEP_ALIVE_OPTIONS, "OPTIONS", True),
    ],
)
async def test_a_session_lives_by_one_method(fault: Fault, method: str, *, lives: bool) -> None:
    clock = ManualClock()
    async with small_farm(clock=clock) as farm:
        device = next(iter(farm.devices.values()))
        await farm.set_fault(device.state.plan.key, fault, value=12)
        client = await connect(device)
        listed = (await client.ask("OPTIONS", url(device))).header("public")
        assert ("GET_PARAMETER" in listed) is (fault is not Fault.KEEP_ALIVE_UNLISTED)
        await client.play(url(device))
        for _ in range(3):
            await clock.advance(5)
            if sum(device.state.stats.sessions.values()):
                await client.ask(method, url(device), Authorization=client.sign(method))
        assert sum(device.state.stats.sessions.values()) == lives
        await client.close()


@pytest.mark.parametrize(
    ("fault", "method"),
    [(Fault.KEEP_ALIVE_OPTIONS, "GET_PARAMETER"), (Fault.KEEP_ALIVE_RTCP, "OPTIONS")],
)
async def test_the_wrong_keep_alive_ends_the_connection(farm: Farm, device: Device, fault: Fault, method: str) -> None:
    await farm.set_fault(device.state.plan.key, fault)
    client = await connect(device)
    await client.play(url(device))
    client.send(method, url(device), Authorization=client.sign(method))
    async with asyncio.timeout(DEADLINE):
        while await client.reader.read(1 << 16):
            pass
    assert not sum(device.state.stats.sessions.values())
    await client.close()


async def test_receiver_reports_alone_keep_a_session_alive() -> None:
    clock = ManualClock()
    async with small_farm(clock=clock) as farm:
        device = next(iter(farm.devices.values()))
        await farm.set_fault(device.state.plan.key, Fault.KEEP_ALIVE_RTCP, value=12)
        client = await connect(device)
        await client.play(url(device))
        for alive in (1, 1, 1, 0):
            if alive:
                client.writer.write(b"$\x01\0\x08" + b"\x80\xc9\0\x01" + bytes(4))
                await client.rtp()
            for _ in range(3):
                await clock.advance(4 if not alive else 2)
            assert sum(device.state.stats.sessions.values()) == alive
        await client.close()


async def test_a_new_nonce_is_asked_for_in_mid_session_and_counts_from_one() -> None:
    clock = ManualClock()
    async with small_farm(clock=clock) as farm:
        device = next(iter(farm.devices.values()))
        await farm.set_fault(device.state.plan.key, Fault.NEW_NONCE, value=10)
        client = await connect(device)
        challenge = (await client.ask("DESCRIBE", url(device))).header("www-authenticate")
        first = digest(challenge, "DESCRIBE", url(device), *LOGIN)
        assert (await client.ask("DESCRIBE", url(device), Authorization=first)).status == 200
        assert (await client.ask("DESCRIBE", url(device), Authorization=first)).status == 401, "nc 1 for a second time"
        await clock.advance(10)
        second = first.replace("00000001", "00000002")
        refused = await client.ask("DESCRIBE", url(device), Authorization=second)
        assert refused.status == 401
        assert "stale" not in refused.header("www-authenticate")
        fresh = digest(refused.header("www-authenticate"), "DESCRIBE", url(device), *LOGIN)
        assert (await client.ask("DESCRIBE", url(device), Authorization=fresh)).status == 200
        assert (await client.ask("OPTIONS", url(device), Session="1")).status == 401
        assert device.state.stats.logins_failed == 0
        await client.close()


async def test_a_realm_that_reads_like_basic_is_digest_on_every_port(farm: Farm, device: Device) -> None:
    await farm.set_fault(device.state.plan.key, Fault.REALM_WITH_BASIC)
    client = await connect(device)
    offered = (await client.ask("DESCRIBE", url(device))).headers["www-authenticate"]
    assert len(offered) == 1
    assert offered[0].startswith('Digest realm="Gate, Basic line", nonce="')
    header = await client.log_in(url(device), *LOGIN)
    assert (await client.ask("DESCRIBE", url(device), Authorization=header)).status == 200
    assert (await client.ask("DESCRIBE", url(device), Authorization=basic(*LOGIN))).status == 401
    await client.close()
    async with httpx.AsyncClient(trust_env=False, timeout=DEADLINE) as web:
        reply = await web.get(device.state.http_url("/ISAPI/System/deviceInfo"))
    assert 'realm="Gate, Basic line"' in reply.headers["www-authenticate"]
    assert device.state.stats.basic_logins == 1


async def test_a_signed_request_gets_a_bare_401(farm: Farm, device: Device) -> None:
    for fault in (Fault.BARE_401, Fault.WRONG_PASSWORD):
        await farm.set_fault(device.state.plan.key, fault)
    client = await connect(device)
    header = await client.log_in(url(device), *LOGIN)
    refused = await client.ask("DESCRIBE", url(device), Authorization=header)
    assert (refused.status, refused.header("www-authenticate")) == (401, "")
    await client.close()


async def test_session_descriptions_are_odd(farm: Farm, device: Device) -> None:
    async def body(fault: Fault) -> bytes:
        await farm.set_fault(device.state.plan.key, fault)
        reply = await described(device)
        await farm.set_fault(device.state.plan.key, fault, on=False)
        return reply.body

    assert await body(Fault.SDP_BARE) == (b"m=video 0 RTP/AVP 96\r\na=control:trackID=1\r\na=rtpmap:96 H264/90000\r\n")
    two = await body(Fault.SDP_TWO_TYPES)
    assert b"m=video 0 RTP/AVP 98 96\r\n" in two
    assert b"a=rtpmap:98 vnd.private.metadata/90000\r\na=rtpmap: 96 H264/90000\r\na=fmtp: 96 pack" in two
    assert b"rtpmap" not in await body(Fault.CODEC_UNNAMED)
    assert b"c=IN IP4 239.192.20.1/16\r\n" in await body(Fault.MULTICAST_ONLY)
    await farm.set_fault(device.state.plan.key, Fault.CONTENT_BASE_ODD)
    assert (await described(device)).header("content-base") == f"rtsp://{INNER_ADDRESS}/Streaming/Channels/102"


async def test_something_else_listens_at_the_rtsp_port(farm: Farm, device: Device) -> None:
    async def heard(fault: Fault) -> bytes:
        await farm.set_fault(device.state.plan.key, fault)
        client = await connect(device)
        client.send("OPTIONS", url(device))
        async with asyncio.timeout(DEADLINE):
            found = await client.reader.read()
        await client.close()
        await farm.set_fault(device.state.plan.key, fault, on=False)
        return found

    assert (await heard(Fault.TLS_PORT)).hex() == "15030100020246"
    await farm.set_fault(device.state.plan.key, Fault.TLS_PORT)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(device.state.plan.address, device.state.rtsp_port, ssl=context)
    secure = RtspClient(reader, writer)
    assert (await secure.ask("OPTIONS", url(device))).status == 200
    await secure.close()
    await farm.set_fault(device.state.plan.key, Fault.TLS_PORT, on=False)
    assert (await heard(Fault.WEB_SERVER)).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    await farm.set_fault(device.state.plan.key, Fault.MULTICAST_ONLY)
    client = await connect(device)
    header = await client.log_in(url(device), *LOGIN, "SETUP")
    for transport in ("RTP/AVP/TCP;unicast;interleaved=0-1", "RTP/AVP;unicast;client_port=5000-5001"):
        assert (await client.ask("SETUP", url(device), Authorization=header, Transport=transport)).status == 461
    await client.close()
