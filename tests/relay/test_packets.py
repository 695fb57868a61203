"""Frames cut into packets and put together again, RTP that wraps, reorders, loses, and lies."""

import struct
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from camera_hub.errors import HubError, Reason
from camera_hub.relay.ingest.access_unit import AccessUnit
from camera_hub.relay.ingest.codecs import H264, H265, Codec
from camera_hub.relay.ingest.depacketize import MAX_UNIT, Depacketizer
from camera_hub.relay.ingest.flood_guard import VIDEO_BYTES, VIDEO_PACKETS, FloodGuard
from camera_hub.relay.ingest.losses import GAP, NO_KEY_FRAME
from camera_hub.relay.ingest.packetize import gso_runs, packetize
from camera_hub.relay.ingest.receiver_report import ReceiverStats
from camera_hub.relay.ingest.reorder_buffer import ReorderBuffer
from camera_hub.relay.ingest.rtp import RtpPacket, Unwrapper, parse_rtp
from tests.relay.camera import rtp_payloads
from tests.relay.clip import clip

LIMIT = 500


def h264_units() -> st.SearchStrategy[bytes]:
    body = st.integers(1, 3000).map(lambda size: bytes(index * 7 % 251 for index in range(size)))
    return st.tuples(st.sampled_from([0x67, 0x68, 0x65, 0x41, 0x61]), body).map(lambda pair: bytes([pair[0]]) + pair[1])


def h265_units() -> st.SearchStrategy[bytes]:
    body = st.integers(1, 3000).map(lambda size: bytes(index * 7 % 251 for index in range(size)))
    kinds = st.sampled_from([32, 33, 34, 19, 1, 0])
    return st.tuples(kinds, body).map(lambda pair: bytes([pair[0] << 1, 1]) + pair[1])


def packets(payloads: list[bytes], *, sequence: int = 65_530, timestamp: int = 1000) -> list[RtpPacket]:
    last = len(payloads) - 1
    return [
        RtpPacket(96, place == last, (sequence + place) & 0xFFFF, timestamp, 1, payload)
        for place, payload in enumerate(payloads)
    ]


def put_together(codec: Codec, payloads: list[bytes]) -> list[tuple[int, bool, tuple[bytes, ...]]]:
    depacketizer = Depacketizer(codec)
    return [described(unit) for packet in packets(payloads) for unit in depacketizer.push(packet)]


def described(unit: AccessUnit) -> tuple[int, bool, tuple[bytes, ...]]:
    return unit.timestamp, unit.key, unit.units


@given(st.lists(h264_units(), min_size=1, max_size=6))
@example([b"\x65" + bytes(LIMIT - 1)])
@example([b"\x65" + bytes(LIMIT)])
def test_what_is_cut_for_h264_is_put_together_again(units: list[bytes]) -> None:
    units = [*units, b"\x65end"]
    assert put_together(H264, list(packetize(H264, units, LIMIT))) == [(1000, True, tuple(units))]


@given(st.lists(h265_units(), min_size=1, max_size=6))
def test_what_is_cut_for_h265_is_put_together_again(units: list[bytes]) -> None:
    units = [*units, b"\x26\x01end"]
    assert put_together(H265, list(packetize(H265, units, LIMIT))) == [(1000, True, tuple(units))]


@given(st.lists(h264_units(), min_size=1, max_size=6), st.integers(100, 1400))
def test_payloads_keep_the_limit_and_runs_are_fit_for_gso(units: list[bytes], limit: int) -> None:
    payloads = packetize(H264, units, limit)
    assert max(map(len, payloads)) <= limit
    ends = gso_runs(payloads, segments=5, size=4000)
    assert ends[-1] == len(payloads)
    start = 0
    for end in ends:
        sizes = [len(payload) for payload in payloads[start:end]]
        assert 1 <= len(sizes) <= 5
        assert set(sizes[:-1]) <= {sizes[0]}
        assert sizes[-1] <= sizes[0]
        assert len(sizes) == 1 or sum(sizes) + 40 * len(sizes) <= 4000
        start = end


