"""Audio of a camera: RTP packets in, payloads on the hub's clock out, nothing decoded. No I/O.

G.711 (RFC 3551) and Opus (RFC 7587): one RTP payload is audio as it stands. Audio is never resent, so there is no
history; what cannot leave at once is dropped, since late audio is worthless. The sequence numbers of `AudioTrack` are
safe for the reason given in `peer/track.py`: each is used once, for one payload.
"""

import random
from dataclasses import dataclass, field
from typing import Protocol

from camera_hub.relay.ingest.reorder_buffer import ReorderBuffer
from camera_hub.relay.ingest.rtp import RtpPacket, Unwrapper
from camera_hub.relay.ingest.timestamps import JUMP, TimestampMapper
from camera_hub.relay.rtsp.audio_sdp import RATES, AudioStream

MASK32 = 0xFFFFFFFF
UDP_PACKETS = 4
"""Packets buffered behind a gap before it is given up: 80 to 160 ms, about what a browser buffers."""
UDP_WAIT = 0.08
"""Seconds that the first of them waits at most."""
LEAST_STEP = 0.02
"""Seconds from a spell's last packet to the next spell's first at least; two cameras' clocks may differ a little."""
_G711 = frozenset({"pcmu", "pcma"})


@dataclass(frozen=True, slots=True)
class AudioPacket:
    """One RTP payload. `ticks`: of its first sample on the camera's clock, increasing within a `spell` (a stretch
    without a jump of the timestamps); `at`: hub time in seconds.
    """

    codec: str
    spell: int
    ticks: int
    at: float
    payload: bytes


class AudioDepacketizer:
    """One opened audio stream: RTP in, `AudioPacket` out. `limit`: bytes per payload. `ordered`: TCP.

    `spell`: number of the first spell.
    """

    def __init__(self, stream: AudioStream, *, limit: int, ordered: bool, spell: int) -> None:
        self._stream = stream
        self._limit = limit
        self._reorder_buffer = None if ordered else ReorderBuffer(UDP_PACKETS, UDP_WAIT)
        self._timestamps = TimestampMapper(stream.rate)
        self._unwrap = Unwrapper(32)
        self._ssrc: int | None = None
        self._last: int | None = None
        self._dropped = 0
        self.spell = spell

    @property
    def dropped(self) -> int:
        """Packets that were dropped: late, repeated, too long or of another payload type."""
        return self._dropped + (self._reorder_buffer.late if self._reorder_buffer is not None else 0)

    def push(self, packet: RtpPacket, arrived: float) -> list[AudioPacket]:
        """The audio that is in order now; packets of other payload types (comfort noise, events) are dropped.

        `arrived`: monotonic seconds.
        """
        if packet.payload_type != self._stream.payload_type:
            self._dropped += 1
            return []
        ready = (packet,) if self._reorder_buffer is None else self._reorder_buffer.push(packet, arrived)
        return [audio for one in ready for audio in self._split(one, arrived)]

    def _split(self, packet: RtpPacket, arrived: float) -> list[AudioPacket]:
        """The packet's audio. G.711 above the limit is cut between samples; Opus cannot be cut."""
        rate, payload, limit = self._stream.rate, packet.payload, self._limit
        ticks = self._unwrap(packet.timestamp)
        step = None if self._last is None or packet.ssrc != self._ssrc else ticks - self._last
        late = step is not None and -JUMP * rate < step <= 0
        if late or (len(payload) > limit and self._stream.codec not in _G711):
            self._dropped += 1
            return []
        if step is None or abs(step) > JUMP * rate:
            self.spell += self._last is not None
            self._ssrc = packet.ssrc
            self._timestamps.restart()
        at = self._timestamps.map(packet.timestamp, arrived) / rate
        starts = range(0, len(payload), limit)
        self._last = ticks + starts[-1]
        return [
            AudioPacket(
                self._stream.codec, self.spell, ticks + start, at + start / rate, payload[start : start + limit]
            )
            for start in starts
        ]


class OnePacketOutlet(Protocol):
    """Where packets go, one by one (track.Outlet as sound needs it)."""

    @property
    def blocked(self) -> bool: ...

    def send_one(
        self, payload_type: int, ssrc: int, sequence: int, timestamp: int, marker: bool, payload: bytes
    ) -> int:
        """Send one packet that is no part of a frame. Bytes."""
        ...


@dataclass(slots=True)
class AudioFigures:
    """Counters of one peer's sound, since it began."""

    packets: int = 0
    bytes: int = 0
    dropped: int = 0
    lost: int = 0


@dataclass(slots=True)
class AudioTrack:
    """One peer's audio stream. Its time goes on at the hub's pace from one feed, codec and clock rate to the next."""

    types: dict[str, int]  # codec → payload type of this browser
    outlet: OnePacketOutlet
    ssrc: int
    figures: AudioFigures = field(default_factory=AudioFigures)
    _sequence: int = field(default_factory=lambda: random.randrange(1 << 15))
    _timestamp: int = field(default_factory=lambda: random.randrange(1 << 32))  # of the last packet
    _last: AudioPacket | None = None
    _goes_on: bool = False

    def restart(self) -> None:
        """The next sound is another feed's: it begins a spell."""
        self._goes_on = False

    def take(self, sound: AudioPacket) -> int:
        """Send it now or never. Bytes sent."""
        payload_type = self.types.get(sound.codec)
        if payload_type is None or self.outlet.blocked:
            self.figures.dropped += 1
            return 0
        last, rate = self._last, RATES[sound.codec]
        goes_on = self._goes_on and last is not None and (last.codec, last.spell) == (sound.codec, sound.spell)
        if last is not None:
            step = sound.ticks - last.ticks if goes_on else round(max(LEAST_STEP, sound.at - last.at) * rate)
            self._timestamp += step
        number, self._sequence = self._sequence, self._sequence + 1
        self._last, self._goes_on = sound, True
        size = self.outlet.send_one(
            payload_type, self.ssrc, number & 0xFFFF, self._timestamp & MASK32, not goes_on, sound.payload
        )
        self.figures.packets += 1
        self.figures.bytes += size
        return size

    def rtp_time(self, hub_time: float) -> int:
        """The track's RTP timestamp of a moment (for sender reports)."""
        if self._last is None:
            return self._timestamp & MASK32
        return (self._timestamp + round((hub_time - self._last.at) * RATES[self._last.codec])) & MASK32
