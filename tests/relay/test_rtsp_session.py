"""RTSP sessions with cameras: TLS, UDP that loses and reorders, keep-alive, streams that fall silent."""

import asyncio
import datetime
import ipaddress
import random
import ssl
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from camera_hub.errors import Reason
from camera_hub.relay.ingest.feed import CHECK_INTERVAL
from camera_hub.relay.messages import RelayConfig
from camera_hub.relay.rtsp.keep_alive import REPORT_INTERVAL
from tests.relay.camera import Quirks, camera
from tests.relay.clip import clip
from tests.relay.hub import relay
from tests.relay.peer import viewer


def self_signed(folder: Path, *, days: int = 1) -> ssl.SSLContext:
    """A certificate as cameras make theirs: signed by nobody, for another name; `days` < 0: expired."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "IPC-2C4A11")])
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC) if days < 0 else datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=2))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("192.0.2.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "camera.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@pytest.mark.parametrize("days", [1, -1], ids=["self-signed", "expired"])
async def test_rtsps_takes_the_certificate_that_a_camera_made_itself(tmp_path: Path, days: int) -> None:
    """TLS keeps the picture and the login from the road; who the camera is, the pinned address and its login tell."""
    quirks = Quirks(tls=self_signed(tmp_path, days=days), login=("admin", "secret"))
    async with camera(clip(), quirks) as cam, relay() as hub, viewer(hub) as peer:
        await hub.open("a", cam, username="admin", password="secret")
        await hub.call("track.show", viewer="v", track=0, feed="a", serial=1)
        assert await peer.width(0) == 320
        assert cam.seen.methods()[:2] == ["DESCRIBE", "DESCRIBE"]


@pytest.mark.slow
async def test_tls_that_is_none_is_named(tmp_path: Path) -> None:
    async with camera(clip()) as cam, relay(open_timeout=2.0) as hub:
        cam.quirks.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # its URL says rtsps, its port speaks plainly
        await hub.open("a", cam)
        assert (await hub.state("a", "failed"))["reason"] in (Reason.TLS_FAILED, Reason.UNREACHABLE, Reason.TIMED_OUT)


def shuffled(
    seed: int, *, lose: float = 0.0, double: float = 0.0, swap: float = 0.0
) -> Callable[[int, bytes], list[bytes]]:
    """A road that does this to a share of the packets."""
    draw, held = random.Random(seed), list[bytes]()

    def road(number: int, packet: bytes) -> list[bytes]:
        if draw.random() < lose:
            return []
        out = [packet] * (1 + (draw.random() < double))
        if draw.random() < swap and not held:
            held.extend(out)
            return []
        out += held
        held.clear()
        return out

    return road


@pytest.mark.slow
async def test_udp_that_reorders_and_doubles_loses_no_frame() -> None:
    quirks = Quirks(refuse_tcp=True, road=shuffled(1, double=0.1, swap=0.2))
    async with camera(clip(width=640, height=480), quirks) as cam, relay() as hub, viewer(hub) as peer:
        await hub.open("a", cam)
        await hub.call("track.show", viewer="v", track=0, feed="a", serial=1)
        for _ in range(60):
            assert await peer.width(0) == 640
        figures = (await hub.call("figures"))["feeds"]["a"]
        assert (figures["gaps"], figures["dropped"]) == (0, 0)
        assert figures["repeats"] > 0  # the doubles


@pytest.mark.slow
async def test_udp_that_loses_goes_on_from_each_next_key_frame() -> None:
    quirks = Quirks(refuse_tcp=True, road=shuffled(2, lose=0.02, swap=0.1), speed=2)
    async with camera(clip(width=640, height=480), quirks) as cam, relay() as hub, viewer(hub) as peer:
        await hub.open("a", cam)
        await hub.call("track.show", viewer="v", track=0, feed="a", serial=1)
        for _ in range(40):
            assert await peer.width(0) == 640
        figures = (await hub.call("figures"))["feeds"]["a"]
        assert figures["gaps"] > 0
        assert figures["failures"] == 0


@pytest.mark.slow
async def test_a_stream_of_udp_that_falls_silent_is_found() -> None:
    quirks = Quirks(refuse_tcp=True, silent_after=10)
    async with camera(clip(), quirks) as cam, relay(media_timeout=0.6) as hub:
        await hub.open("a", cam)
        assert (await hub.state("a", "failed"))["reason"] == Reason.STALLED


async def test_by_default_a_silent_stream_is_found_within_ten_seconds() -> None:
    assert RelayConfig().media_timeout + CHECK_INTERVAL < 10
    assert RelayConfig().open_timeout <= 10


@pytest.mark.slow
async def test_a_session_of_few_seconds_is_kept_alive_in_time() -> None:
    asked: list[float] = []
    async with camera(clip(), Quirks(session="abc;timeout=3")) as cam, relay() as hub:
        await hub.open("a", cam)
        await hub.state("a", "live")
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.timeout(60):
            while len(asked) < 3:
                known = [method for method in cam.seen.methods() if method in ("OPTIONS", "GET_PARAMETER")]
                if len(known) > len(asked):
                    asked.append(loop.time() - began)
                await hub.call("figures")
        assert "GET_PARAMETER" in cam.seen.methods(), "the first answer names it among its methods"
        assert all(headers.get("session") == "abc" for method, _, headers in cam.seen.requests if method == "OPTIONS")
    assert REPORT_INTERVAL > 3, "this session is shorter than the usual beat"


@pytest.mark.slow
async def test_the_camera_is_told_over_its_own_connection_what_was_received() -> None:
    async with camera(clip(), Quirks(session="abc;timeout=3")) as cam, relay() as hub:
        await hub.open("a", cam)
        await hub.state("a", "live")
        async with asyncio.timeout(60):
            while not cam.seen.reports:
                await hub.call("figures")
        kind, ssrc = cam.seen.reports[0][1], struct.unpack("!I", cam.seen.reports[0][8:12])[0]
        assert (kind, ssrc) == (201, 0xCA)
