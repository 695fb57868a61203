"""One tile's RTP stream in a viewer: frames of whatever feed it shows, under one sequence that never steps back.

libsrtp accepts a repeated sequence number with other bytes (nonce reuse), so the safety lies here: a number is given to
a packet once, when it is given to the sender; a retransmission carries the same payload in the RTX stream.
"""

import random
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from camera_hub.relay.fanout.in_step import InStepMember, InStepTracks
from camera_hub.relay.fanout.interface import PacketSender
from camera_hub.relay.ingest.frame import Frame, PacketRun, packet_by_packet
from camera_hub.relay.ingest.resend_history import FrameSource
from camera_hub.relay.ingest.timestamps import replay_timestamps
from camera_hub.relay.messages import TrackPhase
from camera_hub.relay.peer.sent_packets import SentPackets

MASK32 = 0xFFFFFFFF
MAX_RTX_REMEMBERED = 4096
RTX_INTERVAL_MIN, RTX_INTERVAL_MAX = 0.015, 0.5
"""Seconds between two retransmissions of a packet: half the round trip within these bounds, as the last one may still
be under way."""


@dataclass(frozen=True, slots=True)
class PayloadTypes:
    """Payload types that one m-line of this browser offered: codec name → (media, rtx or None)."""

    by_codec: dict[str, tuple[int, int | None]]


@dataclass(slots=True)
class TrackFigures:
    """Counters of one track, since it began."""

    frames: int = 0
    packets: int = 0
    bytes: int = 0
    rtx: int = 0
    rtx_missed: int = 0  # requested, but no longer kept
    pli: int = 0
    replays: int = 0
    rtx_refused: int = 0  # beyond the budget
    rtx_repeated: int = 0  # requested again while the last one may be under way
    dropped_frames: int = 0
    overflows: int = 0
    thinned_frames: int = 0  # left out because of a thin link
    lost: int = 0
    fraction_lost: float = 0.0
    round_trip: float | None = None


@dataclass(slots=True)
class _QueuedRuns:
    frame: Frame
    timestamp: int | None  # None: the frame's own, live; settled when its first packet is sent
    sent: int = 0  # runs


