"""Sound passed on: one sequence that never repeats, time that goes on at the hub's pace, and what is dropped."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.relay.ingest.audio import AudioDepacketizer, AudioPacket
from camera_hub.relay.ingest.rtp import RtpPacket
from camera_hub.relay.peer.audio_track import AudioTrack
from camera_hub.relay.rtsp.audio_sdp import AudioStream

PCMA = AudioStream("pcma", 8, "rtsp://192.0.2.9/trackID=2", 8000)
OPUS = AudioStream("opus", 97, "rtsp://192.0.2.9/trackID=2", 48_000)


def intake(stream: AudioStream = PCMA, *, ordered: bool = True, limit: int = 1200) -> AudioDepacketizer:
    return AudioDepacketizer(stream, limit=limit, ordered=ordered, spell=1)


def packet(number: int, ticks: int, payload: bytes = b"a" * 160, *, kind: int = 8, ssrc: int = 7) -> RtpPacket:
    return RtpPacket(kind, False, number & 0xFFFF, ticks & 0xFFFFFFFF, ssrc, payload)


@dataclass
class Wire:
    """An outlet that keeps what it is given, and blocks on request."""

    blocked: bool = False
    sent: list[tuple[int, int, int, int, bool, bytes]] = field(default_factory=list)

    def send_one(
        self, payload_type: int, ssrc: int, sequence: int, timestamp: int, marker: bool, payload: bytes
    ) -> int:
        self.sent.append((payload_type, ssrc, sequence, timestamp, marker, payload))
        return len(payload)


def track(wire: Wire) -> AudioTrack:
    return AudioTrack({"pcma": 8, "opus": 111}, wire, 4711)


def test_packets_pass_straight_through_on_the_cameras_clock_across_its_wrap() -> None:
    taken, wire = intake(), Wire()
    out = track(wire)
    first = (1 << 32) - 320
    for index in range(5):
        for sound in taken.push(packet(index, first + 160 * index), 10 + 0.02 * index):
            out.send(sound)
    stamps = [sent[3] for sent in wire.sent]
    assert {(after - before) & 0xFFFFFFFF for before, after in pairwise(stamps)} == {160}
    assert [sent[4] for sent in wire.sent] == [True, False, False, False, False]
    assert {sent[5] for sent in wire.sent} == {b"a" * 160}


def test_g711_beyond_the_limit_is_cut_between_samples_and_opus_is_dropped() -> None:
    taken = intake(limit=500)
    payload = bytes(range(256)) * 4
    sounds = taken.push(packet(0, 1000, payload), 1.0)
    assert b"".join(sound.payload for sound in sounds) == payload
    assert [(sound.ticks - 1000, len(sound.payload)) for sound in sounds] == [(0, 500), (500, 500), (1000, 24)]
    assert taken.push(packet(1, 2024), 1.1)[0].ticks == 2024
    opus = intake(OPUS, limit=500)
    assert opus.push(packet(0, 0, payload, kind=97), 1.0) == []
    assert opus.dropped == 1


def test_other_payload_types_late_and_repeated_packets_are_dropped_and_counted() -> None:
    taken = intake()
    assert len(taken.push(packet(0, 160), 1.0)) == 1
    for bad in (packet(1, 320, kind=13), packet(2, 160), packet(3, 0)):
        assert taken.push(bad, 1.02) == []
    assert taken.dropped == 3
    assert taken.push(packet(4, 320), 1.04)[0].spell == 1


@pytest.mark.parametrize("jump", [packet(1, 8000 * 60), packet(1, 480, ssrc=9), packet(1, -8000 * 60)])
def test_a_jump_begins_a_spell(jump: RtpPacket) -> None:
    taken = intake()
    taken.push(packet(0, 320), 1.0)
    assert taken.push(jump, 1.02)[0].spell == 2


def test_over_udp_packets_come_in_order_and_a_lost_one_is_not_waited_for_long() -> None:
    taken = intake(ordered=False)
    heard = [
        sound.ticks // 160
        for number in (0, 2, 1, 4, 5, 6, 7, 8)
        for sound in taken.push(packet(number, 160 * number), 1.0)
    ]
    assert heard == [0, 1, 2, 4, 5, 6, 7, 8]


def test_another_cameras_sound_goes_on_at_the_hubs_pace_also_at_another_clock_rate() -> None:
    wire = Wire()
    out = track(wire)
    out.send(AudioPacket("pcma", 1, 5000, 10.0, b"x"))
    out.restart()
    out.send(AudioPacket("opus", 1, 77, 10.5, b"y"))  # of another feed: its spells are its own
    out.restart()
    out.send(AudioPacket("pcma", 1, 5160, 10.25, b"z"))  # whose link is the quicker one: time never goes back
    (_, _, _, one, _, _), (kind, _, _, two, marked, _), (_, _, _, three, again, _) = wire.sent
    assert (kind, marked, again) == (111, True, True)
    assert (two - one) & 0xFFFFFFFF == 24_000
    assert (three - two) & 0xFFFFFFFF == 160
    assert (out.rtp_time(11.25) - three) & 0xFFFFFFFF == 8000


def test_what_cannot_go_at_once_is_dropped_without_a_number() -> None:
    wire = Wire(blocked=True)
    out = track(wire)
    assert out.send(AudioPacket("pcma", 1, 0, 1.0, b"x")) == 0
    assert out.send(AudioPacket("aac", 1, 0, 1.0, b"x")) == 0
    wire.blocked = False
    out.send(AudioPacket("pcma", 1, 160, 1.02, b"y"))
    out.send(AudioPacket("pcma", 1, 320, 1.04, b"z"))
    assert out.figures.dropped == 2
    assert (wire.sent[1][2] - wire.sent[0][2]) & 0xFFFF == 1


SOUND = st.builds(
    AudioPacket,
    st.sampled_from(["pcma", "opus", "aac"]),
    st.integers(1, 3),
    st.integers(0, 1 << 34),
    st.floats(0, 1e6),
    st.binary(min_size=1, max_size=20),
)


@given(st.lists(st.one_of(SOUND, st.just("switch"), st.just("block"), st.just("free")), max_size=400))
def test_no_number_is_ever_given_twice_whatever_is_listened_to(steps: list[AudioPacket | str]) -> None:
    wire = Wire()
    out = track(wire)
    for step in steps:
        if isinstance(step, AudioPacket):
            out.send(step)
        elif step == "switch":
            out.restart()
        else:
            wire.blocked = step == "block"
    numbers = [sent[2] for sent in wire.sent]
    assert all((after - before) & 0xFFFF == 1 for before, after in pairwise(numbers))
    assert not numbers or numbers[0] < 1 << 15
    assert len({sent[1] for sent in wire.sent}) <= 1