def test_a_large_unit_is_cut_into_equal_pieces_with_a_shorter_last() -> None:
    sizes = [len(piece) for piece in packetize(H264, [b"\x65" + bytes(10_000)], 1200)]
    assert len(sizes) == 9
    assert len(set(sizes[:-1])) == 1
    assert sizes[0] - sizes[-1] < len(sizes)


@pytest.mark.parametrize("codec", [H264, H265])
def test_a_whole_clip_of_an_encoder_passes(codec: Codec) -> None:
    shown = clip(codec=codec.name, seconds=1)
    depacketizer = Depacketizer(codec)
    sequence, frames = 65_000, []
    for index, units in enumerate(shown.frames):
        made = packets(rtp_payloads(codec.name, units, 300), sequence=sequence, timestamp=index * 3600)
        sequence += len(made)
        frames += [unit for packet in made for unit in depacketizer.push(packet)]
    assert [frame.key for frame in frames] == [index % 25 == 0 for index in range(len(shown.frames))]
    useful = [tuple(unit for unit in units if codec.nal_type(unit) not in (6, 9, 39)) for units in shown.frames]
    if codec is H264:
        assert [frame.units for frame in frames] == useful
    assert (depacketizer.gaps, depacketizer.dropped) == (0, 0)


def key(index: int, timestamp: int) -> RtpPacket:
    return RtpPacket(96, True, index & 0xFFFF, timestamp, 1, b"\x65key")


def delta(index: int, timestamp: int) -> RtpPacket:
    return RtpPacket(96, True, index & 0xFFFF, timestamp, 1, b"\x41delta")


def test_after_a_lost_packet_nothing_is_shown_until_the_next_key_frame() -> None:
    depacketizer = Depacketizer(H264)
    came = [key(1, 0), delta(2, 1), delta(4, 3), delta(5, 4), key(6, 5), delta(7, 6)]
    assert [unit.timestamp for packet in came for unit in depacketizer.push(packet)] == [0, 1, 5, 6]
    assert depacketizer.gaps == 1
    assert depacketizer.dropped == 3, "that at 2, which nobody saw, and those at 3 and 4"


@pytest.mark.parametrize("codec", [H264, H265])
def test_a_camera_that_marks_every_fragment_is_shown(codec: Codec) -> None:
    depacketizer, sequence, shown = Depacketizer(codec), 0, []
    start = b"\x65" if codec is H264 else b"\x26\x01"
    for picture in range(4):
        for payload in packetize(codec, [start + bytes([picture]) * 1200], LIMIT):
            shown += depacketizer.push(RtpPacket(96, True, sequence, picture * 3600, 1, payload))
            sequence += 1
    assert [unit.units for unit in shown] == [(start + bytes([picture]) * 1200,) for picture in range(4)]
    assert depacketizer.dropped == 0


@pytest.mark.parametrize(
    ("codec", "fragment", "unit"),
    [(H264, b"\x7c\xc5key", b"\x65key"), (H265, b"\x62\x01\xd3key", b"\x26\x01key")],
    ids=["h264", "h265"],
)
def test_a_fragment_that_is_a_whole_unit_is_sent_on_as_one(codec: Codec, fragment: bytes, unit: bytes) -> None:
    (picture,) = Depacketizer(codec).push(RtpPacket(96, True, 1, 1, 1, fragment))
    assert picture.payloads == picture.units == (unit,)
    assert Depacketizer(codec).push(RtpPacket(96, True, 1, 1, 1, fragment[: -len(b"key")])) == [], "a header alone"


def test_a_stream_that_starts_in_the_middle_waits_for_a_key_frame() -> None:
    depacketizer = Depacketizer(H264)
    assert [depacketizer.push(packet) for packet in (delta(1, 0), delta(2, 1))] == [[], []]
    assert len(depacketizer.push(key(3, 2))) == 1


def test_parameter_sets_with_a_marker_of_their_own_belong_to_the_picture_that_follows() -> None:
    depacketizer = Depacketizer(H264)
    for number, unit in enumerate((b"\x67sps", b"\x68pps")):
        assert depacketizer.push(RtpPacket(96, True, number, 0, 1, unit)) == []
    (picture,) = depacketizer.push(key(2, 0))
    assert described(picture) == (0, True, (b"\x67sps", b"\x68pps", b"\x65key"))


