"""Interleaved packets of one session (RFC 2326 section 10.12): the video's, the audio's, and what nobody has set up.

Some cameras send on other channels than they agreed to, add RTCP and metadata that nobody asked for, or put bytes that
belong to nothing between the packets.
"""

from collections.abc import Callable
from typing import Protocol

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.peculiarity_kinds import PeculiarityKind
from camera_hub.relay.ingest.rtp import interleaved_end
from camera_hub.relay.rtsp.learnt import Learnt
from camera_hub.relay.rtsp.message import INTERLEAVED, is_stray_frame

UNWANTED_PACKETS = 5000
"""Packets on other channels that are tolerated beyond four per packet of ours: some cameras add RTCP and metadata."""
STRAYS = 100
"""Places with stray bytes that are tolerated beyond one per four packets of ours."""


class VideoReader(Protocol):
    """What reads the video's RTP packets. A HubError that it raises ends the session."""

    @property
    def packets(self) -> int:
        """How many there were."""
        ...

    def read_interleaved(self, data: bytes, at: int, channel: int) -> int:
        """Read the packets of `channel` that `data` has from offset `at` on, as far as they are complete and of that
        channel. Returns the offset behind the last one."""
        ...

    def on_packet(self, data: bytes) -> None:
        """One packet that came by itself (UDP)."""
        ...

    def receiver_report(self) -> bytes | None:
        """An RTCP receiver report about them; None before the first one."""
        ...


class InterleavedStreams:
    """Implements connection.InterleavedReader. `video_channel` is None until the video is set up interleaved; from
    `playing` on (its payload type) the video may also come on a channel that was not agreed."""

    def __init__(self, video: VideoReader, learnt: Learnt) -> None:
        self._video = video
        self._learnt = learnt
        self._video_channel = -1
        self._audio_channel = -1
        self._on_audio: Callable[[bytes], None] | None = None
        self._payload_type = -1
        self._channels: tuple[int, ...] = ()
        self._unwanted_packets = 0

    @property
    def video_channel(self) -> int | None:
        """The channel of the video's RTP."""
        return self._video_channel if self._video_channel >= 0 else None

    @property
    def channels(self) -> tuple[int, ...]:
        """See InterleavedReader."""
        return self._channels

    def set_up_video(self, channel: int) -> None:
        """The camera sends the video on this channel, its RTCP on the next one."""
        self._video_channel = channel
        self._count_channels()

    def set_up_audio(self, channel: int, on_audio: Callable[[bytes], None]) -> None:
        """The camera sends the audio on this channel; `on_audio` gets its RTP packets."""
        self._audio_channel, self._on_audio = channel, on_audio
        self._count_channels()

    def playing(self, payload_type: int) -> None:
        """The camera has accepted PLAY of a video of this payload type."""
        self._payload_type = payload_type

    def read_interleaved(self, data: bytes, at: int) -> int:
        """See InterleavedReader."""
        total = len(data)
        while at < total and data[at] == INTERLEAVED:
            if self._video_channel >= 0:
                at = self._video.read_interleaved(data, at, self._video_channel)
            end = interleaved_end(data, at)
            if end < 0 or data[at] != INTERLEAVED:
                break
            if data[at + 1] == self._video_channel:
                self._video.on_packet(data[at + 4 : end])  # too short for RTP, or too early
            elif is_stray_frame(data, at, end, self._channels):
                break
            else:
                self._on_other(data[at + 1], data[at + 4 : end])
            at = end
        return at

    def on_stray_bytes(self, times: int) -> None:
        """See InterleavedReader."""
        self._learnt.note(PeculiarityKind.RTSP_STRAY_BYTES, "yes")
        if times > STRAYS + self._video.packets // 4:
            raise HubError(
                Kind.INVALID,
                "the camera puts bytes that belong to nothing between its packets all the time; update its firmware, "
                "or set its transport to UDP",
                reason=Reason.BAD_REPLY,
            )

    def _on_other(self, channel: int, packet: bytes) -> None:
        """A packet on another channel than the video's."""
        if channel == self._audio_channel and self._on_audio is not None:
            self._on_audio(packet)
            return
        if self._is_video(channel, packet):
            self.set_up_video(channel)
            self._video.on_packet(packet)
            return
        self._unwanted_packets += 1
        if self._unwanted_packets > UNWANTED_PACKETS + 4 * self._video.packets:
            raise HubError(
                Kind.INVALID,
                "the camera floods the connection with streams that were not set up; update its firmware, or switch "
                "off its metadata stream",
                reason=Reason.BAD_REPLY,
            )

    def _is_video(self, channel: int, packet: bytes) -> bool:
        """Whether this is the video, of which nothing came on the channel that was agreed."""
        return (
            self._payload_type >= 0
            and 0 <= self._video_channel != channel < 255
            and self._video.packets == 0
            and len(packet) > 12
            and packet[0] >> 6 == 2
            and packet[1] & 0x7F == self._payload_type
        )

    def _count_channels(self) -> None:
        rtp = [channel for channel in (self._video_channel, self._audio_channel) if channel >= 0]
        self._channels = tuple(channel + more for channel in rtp for more in (0, 1))
