"""H.265 on its way (RFC 7798): packet vectors, offers, and a client of our own that decodes what a viewer is sent."""

import asyncio
from collections.abc import Iterator
from typing import Any

import av
import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from av.video.codeccontext import VideoCodecContext

from camera_hub.relay.ingest.codecs import H265
from camera_hub.relay.ingest.depacketize import Depacketizer
from camera_hub.relay.ingest.packetize import packetize
from camera_hub.relay.ingest.rtp import RtpPacket
from camera_hub.relay.ingest.timestamps import TimestampMapper
from camera_hub.relay.ingest.video_pipeline import VideoPipeline
from camera_hub.relay.webrtc.offer import read_offer
from tests.relay.camera import camera
from tests.relay.clip import clip
from tests.relay.hub import Hub, relay
from tests.relay.test_signalling import H264, offer
from tests.relay.test_signalling import H265 as H265_LINES

VPS, SPS, PPS = b"\x40\x01v", b"\x42\x01s", b"\x44\x01p"
START = b"\x00\x00\x00\x01"


def unit(number: int, body: bytes = b"body", *, layer: int = 0, tid: int = 1) -> bytes:
    """A NAL unit: F 1 bit, type 6, layer 6, TID 3 (7.3.1.2)."""
    return (number << 9 | layer << 3 | tid).to_bytes(2, "big") + body


def taken(*payloads: bytes) -> list[tuple[bool, tuple[bytes, ...]]]:
    """(key, units) of the frames in these payloads, of which the last has the marker."""
    depacketizer = Depacketizer(H265)
    found = [
        frame
        for number, payload in enumerate(payloads)
        for frame in depacketizer.push(RtpPacket(96, number == len(payloads) - 1, number, 90, 1, payload))
    ]
    return [(frame.key, frame.units) for frame in found]


RANDOM_ACCESS = ("BLA_W_LP", "BLA_W_RADL", "BLA_N_LP", "IDR_W_RADL", "IDR_N_LP", "CRA")


@pytest.mark.parametrize("number", range(16, 22), ids=RANDOM_ACCESS)
def test_a_single_unit_of_each_random_access_kind_is_a_key_frame(number: int) -> None:
    assert taken(unit(number)) == [(True, (unit(number),))]


def test_an_aggregation_packet_is_its_units() -> None:
    """4.4.2 without DONL: payload header of type 48, then each unit behind its 16-bit size."""
    units = (VPS, SPS, PPS, unit(19))
    packet = unit(48, b"".join(len(one).to_bytes(2, "big") + one for one in units))
    assert taken(packet) == [(True, units)]
    assert taken(packet[:-1]) == [], "a cut one is no frame"


def test_fragments_become_the_unit_with_its_own_type_layer_and_temporal_id() -> None:
    """4.4.3 without DONL: payload header of type 49, then S, E and the type; the rest of the header is the unit's."""
    for layer, tid in ((0, 1), (1, 3), (63, 7)):
        whole = unit(21, b"abcdef", layer=layer, tid=tid)
        head = unit(49, b"", layer=layer, tid=tid)
        first, middle, last = head + b"\x95ab", head + b"\x15cd", head + b"\x55ef"
        assert taken(first, middle, last) == [(True, (whole,))]
        assert taken(middle, last) == []
        assert taken(first, last[:2]) == []


def test_what_no_camera_may_send_in_this_mode_is_no_frame() -> None:
    assert taken(unit(50)) == [], "PACI"
    assert taken(b"\x26") == []


def test_delimiters_and_sei_are_left_out() -> None:
    delimiter, before, after = unit(35, b"\x50"), unit(39), unit(40)
    packets = (delimiter, before, unit(19), after)
    assert taken(*packets) == [(True, (unit(19),))]


def test_parameter_sets_stand_in_front_of_each_random_access_picture() -> None:
    shown = clip(codec="h265", seconds=1)
    sets = shown.parameters()
    pipeline = VideoPipeline("h265", sets, TimestampMapper(), limit=1200, first=0, ordered=True)
    for number, kind_ in enumerate((19, 21, 16, 1)):
        made = pipeline.push(RtpPacket(96, True, number, 3600 * number, 1, unit(kind_)), float(number))
        expected = (*sets, unit(kind_)) if kind_ >= 16 else (unit(kind_),)
        assert [frame.payloads for frame, _ in made] == [packetize(H265, expected, 1200)]
        assert [units for _, units in made] == [expected if kind_ >= 16 else ()]
    assert pipeline.sps is not None
    assert (pipeline.sps.width, pipeline.sps.height) == (320, 240)


def h265_offer(*lines: str) -> str:
    """An offer of H.264 and these H.265 formats, as (number, fmtp)."""
    section = H264
    for line in lines:
        number = line.partition(" ")[0]
        section = section.replace("SAVPF ", f"SAVPF {number} ", 1)
        section += f"a=rtpmap:{number} H265/90000\r\na=fmtp:{line}\r\n"
    return offer(section)