def test_a_camera_that_marks_every_slice_is_found_out_and_its_slices_joined() -> None:
    depacketizer = Depacketizer(H264)
    frames: list[AccessUnit] = []
    number = 0
    for picture in range(4):
        for part in (b"\x88one", b"\x40two"):  # first_mb_in_slice is 0 in the first
            frames += depacketizer.push(RtpPacket(96, True, number, picture * 3600, 1, b"\x65" + part))
            number += 1
    assert depacketizer.marker_lies
    assert [(unit.timestamp, len(unit.units)) for unit in frames] == [(0, 1), (0, 2), (3600, 2), (7200, 2)], (
        "the first again"
    )


def test_an_old_packet_that_comes_again_is_ignored() -> None:
    depacketizer = Depacketizer(H264)
    assert len(depacketizer.push(key(10, 0))) == 1
    assert depacketizer.push(key(9, 0)) == []
    assert len(depacketizer.push(delta(11, 1))) == 1


@given(st.lists(st.binary(max_size=40), max_size=30))
def test_nonsense_in_payloads_is_dropped_without_an_error(payloads: list[bytes]) -> None:
    for codec in (H264, H265):
        depacketizer = Depacketizer(codec)
        for packet in packets(payloads):
            depacketizer.push(packet)
        whole = b"\x65\x88key" if codec is H264 else b"\x26\x01\xafkey"
        assert len(depacketizer.push(RtpPacket(96, True, 30_000, 9, 1, whole))) == 1


@given(st.binary(max_size=80))
def test_any_datagram_is_an_rtp_packet_or_none(data: bytes) -> None:
    packet = parse_rtp(data)
    if packet is not None:
        assert packet.payload in data


def test_csrc_extension_and_padding_are_no_payload() -> None:
    head = struct.pack("!BBHII", 0x80 | 0x20 | 0x10 | 1, 96, 7, 8, 9)
    packet = parse_rtp(head + bytes(4) + struct.pack("!HH", 0xBEDE, 1) + bytes(4) + b"payload" + b"\x00\x02")
    assert packet == RtpPacket(96, False, 7, 8, 9, b"payload")


def test_a_counter_that_wraps_grows_on() -> None:
    unwrap = Unwrapper(16)
    assert [unwrap(value) for value in (65_534, 65_535, 0, 1, 65_535, 2)] == [
        65_534,
        65_535,
        65_536,
        65_537,
        65_535,
        65_538,
    ]


@given(st.permutations(range(12)))
def test_packets_that_come_in_any_order_leave_in_theirs(order: list[int]) -> None:
    buffer = ReorderBuffer(max_packets=16)
    buffer.push(key(65_530, 0), 0.0)
    out = [packet.sequence for number in order for packet in buffer.push(key(65_531 + number, 0), 0.0)]
    assert out == [(65_531 + number) & 0xFFFF for number in range(12)]


def test_a_hole_is_given_up_when_too_much_waits_behind_it() -> None:
    buffer = ReorderBuffer(max_packets=4)
    out = [packet.sequence for number in (0, 2, 3, 4, 5, 6, 1) for packet in buffer.push(key(number, 0), 0.0)]
    assert out == [0, 2, 3, 4, 5, 6]
    assert buffer.late == 1


