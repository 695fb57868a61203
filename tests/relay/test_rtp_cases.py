"""What cameras in the field do to RTP, one case after another: what is passed on decodes, and hardly a frame is lost.

The numbers are those of docs/field-cases.md. Sent is a clip of an encoder, spoiled in one way; what comes out of the
pipeline is decoded by FFmpeg.
"""

import itertools
import random
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache

import av
import pytest

from camera_hub.relay.ingest.access_unit import units_of
from camera_hub.relay.ingest.nal import annex_b
from camera_hub.relay.ingest.timestamps import TimestampMapper
from camera_hub.relay.ingest.video_pipeline import MadeFrame, VideoPipeline
from camera_hub.relay.rtsp.message import write_interleaved
from tests.relay.camera import rtp_payloads
from tests.relay.clip import RATE, clip

SECONDS = 4
OWN, OTHER = 96, 107


@dataclass(frozen=True)
class Sent:
    """One packet of a camera: which frame it is of, and its fields."""

    frame: int
    payload: bytes
    marker: bool
    timestamp: int
    sequence: int = 0
    ssrc: int = 7
    kind: int = OWN
    padding: int = 0
    begins_key: bool = False  # the first packet of a key frame

    def data(self) -> bytes:
        head = 0x80 | 0x20 * bool(self.padding)
        tail = bytes(self.padding - 1) + bytes([self.padding]) if self.padding else b""
        second = self.kind | 0x80 * self.marker
        fields = (head, second, self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF, self.ssrc)
        return struct.pack("!BBHII", *fields) + self.payload + tail


def original(codec: str = "h264", *, options: str = "", limit: int = 400) -> list[Sent]:
    """A clip as a faultless camera sends it."""
    return list(_original(codec, options, limit))


