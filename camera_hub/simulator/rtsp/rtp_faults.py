"""What faults make of a stream's RTP packets: pure functions, packets in, packets out."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from camera_hub.simulator.faults import Fault
from camera_hub.simulator.rtsp.packets import Packet, h264_packets, h265_packets, nals_of
from camera_hub.simulator.rtsp.receiver import Conditions

FOREIGN_TYPE = 107
"""Payload type of a maker's private packets, as cameras mix them in while they turn."""
FOREIGN_SIZE = 15
CLEAR = Conditions()
_START_CODE = b"\0\0\0\1"
_STRAY = (3, 20)


def changed(
    packets: Sequence[Packet], faults: Mapping[Fault, float], *, codec: str, key: bool, before: int
) -> Sequence[Packet]:
    """A frame's packets with what the faults do to them; `before`: packets of the stream that went before."""
    if key and Fault.JOINED_KEY_FRAME in faults:
        packets = joined(packets, codec)
    if Fault.EMPTY_PACKETS in faults:
        packets = with_empty(packets)
    if Fault.NO_MARKER in faults:
        packets = [replace(one, last=False) for one in packets]
    if Fault.FOREIGN_PAYLOAD in faults:
        packets = with_foreign(packets, before, round(faults[Fault.FOREIGN_PAYLOAD]))
    if (every := round(faults.get(Fault.LOST_PACKETS, 0.0))) > 0:
        packets = [replace(one, lost=(before + at) % every == every - 1) for at, one in enumerate(packets)]
    return packets


def joined(packets: Sequence[Packet], codec: str) -> Sequence[Packet]:
    """The whole access unit as one NAL unit with start codes inside, so that its type is that of the parameter set."""
    whole = _START_CODE.join(nals_of(packets, codec))
    return h265_packets([whole]) if codec == "h265" else h264_packets([whole])


def with_empty(packets: Sequence[Packet]) -> Sequence[Packet]:
    """A packet without payload in front, one with padding alone behind; both take a sequence number."""
    return [Packet(b"", False), *packets, Packet(b"", False, padding=8)]


def with_foreign(packets: Sequence[Packet], before: int, every: int) -> Sequence[Packet]:
    """A private packet in place of each `every`-th one; below 1: one at the end of each frame."""
    foreign = Packet(bytes(range(FOREIGN_SIZE)), False, FOREIGN_TYPE)
    if every < 1:
        return [*packets, foreign]
    found: list[Packet] = []
    for packet in packets:
        if (before + len(found)) % every == every - 1:
            found.append(foreign)
        found.append(packet)
    return found


def stamped(timestamp: int, previous: int, faults: Mapping[Fault, float], *, number: int) -> int:
    """The RTP timestamp of a frame: 0 where the clock stands, the previous frame's for every second one of pairs.

    `number`: frames of the stream that went before.
    """
    if Fault.STANDING_CLOCK in faults:
        return 0
    if Fault.PAIRED_TIMESTAMPS in faults and number % 2:
        return previous
    return timestamp


def conditions(faults: Mapping[Fault, float], *, key: bool, number: int) -> Conditions:
    """How a frame's packets reach their receivers."""
    if not faults:
        return CLEAR
    restarts = key and Fault.SSRC_RESTARTS in faults
    every = round(faults.get(Fault.STRAY_BYTES, 0.0))
    return Conditions(
        drip=Fault.SLOW_DRIP in faults,
        rate=faults.get(Fault.THIN),
        stray=stray(number) if every > 0 and number % every == every - 1 else b"",
        new_ssrc=restarts,
        new_sequence=restarts or (key and Fault.SEQUENCE_RESTARTS in faults),
    )


def stray(number: int) -> bytes:
    """3 to 20 bytes that belong to nothing; the same for the same number."""
    draw = random.Random(number)
    return draw.randbytes(draw.randint(*_STRAY))