@pytest.mark.parametrize(
    ("lines", "number"),
    [
        (["49 level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST"], 49),
        (["50 profile-id=2;level-id=120", "49 profile-id=1;level-id=180"], 49),
        (["50 profile-id=2;level-id=120"], 50),
        (["51 tx-mode=MRST", "49 level-id=93"], 49),
        (["51 tx-mode=MRMT;profile-id=1"], None),
    ],
    ids=["as Chromium writes it", "main before main 10", "main 10 alone", "one stream only", "several streams alone"],
)
def test_the_offered_format_is_taken_by_profile_and_mode_and_answered_as_it_is(
    lines: list[str], number: int | None
) -> None:
    (section,) = read_offer(h265_offer(*lines)).sections
    assert section.types is not None
    found = section.types.by_codec.get("h265")
    assert (found[0] if found else None) == number
    if number is not None:
        given = dict(line.split(" ", 1) for line in lines)[str(number)]
        assert section.parameters[number] == given


def payloads_to_annex_b(payloads: list[tuple[bool, bytes]]) -> Iterator[bytes]:
    """(marker, payload) → access units. Written after RFC 7798 4.4, apart from the product's own reading."""
    units: list[bytes] = []
    fragment = b""
    for marker, payload in payloads:
        number = payload[0] >> 1 & 0x3F
        if number == 48:
            at = 2
            while at < len(payload):
                size = int.from_bytes(payload[at : at + 2], "big")
                units.append(payload[at + 2 : at + 2 + size])
                at += 2 + size
        elif number == 49:
            if payload[2] & 0x80:
                fragment = bytes([payload[0] & 0x81 | (payload[2] & 0x3F) << 1, payload[1]])
            fragment += payload[3:]
            if payload[2] & 0x40:
                units.append(fragment)
        else:
            units.append(payload)
        if marker:
            yield b"".join(START + one for one in units)
            units = []


class Client:
    """A viewer that offers H.265 and keeps the plain payloads of it; aiortc does DTLS and SRTP, and knows no H.265."""

    def __init__(self) -> None:
        self.connection = RTCPeerConnection()
        self.payloads: asyncio.Queue[tuple[bool, bytes]] = asyncio.Queue()

    async def connect(self, hub: Hub) -> dict[str, Any]:
        tile = self.connection.addTransceiver("video", direction="recvonly")
        await self.connection.setLocalDescription(await self.connection.createOffer())
        sdp = self.connection.localDescription.sdp
        media = next(line for line in sdp.split("\r\n") if line.startswith("m=video"))
        lines = H265_LINES.replace("49", "35")
        answer = await hub.call("viewer.offer", viewer="v", sdp=sdp.replace(media, f"{media} 35") + lines)

        async def plain(data: bytes, arrival_time_ms: int) -> None:
            packet = RtpPacket(data[1] & 0x7F, data[1] > 127, 0, 0, 0, data[12:])
            if packet.payload_type == 35:
                self.payloads.put_nowait((packet.marker, packet.payload))

        tile.receiver.transport._handle_rtp_data = plain  # type: ignore[method-assign]
        await self.connection.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
        await hub.until("viewer.state", lambda head: head["state"] == "connected")
        return answer

    async def pictures(self, count: int) -> list[tuple[int, int]]:
        """Sizes of the first pictures that FFmpeg decodes."""
        decoder = av.CodecContext.create("hevc", "r")
        assert isinstance(decoder, VideoCodecContext)
        sizes: list[tuple[int, int]] = []
        gathered: list[tuple[bool, bytes]] = []
        async with asyncio.timeout(60):
            while len(sizes) < count:
                gathered.append(await self.payloads.get())
                if not gathered[-1][0]:
                    continue
                for access_unit in payloads_to_annex_b(gathered):
                    sizes += [(frame.width, frame.height) for frame in decoder.decode(av.Packet(access_unit))]
                gathered = []
        return sizes


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), [(320, 240), (1280, 720)])
async def test_a_client_that_takes_h265_decodes_what_it_is_sent(width: int, height: int) -> None:
    shown = clip(codec="h265", seconds=1, width=width, height=height)
    async with camera(shown) as cam, relay() as hub:
        client = Client()
        try:
            answer = await client.connect(hub)
            assert answer["codecs"] == ["h264", "h265"]
            assert "a=fmtp:35 level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST\r\n" in answer["sdp"]
            await hub.open("a", cam)
            await hub.call("track.show", viewer="v", track=0, feed="a", serial=1)
            assert set(await client.pictures(30)) == {(width, height)}
        finally:
            await client.connection.close()