@dataclass(slots=True)
class Track:
    """State of one track. `now`: the relay's monotonic seconds. Never awaits: the viewer's pacer drives it.

    More methods than usual: each is something that can happen to one RTP stream, and all of them move the one sequence
    number, whose safety is why they stand in one place.
    """

    number: int
    types: PayloadTypes
    sender: PacketSender
    now: Callable[[], float]
    on_live: Callable[["Track"], None]
    backlog_bytes: int = 8 * 1024 * 1024
    ssrc: int = field(default_factory=lambda: random.randrange(1, 1 << 32))
    rtx_ssrc: int = field(default_factory=lambda: random.randrange(1, 1 << 32))
    figures: TrackFigures = field(default_factory=TrackFigures)
    feed: FrameSource | None = None
    serial: int = 0
    phase: TrackPhase = TrackPhase.EMPTY
    last_timestamp: int | None = None
    first_rtp: int | None = None
    """RTP timestamp of the first frame of the present feed: earlier ones show the previous feed."""
    _sequence: int = field(default_factory=lambda: random.randrange(1 << 15))
    _rtx_sequence: int = field(default_factory=lambda: random.randrange(1 << 15))
    _base: int = field(default_factory=lambda: random.randrange(1 << 31))
    _backlog: deque[_QueuedRuns] = field(default_factory=deque)
    _backlog_size: int = 0
    _needs_key: bool = True
    _starting: bool = False  # the key frame that its picture starts with has not been sent completely
    _pt: tuple[int, int | None] | None = None
    _sent: SentPackets = field(default_factory=SentPackets)
    _replayed_at: float = -1e9
    _keys_only: bool = False
    _resent: dict[int, float] = field(default_factory=dict)  # number → when
    _member: InStepMember | None = None
    _lag: int = 0  # in step: sequence = index - lag
    _unspent: int = 0  # bytes that the in-step batch has sent and the pacer has not been told of

    def connect(self, sender: PacketSender) -> None:
        """The peer is connected: start again with its sender."""
        self.sender = sender
        self.show(self.feed, self.serial)

    def thin_out(self, *, keys_only: bool) -> None:
        """From now on send key frames only, one at a time, or all frames (from the next key frame on)."""
        self.leave_in_step()
        if keys_only and not self._keys_only:
            self._drop_backlog()
            self._needs_key = True
        self._keys_only = keys_only

    def show(self, feed: FrameSource | None, serial: int) -> None:
        """Show `feed` from now on, from its GOP cache if it has one. The caller has checked the codec."""
        self.leave_in_step()
        self._drop_backlog()
        self.feed, self.serial = feed, serial
        self._needs_key = True
        self._pt = None
        self.phase = TrackPhase.EMPTY if feed is None else TrackPhase.WAITING
        self._starting = feed is not None
        if feed is not None:
            self.replay()

    def replay(self) -> bool:
        """Queue the feed's GOP cache with compressed timestamps. False when it is empty: the next key frame starts."""
        self.leave_in_step()
        if self.feed is None or not self._settle_type():
            return False
        gop = self.feed.gop_cache.frames
        if not gop:
            return False
        if self._keys_only:
            gop = [packet_by_packet(gop[0])]
        self._drop_backlog()
        timestamps = replay_timestamps(len(gop), self.last_timestamp, gop[-1].timestamp)
        for frame, timestamp in zip(gop, timestamps, strict=True):
            self._queue(_QueuedRuns(frame, timestamp))
        self._needs_key = self._keys_only
        self._replayed_at = self.now()
        self.feed.history.on_replay(gop[0].first, self._replayed_at)
        self.figures.replays += 1
        return True

    def send_live(self, frame: Frame, budget: int) -> int:
        """The feed has a new frame: send as much of it as `budget` (bytes) allows, queue the rest. Bytes sent."""
        self.leave_in_step()  # this frame was not sent by the in-step batch
        if self._needs_key:
            if not frame.key or not self._settle_type():
                if self._keys_only:
                    self.figures.thinned_frames += 1
                else:
                    self.figures.dropped_frames += self.phase is TrackPhase.LIVE
                return 0
            if self._keys_only:
                if self._backlog:  # the previous key frame is still being sent
                    self.figures.thinned_frames += 1
                    return 0
                frame = packet_by_packet(frame)
            self._needs_key = self._keys_only
        if budget and not self._backlog:
            return self._send_frame(frame, budget)
        self._queue(_QueuedRuns(frame, None))
        if self._backlog_size > self.backlog_bytes and len(self._backlog) > 1:
            self.figures.dropped_frames += len(self._backlog)
            self.figures.overflows += 1
            self._drop_backlog()
            self._needs_key = True
        return 0

    def send_queued(self, budget: int) -> int:
        """Send about `budget` bytes from the backlog, at least one run. Bytes sent.

        Stops when the sender is blocked, and after the key frame that a picture starts with: another tile's goes before
        the rest (pacer.next_track).
        """
        sent = 0
        while self._backlog and sent < budget and not self.sender.blocked:
            waiting = self._backlog[0]
            frame = waiting.frame
            if waiting.sent == 0:
                waiting.timestamp = self._begin(frame, waiting.timestamp)
            assert waiting.timestamp is not None
            sent += self._send(frame.runs[waiting.sent], waiting.timestamp)
            waiting.sent += 1
            if waiting.sent == len(frame.runs):
                self._backlog.popleft()
                self._backlog_size -= frame.size
                self.figures.frames += 1
                if self._starting:
                    self._starting = False
                    break
        return sent

    def _send_frame(self, frame: Frame, budget: int) -> int:
        """The usual case: a live frame and an empty backlog. What the budget does not allow is queued."""
        timestamp = self._begin(frame, None)
        if len(frame.runs) == 1:
            sent = self._send(frame.runs[0], timestamp)
        else:
            sent = 0
            for index, run in enumerate(frame.runs):
                if index and (sent >= budget or self.sender.blocked):
                    self._queue(_QueuedRuns(frame, timestamp, index))
                    return sent
                sent += self._send(run, timestamp)
        self.figures.frames += 1
        self._starting = False
        return sent

    def retransmit(self, sequences: list[int], budget: int) -> int:
        """Answer a NACK (RFC 4585) from the feed's packet history with about `budget` bytes. Bytes sent."""
        self.settle()
        sent = 0
        now = self.now()
        repeat = min(RTX_INTERVAL_MAX, max(RTX_INTERVAL_MIN, (self.figures.round_trip or 0.0) / 2))
        if len(self._resent) > MAX_RTX_REMEMBERED:
            self._resent = {number: at for number, at in self._resent.items() if now - at < repeat}
        for place_in_list, sequence in enumerate(sequences):
            if sent >= budget or self.sender.blocked:
                self.figures.rtx_refused += len(sequences) - place_in_list
                break
            number = self._sequence - ((self._sequence - sequence) & 0xFFFF)
            if now - self._resent.get(number, -1e9) < repeat:
                self.figures.rtx_repeated += 1
                continue
            found = self._sent.find(number) if number != self._sequence else None
            if found is None:
                self.figures.rtx_missed += 1
                continue
            sent_range, frame, place = found
            rtx_type = next(
                (rtx for media, rtx in self.types.by_codec.values() if media == sent_range.payload_type), None
            )
            if rtx_type is None:
                continue
            timestamp = (frame.timestamp + sent_range.offset + self._base) & MASK32
            payload = (sequence & 0xFFFF).to_bytes(2, "big") + frame.payloads[place]
            rtx_sequence, self._rtx_sequence = self._rtx_sequence, self._rtx_sequence + 1
            marker = place == len(frame.payloads) - 1
            sent += self.sender.send_one(rtx_type, self.rtx_ssrc, rtx_sequence & 0xFFFF, timestamp, marker, payload)
            self._resent[number] = now
            self.figures.rtx += 1
        return sent

    def expect_key(self) -> None:
        """The feed starts again, perhaps with another codec: drop the backlog and wait for its next key frame."""
        self.leave_in_step()
        self._drop_backlog()
        self._needs_key = True
        if self.phase is TrackPhase.LIVE:
            self.phase = TrackPhase.WAITING
            self._starting = True

    def on_picture_lost(self) -> None:
        """Answer a PLI: replay if the cached bytes are cheaper than waiting for a key frame, at most once a second."""
        self.figures.pli += 1
        now = self.now()
        if self.feed is None or self._needs_key or self._backlog or now - self._replayed_at < 1.0:
            return
        if self.feed.gop_cache.worth_replaying(now):
            self.replay()

    def join_in_step(self, in_step: InStepTracks, subscriber: Hashable) -> None:
        """Join the feed's in-step batch, if all that is left to do is to pass each frame on. `subscriber`: as the feed
        knows it."""
        last = self._sent.last
        if (
            self._member is not None
            or last is None
            or last.offset
            or self._backlog
            or self._needs_key
            or self._keys_only
            or self.phase is not TrackPhase.LIVE
            or self._pt is None
            or last.sequence - last.index != self._sequence - in_step.index
        ):
            return
        self._lag = last.index - last.sequence
        stream = self.sender.batch_stream(self._pt[0], self.ssrc, self._lag, self._base)
        if stream is not None:
            self._member = in_step.join(subscriber, self, stream)

    def leave_in_step(self) -> None:
        """Send for itself from now on, if it was in step."""
        if self._member is not None:
            self.settle()
            member, self._member = self._member, None
            member.tracks.leave(member)

    def settle(self) -> None:
        """Count what the in-step batch has sent for this track. To be called before its counters are read."""
        member = self._member
        if member is None:
            return
        frames, packets, size = member.settle()
        if packets:
            # From the numbers that were used, not from a count: none can be used again, whatever went wrong.
            self._sequence = member.tracks.sent - self._lag
            self.last_timestamp = member.tracks.timestamp
            self._unspent += size
            self.figures.frames += frames
            self.figures.packets += packets
            self.figures.bytes += size

    def collect_unspent(self) -> int:
        """Bytes that the in-step batch has sent for this track since the last call, for the pacer."""
        self.settle()
        unspent, self._unspent = self._unspent, 0
        return unspent

    def queue_rest(self, frame: Frame, sent: int) -> None:
        self.figures.frames -= 1  # `send_queued` counts it when its last run is sent
        self._queue(_QueuedRuns(frame, frame.timestamp, sent))

    @property
    def backlog(self) -> int:
        """Bytes that wait to be sent."""
        return self._backlog_size

    @property
    def queued_frames(self) -> int:
        """Frames that wait to be sent."""
        return len(self._backlog)

    @property
    def starts_next(self) -> bool:
        """Whether the next frame to be sent is the key frame that this tile's picture starts with."""
        return self._starting and bool(self._backlog)

    @property
    def waits_since(self) -> float:
        """When the frame at the head of the backlog arrived (monotonic seconds); only where there is one."""
        return self._backlog[0].frame.arrived

    @property
    def waits_for_key(self) -> bool:
        """Whether nothing can be shown before the feed's next key frame."""
        return self.feed is not None and self._needs_key and not (self._keys_only and self.phase is TrackPhase.LIVE)

    def rtp_time(self, hub_time: float) -> int:
        """The track's RTP timestamp of a moment (for sender reports)."""
        return (round(hub_time * 90_000) + self._base) & MASK32

    def _settle_type(self) -> bool:
        codec = self.feed.codec if self.feed is not None else None
        self._pt = self.types.by_codec.get(codec) if codec is not None else None
        return self._pt is not None

    def _queue(self, waiting: _QueuedRuns) -> None:
        self._backlog.append(waiting)
        self._backlog_size += waiting.frame.size

    def _drop_backlog(self) -> None:
        self._backlog.clear()
        self._backlog_size = 0

    def _begin(self, frame: Frame, timestamp: int | None) -> int:
        """A frame's first packet is sent next: settle its timestamp, which never steps back, and record where its
        packets are kept."""
        assert self._pt is not None
        assert self.feed is not None
        wanted, last = frame.timestamp if timestamp is None else timestamp, self.last_timestamp
        if last is not None and wanted <= last:
            wanted = last + 1
        self.last_timestamp = wanted
        self._sent.record(self._sequence, self.feed.history, frame.first, wanted - frame.timestamp, self._pt[0])
        return wanted

    def _send(self, run: PacketRun, timestamp: int) -> int:
        assert self._pt is not None
        count, figures = len(run.payloads), self.figures
        first, self._sequence = self._sequence, self._sequence + count
        out = (timestamp + self._base) & MASK32
        size = self.sender.send(self._pt[0], self.ssrc, first & 0xFFFF, out, run)
        figures.packets += count
        figures.bytes += size
        if self.phase is not TrackPhase.LIVE:
            self.phase, self.first_rtp = TrackPhase.LIVE, out
            self.on_live(self)
        return size
