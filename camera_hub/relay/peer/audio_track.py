"""One peer's audio stream: payloads of whatever feed it listens to, under one sequence and one clock. No I/O.

Sequence numbers are safe for the reason that track.py gives: each is given to the sender once, for one payload. Audio
is never retransmitted, so there is no history; what cannot be sent at once is dropped, since late audio is worthless.
"""

import random
from dataclasses import dataclass, field
from typing import Protocol

from camera_hub.relay.ingest.audio import AudioPacket
from camera_hub.relay.rtsp.audio_sdp import RATES

MASK32 = 0xFFFFFFFF
MIN_STEP = 0.02
"""Seconds from the last packet of one feed to the first of the next, at least: two cameras' clocks may overlap."""


class AudioSender(Protocol):
    """Where packets go, one by one (fanout.interface.PacketSender as audio needs it)."""

    @property
    def blocked(self) -> bool: ...

    def send_one(
        self, payload_type: int, ssrc: int, sequence: int, timestamp: int, marker: bool, payload: bytes
    ) -> int:
        """Send one packet. Bytes."""
        ...


@dataclass(slots=True)
class AudioFigures:
    """Counters of one peer's audio, since it began."""

    packets: int = 0
    bytes: int = 0
    dropped: int = 0
    lost: int = 0


@dataclass(slots=True)
class AudioTrack:
    """One peer's audio stream. From one feed, codec or rate to the next its timestamps go on by the hub's clock."""

    types: dict[str, int]  # codec → payload type of this browser
    sender: AudioSender
    ssrc: int
    figures: AudioFigures = field(default_factory=AudioFigures)
    _sequence: int = field(default_factory=lambda: random.randrange(1 << 15))
    _timestamp: int = field(default_factory=lambda: random.randrange(1 << 32))  # of the last packet
    _last: AudioPacket | None = None
    _continues: bool = False

    def connect(self, sender: AudioSender) -> None:
        """Send to this peer from now on."""
        self.sender = sender

    def restart(self) -> None:
        """The next packet is another feed's."""
        self._continues = False

    def send(self, packet: AudioPacket) -> int:
        """Send it now or drop it. Bytes sent."""
        payload_type = self.types.get(packet.codec)
        if payload_type is None or self.sender.blocked:
            self.figures.dropped += 1
            return 0
        last, rate = self._last, RATES[packet.codec]
        continues = self._continues and last is not None and (last.codec, last.spell) == (packet.codec, packet.spell)
        if last is not None:
            step = packet.ticks - last.ticks if continues else round(max(MIN_STEP, packet.at - last.at) * rate)
            self._timestamp += step
        number, self._sequence = self._sequence, self._sequence + 1
        self._last, self._continues = packet, True
        size = self.sender.send_one(
            payload_type, self.ssrc, number & 0xFFFF, self._timestamp & MASK32, not continues, packet.payload
        )
        self.figures.packets += 1
        self.figures.bytes += size
        return size

    def rtp_time(self, hub_time: float) -> int:
        """The track's RTP timestamp of a moment (for sender reports)."""
        if self._last is None:
            return self._timestamp & MASK32
        return (self._timestamp + round((hub_time - self._last.at) * RATES[self._last.codec])) & MASK32
