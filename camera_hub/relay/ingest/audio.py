"""A camera's audio: its RTP packets in, timed payloads out, nothing decoded. No I/O."""

from dataclasses import dataclass

from camera_hub.relay.ingest.rtp import Reorder, RtpPacket, Unwrapper
from camera_hub.relay.ingest.timeline import JUMP, Timeline
from camera_hub.relay.rtsp.audio_sdp import AudioStream

UDP_DEPTH = 4
"""Packets that may stand behind a hole before it is given up: 80 to 160 ms, about what a browser buffers."""
PATIENCE = 0.08
"""Seconds that the first of them stands there at most."""
_G711 = frozenset({"pcmu", "pcma"})


@dataclass(frozen=True, slots=True)
class AudioPacket:
    """One payload. `ticks`: its first sample by the camera's clock, growing within a `spell`; `at`: hub time (s)."""

    codec: str
    spell: int
    ticks: int
    at: float
    payload: bytes


class AudioIntake:
    """One opened stream's way from RTP to sounds. A spell is a stretch without a jump, numbered from `spell`."""

    def __init__(self, stream: AudioStream, *, limit: int, ordered: bool, spell: int) -> None:
        self._stream = stream
        self._limit = limit
        self._reorder = None if ordered else Reorder(UDP_DEPTH, PATIENCE)
        self._course = Timeline(stream.rate)
        self._unwrap = Unwrapper(32)
        self._ssrc: int | None = None
        self._last: int | None = None
        self._dropped = 0
        self.spell = spell

    @property
    def dropped(self) -> int:
        return self._dropped + (self._reorder.late if self._reorder is not None else 0)

    def push(self, packet: RtpPacket, arrived: float) -> list[AudioPacket]:
        """Sounds that are ready now; packets of other payload types (comfort noise, events) are dropped."""
        if packet.payload_type != self._stream.payload_type:
            self._dropped += 1
            return []
        ready = (packet,) if self._reorder is None else self._reorder.push(packet, arrived)
        return [sound for one in ready for sound in self._sounds(one, arrived)]

    def _sounds(self, packet: RtpPacket, arrived: float) -> list[AudioPacket]:
        """The packet's sound; G.711 beyond the limit is cut between samples, Opus cannot be cut."""
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
            self._course.restart()
        at = self._course.place(packet.timestamp, arrived) / rate
        starts = range(0, len(payload), limit)
        self._last = ticks + starts[-1]
        return [
            AudioPacket(
                self._stream.codec, self.spell, ticks + start, at + start / rate, payload[start : start + limit]
            )
            for start in starts
        ]