@cache
def _original(codec: str, options: str, limit: int) -> tuple[Sent, ...]:
    packets: list[Sent] = []
    key = {"h264": (5,), "h265": (19, 20, 21)}[codec]
    for number, units in enumerate(clip(codec=codec, seconds=SECONDS, options=options, noise=6).frames):
        payloads = rtp_payloads(codec, units, limit)
        kinds = {unit[0] & 0x1F if codec == "h264" else unit[0] >> 1 & 0x3F for unit in units}
        for place, payload in enumerate(payloads):
            last = place == len(payloads) - 1
            begins = place == 0 and bool(kinds & set(key))
            packets.append(Sent(number, payload, last, number * 90_000 // RATE, begins_key=begins))
    return tuple(packets)


def numbered(packets: Iterable[Sent], first: int = 65_000) -> list[Sent]:
    """The same packets with sequence numbers of one numbering."""
    return [replace(packet, sequence=first + place & 0xFFFF) for place, packet in enumerate(packets)]


def frames_of(packets: list[Sent]) -> Iterator[list[Sent]]:
    return (list(group) for _, group in itertools.groupby(packets, key=lambda packet: packet.frame))


# 13: packets of a private payload type, in the stream's SSRC and numbering


def private_every_tenth(packets: list[Sent]) -> list[Sent]:
    out: list[Sent] = []
    for place, packet in enumerate(packets):
        out.append(packet)
        if place % 10 == 9:
            out.append(replace(packet, payload=bytes(15), marker=False, kind=OTHER))
    return numbered(out)


def private_per_frame(packets: list[Sent]) -> list[Sent]:
    """In front of each frame, with the marker, and a timestamp of its own."""
    out: list[Sent] = []
    for group in frames_of(packets):
        out += [replace(group[0], payload=bytes(15), marker=True, kind=OTHER, timestamp=5), *group]
    return numbered(out)


def private_with_its_own_numbering(packets: list[Sent]) -> list[Sent]:
    out: list[Sent] = []
    for place, packet in enumerate(numbered(packets)):
        out.append(packet)
        if place % 7 == 3:
            out.append(replace(packet, payload=b"<x/>", kind=OTHER, sequence=place // 7))
    return out


# 14: packets that carry nothing


def empty_ones(packets: list[Sent]) -> list[Sent]:
    """Without payload, padding alone, and an empty one behind the marker with the next frame's timestamp."""
    out: list[Sent] = []
    for place, packet in enumerate(packets):
        out.append(packet)
        if place % 4 == 1:
            out.append(replace(packet, payload=b"", marker=packet.marker))
        if place % 4 == 2:
            out.append(replace(packet, payload=b"", marker=False, padding=20, timestamp=packet.timestamp + 3600))
        if place % 4 == 3:
            out[-1] = replace(packet, padding=9)
    return numbered(out)


# 15: another SSRC, or a numbering that begins anew


def anew(packets: list[Sent], *, ssrc: bool, number: bool, timestamp: bool = False) -> list[Sent]:
    out: list[Sent] = []
    now, sequence, origin = 7, 100, 0
    for packet in packets:
        if packet.begins_key and packet.frame:
            now += ssrc
            sequence = 0 if number else sequence
            origin = packet.timestamp if timestamp else 0
        out.append(replace(packet, ssrc=now, sequence=sequence, timestamp=packet.timestamp - origin))
        sequence += 1
    return out


def ssrc_per_packet(packets: list[Sent]) -> list[Sent]:
    return [replace(packet, ssrc=place + 1) for place, packet in enumerate(numbered(packets))]


def text_beside(packets: list[Sent]) -> list[Sent]:
    """Metadata in an SSRC of its own, under the payload type of the video."""
    out: list[Sent] = []
    for place, packet in enumerate(numbered(packets)):
        out.append(packet)
        if place % 3 == 1:
            out.append(replace(packet, payload=b"<tt:Frame/>", ssrc=99, sequence=place // 3, marker=True))
    return out


def sound_beside(packets: list[Sent]) -> list[Sent]:
    """Sound of any bytes in an SSRC of its own, under the payload type of the video."""
    noise = random.Random(3)
    out: list[Sent] = []
    for place, packet in enumerate(numbered(packets)):
        out.append(packet)
        if place % 3 == 1:
            out.append(replace(packet, payload=noise.randbytes(160), ssrc=99, sequence=place // 3, timestamp=place))
    return out


def repeated(packets: list[Sent], *, frames: bool = False) -> list[Sent]:
    """Each packet, or each frame, comes twice."""
    groups = frames_of(numbered(packets)) if frames else ([packet] for packet in numbered(packets))
    return [packet for group in groups for packet in group * 2]


# 17: NAL units glued together by start codes


def glued(packets: list[Sent], *, h265: bool = False, how: str = "fragments", code: bytes = b"\0\0\0\1") -> list[Sent]:
    out: list[Sent] = []
    codec = "h265" if h265 else "h264"
    for units, group in zip(clip(codec=codec, seconds=SECONDS, noise=6).frames, frames_of(packets), strict=True):
        whole = code.join(units)
        if how == "single":
            payloads = [whole]
        elif how == "led":
            payloads = [code + whole]
        elif how == "trailing":
            payloads = [unit + code for unit in units]
        elif how == "aggregate":
            head = b"\x78" if not h265 else b"\x60\x01"
            size = len(whole).to_bytes(2, "big")
            payloads = [head + size + whole] if len(whole) < 65_536 else [whole]
        else:
            payloads = rtp_payloads(codec, (whole,), 400)
        for place, payload in enumerate(payloads):
            out.append(replace(group[0], payload=payload, marker=place == len(payloads) - 1))
    return numbered(out)


# 18: clocks and markers


def clock(
    packets: list[Sent], of: Callable[[Sent], int], *, marker: Callable[[Sent], bool] | None = None
) -> list[Sent]:
    mark = marker or (lambda packet: packet.marker)
    return numbered([replace(packet, timestamp=of(packet), marker=mark(packet)) for packet in packets])


def never(packet: Sent) -> bool:
    return False


def always(packet: Sent) -> bool:
    return True


def erratic(packet: Sent) -> int:
    return packet.timestamp + (90_000 * 7 if packet.frame % 11 == 5 else -45_000 if packet.frame % 11 == 8 else 0)


SLICES = "slices=3"
CASES: dict[str, list[Sent]] = {
    "nothing": numbered(original()),
    "13 private packets, every tenth": private_every_tenth(original()),
    "13 a private packet before each frame": private_per_frame(original()),
    "13 private packets with their own numbering": private_with_its_own_numbering(original()),
    "14 empty packets": empty_ones(original()),
    "15 SSRC and numbering anew at each key frame": anew(original(), ssrc=True, number=True),
    "15 SSRC, numbering and time anew": anew(original(), ssrc=True, number=True, timestamp=True),
    "15 SSRC anew, the numbering goes on": anew(original(), ssrc=True, number=False),
    "15 numbering anew under the same SSRC": anew(original(), ssrc=False, number=True),
    "15 numbering and time anew under the same SSRC": anew(original(), ssrc=False, number=True, timestamp=True),
    "15 an SSRC per packet": ssrc_per_packet(original()),
    "15 metadata beside it": text_beside(original()),
    "15 sound beside it": sound_beside(original()),
    "15 each packet comes twice": repeated(original()),
    "15 each frame comes twice": repeated(original(), frames=True),
    "17 fragments of SPS PPS IDR": glued(original()),
    "17 fragments, short start codes": glued(original(), code=b"\0\0\1"),
    "17 single NAL unit packets": glued(original(), how="single"),
    "17 a start code in front": glued(original(), how="led"),
    "17 a start code behind each": glued(original(), how="trailing"),
    "17 in an aggregate": glued(original(), how="aggregate"),
    "18 time stands at 0": clock(original(), lambda packet: 0),
    "18 time stands at 0, no marker": clock(original(), lambda packet: 0, marker=never),
    "18 time stands at 0, the marker on each packet": clock(original(), lambda packet: 0, marker=always),
    "18 no marker": clock(original(), lambda packet: packet.timestamp, marker=never),
    "18 pairs of frames": clock(original(), lambda packet: packet.frame // 2 * 7200),
    "18 pairs of frames, no marker": clock(original(), lambda packet: packet.frame // 2 * 7200, marker=never),
    "18 8 kHz": clock(original(), lambda packet: packet.timestamp * 8 // 90),
    "18 backwards": clock(original(), lambda packet: -packet.timestamp),
    "18 back and forth": clock(original(), erratic),
    "18 a time per packet": numbered([replace(p, timestamp=n * 33) for n, p in enumerate(original())]),
    "18 slices, no marker, time stands": clock(original(options=SLICES), lambda packet: 0, marker=never),
    "h265": numbered(original("h265")),
    "h265 13 private packets": private_every_tenth(original("h265")),
    "h265 14 empty packets": empty_ones(original("h265")),
    "h265 15 SSRC and numbering anew": anew(original("h265"), ssrc=True, number=True),
    "h265 15 each packet comes twice": repeated(original("h265")),
    "h265 17 fragments of all": glued(original("h265"), h265=True),
    "h265 17 single NAL unit packets": glued(original("h265"), h265=True, how="single", code=b"\0\0\1"),
    "h265 17 in an aggregate": glued(original("h265"), h265=True, how="aggregate"),
    "h265 18 time stands at 0, no marker": clock(original("h265"), lambda packet: 0, marker=never),
}


def passed_on(
    case: str, packets: list[Sent], *, ordered: bool
) -> tuple[VideoPipeline, TimestampMapper, list[MadeFrame]]:
    codec = "h265" if case.startswith("h265") else "h264"
    timestamps = TimestampMapper()
    pipeline = VideoPipeline(codec, (), timestamps, limit=1200, first=0, ordered=ordered, payload_type=OWN)
    made: list[MadeFrame] = []
    for group in frames_of(packets):
        now = 10 + group[0].frame / RATE
        if ordered:
            data = b"".join(write_interleaved(0, packet.data()) for packet in group)
            end, frames = pipeline.read_interleaved(data, 0, 0, now)
            assert end == len(data)
            made += frames
        else:
            for packet in group:
                made += pipeline.read_packet(packet.data(), now)
    return pipeline, timestamps, made


def decoded(codec: str, made: list[MadeFrame]) -> int:
    """Frames that FFmpeg decodes without an error of what was passed on."""
    context = av.codec.context.CodecContext.create(codec if codec == "h264" else "hevc", "r")
    assert isinstance(context, av.VideoCodecContext)
    context.options = {"err_detect": "explode"}
    count = 0
    for frame, _ in made:
        count += len(context.decode(av.Packet(annex_b(units_of(frame.payloads, h265=codec == "h265")))))
    return count + len(context.decode(None))


@pytest.mark.parametrize("ordered", [True, False], ids=["tcp", "udp"])
@pytest.mark.parametrize("case", CASES)
def test_what_is_passed_on_decodes(case: str, ordered: bool) -> None:
    packets = CASES[case]
    sent = packets[-1].frame + 1
    pipeline, timestamps, made = passed_on(case, packets, ordered=ordered)
    codec = "h265" if case.startswith("h265") else "h264"
    shown = decoded(codec, made)
    # The last frame is complete when the next one begins where there is no marker.
    assert sent - 1 <= shown <= sent, (shown, sent, pipeline.lost)
    assert pipeline.gaps == 0
    times = [frame.timestamp for frame, _ in made]
    assert all(0 < later - earlier < 108_000 for earlier, later in itertools.pairwise(times))
    assert times[-1] - times[0] == pytest.approx((sent - 2) * 90_000 / RATE, abs=4 * 90_000 / RATE)
    assert timestamps.lateness < 0.6
