"""The in-step batch of a feed: tracks that send every frame as it comes, served together.

A track with no backlog that needs no key frame and whose socket is not full only passes frames on: its sequence numbers
and timestamps follow from the frame's. Such tracks join the batch; one send per frame serves them all, and what they
have sent is counted when it is read (`InStepMember.settle`). Anything out of the ordinary makes a track leave, and it
sends for itself again (track.Track) until it can join. Pure: a BatchSender does the sending.
"""

from collections.abc import Hashable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final, Protocol

from camera_hub.relay.fanout.interface import BatchSender, BatchStream
from camera_hub.relay.ingest.frame import Frame
from camera_hub.relay.peer.pacer import BURST


class InStepTrack(Protocol):
    """What the batch needs of a track that joins."""

    def leave_in_step(self) -> None:
        """Settle, and leave."""
        ...

    def queue_rest(self, frame: Frame, sent: int) -> None:
        """It left after `sent` runs of this frame: send the others for itself."""
        ...


_NOBODY: Final[frozenset[Hashable]] = frozenset()


@dataclass(slots=True, eq=False)
class InStepMember:
    """A track in the batch, and the totals up to which it has been counted (plain values, compared frame by frame)."""

    tracks: "InStepTracks"
    subscriber: Hashable
    track: InStepTrack
    stream: BatchStream
    frames: int
    packets: int
    bytes: int
    runs: int

    def settle(self) -> tuple[int, int, int]:
        """Frames, packets and bytes (all headers included) that were sent since the last time."""
        tracks = self.tracks
        packets = tracks.packets - self.packets
        if not packets:
            return 0, 0, 0
        frames = tracks.frames - self.frames
        size = self.stream.count_sent(packets, tracks.bytes - self.bytes, tracks.runs - self.runs)
        self.frames, self.packets, self.bytes, self.runs = tracks.frames, tracks.packets, tracks.bytes, tracks.runs
        return frames, packets, size


class InStepTracks:
    """The members of one feed. Counters, `timestamp` and `sent` (index of the packet after the last) are of what was
    sent to members; `index` is of the packet after the newest frame's last, sent to them or not."""

    def __init__(self) -> None:
        self.frames = self.packets = self.bytes = self.runs = 0
        self.timestamp = self.sent = self.index = -1
        self._newest = -1
        self._sending = False
        self._members: dict[Hashable, InStepMember] = {}
        self._served: frozenset[Hashable] = frozenset()
        self._batches: list[tuple[BatchSender, Any]] | None = []  # None: to be formed again, with `_served`
        self._left: list[InStepMember] = []  # while a frame is being sent

    def __len__(self) -> int:
        return len(self._members)

    def join(self, subscriber: Hashable, track: InStepTrack, stream: BatchStream) -> InStepMember:
        """Serve the track from the next frame on. `subscriber`: as the feed knows it."""
        member = InStepMember(self, subscriber, track, stream, self.frames, self.packets, self.bytes, self.runs)
        self._members[subscriber] = member
        self._batches = None
        return member

    def leave(self, member: InStepMember) -> None:
        """Serve the track no more; settle first."""
        del self._members[member.subscriber]
        self._batches = None
        if self._sending:
            self._left.append(member)

    def send_frame(self, frame: Frame) -> AbstractSet[Hashable]:
        """Send the feed's next frame to all members, or make them all leave. Returns the subscribers that have been
        served; the others have to send it for themselves."""
        batches = self._batches
        if batches is None:
            batches = self._form()
        served = self._served
        if served:
            steps_on = frame.first == self.index and frame.timestamp > self._newest
            if steps_on and frame.size <= BURST and _fits(frame, batches):
                self._send(frame, batches)
            else:
                for member in tuple(self._members.values()):
                    member.track.leave_in_step()
                served = _NOBODY
        self.index, self._newest = frame.first + len(frame.payloads), frame.timestamp
        return served

    def _send(self, frame: Frame, formed: list[tuple[BatchSender, Any]]) -> None:
        self._sending = True
        batches: list[tuple[BatchSender, Any]] | None = formed
        try:
            self.frames += 1
            self.timestamp = timestamp = frame.timestamp
            runs = frame.runs
            for sent, run in enumerate(runs, 1):
                count, index = len(run.payloads), frame.first + run.place
                self.packets += count
                self.sent = index + count
                self.bytes += run.size
                self.runs += 1
                for sender, batch in self._form() if batches is None else batches:
                    sender.send(run, batch, index, timestamp)
                if self._left:
                    if sent < len(runs):
                        for member in self._left:
                            member.track.queue_rest(frame, sent)
                    self._left.clear()
                batches = self._batches
        finally:
            for sender, _ in formed:
                sender.finish_frame()
            self._sending = False

    def _form(self) -> list[tuple[BatchSender, Any]]:
        """All members, by sender. Replaced after a change, never changed: one may be being served just now."""
        streams: dict[BatchSender, list[BatchStream]] = {}
        for member in self._members.values():
            streams.setdefault(member.stream.sender, []).append(member.stream)
        self._served = frozenset(self._members)
        self._batches = batches = [(sender, sender.form_batch(of)) for sender, of in streams.items()]
        return batches


def _fits(frame: Frame, batches: list[tuple[BatchSender, Any]]) -> bool:
    for sender, _ in batches:
        for run in frame.runs:
            if not sender.fits(run):
                return False
    return True