def test_a_receiver_report_counts_what_was_lost() -> None:
    stats = ReceiverStats()
    assert stats.receiver_report() is None
    for number in (65_534, 65_535, 1, 2):
        stats.count(key(number, 0))
    report = stats.receiver_report()
    assert report is not None
    share, lost, highest = report[12], int.from_bytes(report[13:16], "big"), int.from_bytes(report[16:20], "big")
    assert (share, lost, highest) == (256 // 5, 1, 65_538)


def test_a_hole_holds_a_slow_stream_for_a_moment_only() -> None:
    buffer = ReorderBuffer(max_packets=64, max_wait=0.1)
    came = [(0, 0.0), (2, 0.05), (3, 0.1), (4, 0.2), (1, 0.25), (6, 0.3), (5, 0.35)]
    out = [[packet.sequence for packet in buffer.push(key(number, 0), at)] for number, at in came]
    assert out == [[0], [], [], [2, 3, 4], [], [], [5, 6]]
    assert buffer.late == 1


def test_several_holes_are_given_up_together_when_their_time_is_over() -> None:
    buffer = ReorderBuffer(max_packets=64, max_wait=0.1)
    for number in (0, 2, 4, 6):
        buffer.push(key(number, 0), 0.0)
    assert [packet.sequence for packet in buffer.push(key(8, 0), 0.2)] == [2, 4, 6]
    assert [packet.sequence for packet in buffer.push(key(7, 0), 0.21)] == [7, 8]


def test_a_repeat_of_a_packet_that_waits_is_dropped() -> None:
    buffer = ReorderBuffer()
    out = [packet.sequence for number in (0, 2, 2, 1, 1) for packet in buffer.push(key(number, 0), 0.0)]
    assert out == [0, 1, 2]
    assert buffer.late == 2


@given(st.permutations(range(40)), st.sets(st.integers(0, 39)))
def test_whatever_is_lost_and_reordered_packets_leave_once_and_in_order(order: list[int], lost: set[int]) -> None:
    buffer = ReorderBuffer(max_packets=8, max_wait=0.05)
    came = [number for number in order for _ in range(1 + number % 3) if number not in lost]
    buffer.push(key(65_500, 0), 0.0)
    out = [
        (packet.sequence - 65_500) & 0xFFFF
        for place, number in enumerate(came)
        for packet in buffer.push(key(65_501 + number, 0), place / 100)
    ]
    out += [(packet.sequence - 65_500) & 0xFFFF for packet in buffer.push(key(65_600, 0), 9.0)]
    assert out == sorted(set(out))
    assert set(out) <= {number + 1 for number in order} - {number + 1 for number in lost} | {100}


@pytest.mark.parametrize("step", [-20_000, 20_000, -1001])
def test_a_camera_that_begins_its_sequence_anew_is_shown_on_from_its_next_key_frame(step: int) -> None:
    depacketizer = Depacketizer(H264)
    came = [key(30_000, 0), delta(30_001, 1), delta(30_002 + step, 2), key(30_003 + step, 3), delta(30_004 + step, 4)]
    assert [unit.timestamp for packet in came for unit in depacketizer.push(packet)] == [0, 1, 3, 4]
    assert depacketizer.gaps == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "rest", "count"),
    [
        (b"\x7c\x85", b"\x7c\x05", 200_000),
        (b"\x41ab", b"\x41ab", 200_000),
        (b"\x78\x00\x02\x41a", b"\x78" + b"\x00\x02\x41a" * 300, 600),
    ],
    ids=["empty fragments", "tiny units", "aggregates of tiny units"],
)
def test_pieces_of_nothing_do_not_fill_the_memory(first: bytes, rest: bytes, count: int) -> None:
    depacketizer = Depacketizer(H264)
    depacketizer.push(key(65_535, 0))
    tracemalloc.start()
    try:
        for number in range(count):
            depacketizer.push(RtpPacket(96, False, number & 0xFFFF, 1, 1, rest if number else first))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 3 * MAX_UNIT
    assert depacketizer.dropped >= 1


def test_one_camera_does_not_take_the_whole_relay() -> None:
    guard = FloodGuard()
    for number in range(3 * VIDEO_PACKETS):
        guard.count(number / 10_000, 1200)
    for now, packets, size in ((20.0, VIDEO_PACKETS, 20), (30.0, VIDEO_BYTES // 60_000, 60_000)):
        for _ in range(packets):
            guard.count(now, size)
        with pytest.raises(HubError) as raised:
            guard.count(now, size)
        assert raised.value.reason == Reason.REPLY_TOO_LARGE


def test_a_key_frame_that_is_spoilt_is_why_none_has_come() -> None:
    depacketizer = Depacketizer(H264)
    for number, payload in enumerate([b"\x7c\x85\x88key", b"\x7c\x05more", b"\x7c\x45rest"]):
        depacketizer.push(RtpPacket(96, number == 2, number + (number > 1), 0, 1, payload))
    assert [depacketizer.push(delta(number, number)) for number in range(4, 9)] == [[]] * 5
    assert depacketizer.lost[GAP] == 6
    assert depacketizer.lost[NO_KEY_FRAME] == 0
