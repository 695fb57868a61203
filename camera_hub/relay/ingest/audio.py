"""Audio of a camera: RTP packets in, payloads on the hub's clock out, nothing decoded. No I/O.

G.711 (RFC 3551) and Opus (RFC 7587): one RTP payload is audio as it stands; `peer/audio_track.py` sends it on.
"""

from dataclasses import dataclass

from camera_hub.relay.ingest.reorder_buffer import ReorderBuffer
from camera_hub.relay.ingest.rtp import RtpPacket, Unwrapper
from camera_hub.relay.ingest.timestamps import JUMP, TimestampMapper
from camera_hub.relay.rtsp.audio_sdp import AudioStream

UDP_PACKETS = 4
"""Packets buffered behind a gap before it is given up: 80 to 160 ms, about what a browser buffers."""
UDP_WAIT = 0.08
"""Seconds that the first of them waits at most."""
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
        if not packet.payload and self._reorder_buffer is None:
            return []
        ready = (packet,) if self._reorder_buffer is None else self._reorder_buffer.push(packet, arrived)
        return [audio for one in ready if one.payload for audio in self._split(one, arrived)]

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
