"""What sends packets to peers, as in_step.py and the peers see it. Two implementations: batch_fanout.py and plain.py.

A `Fanout` serves all peers of one UDP socket. It makes a `PeerSender` for each, and each of those a `BatchStream` for a
track that only passes frames on; the `BatchSender` then sends one run on many such streams. Both implementations put
the same bytes on the wire (tests/relay/test_fanout.py).
"""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pylibsrtp import Session

from camera_hub.relay.ingest.frame import PacketRun

Address = tuple[str, int] | tuple[str, int, int, int]
Control = list[tuple[int, int, bytes]]
"""Ancillary data of sendmsg(2): (level, type, data)."""


@dataclass(frozen=True, slots=True)
class ReturnRoute:
    """Where a peer is, and the ancillary data that makes our packets leave from the address it has reached.

    A socket on all addresses would let routing choose the source, and a browser drops what comes from another one.
    """

    address: Address
    control: Control


@dataclass(slots=True)
class SenderFigures:
    """Counters of one peer. `sends`: successful system calls; `blocked`: times that the socket was full."""

    packets: int = 0
    bytes: int = 0
    sends: int = 0
    blocked: int = 0
    failed: int = 0
    gso_refused: int = 0


class RoutedPeer(Protocol):
    """Where a peer can be reached now; None until ICE has found out."""

    @property
    def route(self) -> ReturnRoute | None: ...


class SendSocket(Protocol):
    """The UDP socket, and whom to notify when it is full."""

    socket: socket.socket

    def full(self) -> None:
        """A sender met EAGAIN."""
        ...

    def send(self, data: bytes, route: ReturnRoute) -> None:
        """Send one control datagram; a full socket drops it, counted."""
        ...


class BatchSender(Protocol):
    """Sends one run on many streams. Streams of one sender share a batch."""

    def fits(self, run: PacketRun) -> bool:
        """Whether the run may be sent."""
        ...

    def form_batch(self, streams: Sequence[Any]) -> Any:
        """Make streams of its own kind ready to be served together."""
        ...

    def send(self, run: PacketRun, batch: Any, index: int, timestamp: int) -> None:
        """Send the run, whose first packet has this index in the feed and whose frame this RTP time, on all streams."""
        ...

    def finish_frame(self) -> None:
        """The last run of a frame has been given: what has not left yet has to leave in this turn of the event loop."""
        ...


class BatchStream(Protocol):
    """One RTP stream to one peer, as part of batches."""

    @property
    def sender(self) -> BatchSender: ...

    def count_sent(self, packets: int, payload_bytes: int, runs: int) -> int:
        """Count at the peer what a batch has sent. Bytes with headers and trailers."""
        ...


class PacketSender(Protocol):
    """Where a track's packets go: encrypted and handed to the socket. Sends all it is given; while `blocked`, give it
    nothing more."""

    @property
    def blocked(self) -> bool: ...

    def send(self, payload_type: int, ssrc: int, sequence: int, timestamp: int, run: PacketRun) -> int:
        """Send the run's packets under `sequence` (16 bit) and those after it; the marker where a frame ends. Bytes."""
        ...

    def send_one(
        self, payload_type: int, ssrc: int, sequence: int, timestamp: int, marker: bool, payload: bytes
    ) -> int:
        """Send one packet by itself: a retransmission (RTX, RFC 4588), or audio. Bytes."""
        ...

    def batch_stream(self, payload_type: int, ssrc: int, lag: int, base: int) -> BatchStream | None:
        """The track as part of batches: its sequence number is the packet's index in the feed less `lag`, its RTP time
        the frame's plus `base`. None where it cannot be in one now."""
        ...


class PeerSender(PacketSender, Protocol):
    """All that is sent to one peer, once DTLS has given the keys."""

    figures: SenderFigures

    def flush(self) -> bool:
        """Send what the socket did not accept. False when it still does not."""
        ...

    def send_rtcp(self, packet: bytes) -> None:
        """Encrypt and send one compound RTCP packet; dropped, counted, when the socket is full."""
        ...

    def route_changed(self) -> None:
        """The peer is elsewhere now."""
        ...


class Fanout(Protocol):
    """Sends to all peers of one socket."""

    name: str
    gso: bool
    """Whether UDP generic segmentation offload is used."""

    def peer_sender(self, peer: RoutedPeer, session: Session, on_stall: Callable[[], None]) -> PeerSender:
        """For one peer. `on_stall`: its tracks must leave their batches, because the socket is full or the peer has
        moved."""
        ...
