"""Tracks of one feed that take every frame as it comes: served together, each by nothing but constants of its own.

A track that has no backlog, needs no key frame and whose socket takes what it is given only passes frames on: its
sequence numbers and times follow from the frame's. Such tracks fall in; one broadcast per frame serves them all, and
what they have sent is counted when somebody looks (`Member.settle`). Whatever is out of the ordinary lets a track fall
out, and it goes its own way again (track.Track) until it is in step. Pure: the broadcast does the sending.
"""

from collections.abc import Hashable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Protocol

from camera_hub.relay.ingest.frame import Frame, PacketRun
from camera_hub.relay.peer.pacer import TURN


class BatchSending(Protocol):
    """Sends one run to many (webrtc.broadcast.Broadcast)."""

    def fits(self, run: PacketRun) -> bool: ...

    def form(self, legs: Sequence[Any]) -> Any:
        """Make legs of its own kind ready to be served together."""
        ...

    def send(self, run: PacketRun, formation: Any, index: int, timestamp: int) -> None: ...


class BatchMember(Protocol):
    """One track on its way to one peer (webrtc.broadcast.Leg)."""

    @property
    def broadcast(self) -> BatchSending: ...

    def sent(self, packets: int, payload_bytes: int, sends: int) -> int:
        """Count at the peer what has been sent. Bytes with headers and trailers."""
        ...


class InStepTrack(Protocol):
    """What is wanted of a track that falls in."""

    def fall_out(self) -> None:
        """Settle, and leave."""
        ...

    def queue_rest(self, frame: Frame, sent: int) -> None:
        """It fell out after `sent` runs of this frame: the others are its own affair."""
        ...


@dataclass(slots=True, eq=False)
class Member:
    """A track in the unison, and up to where it has been counted."""

    unison: "InStepTracks"
    taker: Hashable
    track: InStepTrack
    leg: BatchMember
    frames: int
    packets: int
    bytes: int
    runs: int

    def settle(self) -> tuple[int, int, int]:
        """Frames, packets and bytes (all headers included) that were sent since the last time."""
        unison = self.unison
        packets = unison.packets - self.packets
        if not packets:
            return 0, 0, 0
        frames = unison.frames - self.frames
        size = self.leg.sent(packets, unison.bytes - self.bytes, unison.runs - self.runs)
        self.frames, self.packets, self.bytes, self.runs = unison.frames, unison.packets, unison.bytes, unison.runs
        return frames, packets, size


class InStepTracks:
    """The members of one feed. Counters, `timestamp` and `sent` (index of the packet after the last) are of what was
    sent to members; `index` is of the packet after the newest frame's last, sent to them or not."""

    def __init__(self) -> None:
        self.frames = self.packets = self.bytes = self.runs = 0
        self.timestamp = self.sent = self.index = -1
        self._newest = -1
        self._sending = False
        self._members: dict[Hashable, Member] = {}
        self._parts: list[tuple[BatchSending, Any]] | None = []  # None: to be formed anew
        self._fallen: list[Member] = []  # while a frame is being sent

    def __len__(self) -> int:
        return len(self._members)

    def join(self, taker: Hashable, track: InStepTrack, leg: BatchMember) -> Member:
        """From the next frame on."""
        member = Member(self, taker, track, leg, self.frames, self.packets, self.bytes, self.runs)
        self._members[taker] = member
        self._parts = None
        return member

    def leave(self, member: Member) -> None:
        """From now on; settle first."""
        del self._members[member.taker]
        self._parts = None
        if self._sending:
            self._fallen.append(member)

    def take(self, frame: Frame) -> AbstractSet[Hashable]:
        """Send the feed's next frame to all members, or let them all fall out. Who has been served: the others take it
        for themselves."""
        steps_on = frame.first == self.index and frame.timestamp > self._newest
        served = frozenset(self._members)
        if served:
            if steps_on and frame.size <= TURN and self._fits(frame):
                self._send(frame)
            else:
                for member in tuple(self._members.values()):
                    member.track.fall_out()
                served = frozenset()
        self.index, self._newest = frame.first + len(frame.payloads), frame.timestamp
        return served

    def _fits(self, frame: Frame) -> bool:
        return all(part.fits(run) for part, _ in self._formed() for run in frame.runs)

    def _send(self, frame: Frame) -> None:
        self._sending = True
        try:
            self.frames += 1
            self.timestamp = frame.timestamp
            for number, run in enumerate(frame.runs, 1):
                self.packets += len(run.payloads)
                self.sent = frame.first + run.place + len(run.payloads)
                self.bytes += sum(map(len, run.payloads))
                self.runs += 1
                for part, formation in self._formed():
                    part.send(run, formation, frame.first + run.place, frame.timestamp)
                if number < len(frame.runs):
                    for member in self._fallen:
                        member.track.queue_rest(frame, number)
                self._fallen.clear()
        finally:
            self._sending = False

    def _formed(self) -> list[tuple[BatchSending, Any]]:
        """Everybody. Made anew after a change, never changed: it may be just being served."""
        if self._parts is None:
            legs: dict[BatchSending, list[BatchMember]] = {}
            for member in self._members.values():
                legs.setdefault(member.leg.broadcast, []).append(member.leg)
            self._parts = [(part, part.form(of)) for part, of in legs.items()]
        return self._parts
