"""Writes and encrypts a run for one stream, as one piece of memory from which a single message sends it.

Shared by all streams of a frame is the image, the payloads with room for headers and trailers between them: one join
for the frame, one copy for each stream. Then headers are written and packets encrypted in place. For one or two streams
this is shorter than anything that must be prepared per frame (slots, arrays, a compiled struct: batch.py).
"""

from struct import Struct
from typing import Any, Final

from camera_hub.relay.fanout.send_queue import MAX_RUN, SendQueue
from camera_hub.relay.ingest.frame import PacketRun
from camera_hub.relay.libraries import ffi, lib

HEADER: Final = 12
VERSION: Final = 0x80000000
MARKER: Final = 0x00800000
_HEADER = Struct("!III")


class RunWriter:
    """For one send queue and ciphers that add `trailer` bytes to a packet."""

    def __init__(self, trailer: int, queue: SendQueue) -> None:
        self.trailer = trailer
        self._queue = queue
        self._raw: Any = queue.raw
        self._view = queue.view
        self._gap = bytes(trailer + HEADER)
        self._length: Any = ffi.new("int *")
        self._protect: Any = lib.srtp_protect
        self._write_header: Any = _HEADER.pack_into

    def fits(self, run: PacketRun) -> bool:
        """Whether a run is small enough to be written."""
        return run.size + len(run.payloads) * len(self._gap) <= MAX_RUN

    def width(self, run: PacketRun) -> int:
        """Bytes of each datagram but the last."""
        return run.width + len(self._gap)

    def image(self, run: PacketRun) -> bytes:
        """The run as `write` needs it. It must fit."""
        return self._gap.join(run.payloads)

    def write(
        self, image: bytes, run: PacketRun, srtp: Any, first: int, ssrc: int, sequence: int, timestamp: int
    ) -> int:
        """Write the run, encrypted, at the end of the queue, but do not push it. Bytes; 0: libsrtp has refused a packet
        and nothing may be sent.

        `first`: the first word of the RTP header, without marker and sequence number. `sequence` may exceed 16 bits.
        """
        write_header, protect, length, raw = self._write_header, self._protect, self._length, self._raw
        view, trailer = self._view, self.trailer
        start = at = self._queue.at
        view[at + HEADER : at + HEADER + len(image)] = image
        to_come = len(run.payloads)
        for payload in run.payloads:
            to_come -= 1
            word = first | (sequence & 0xFFFF)
            if not to_come and run.ends_frame:
                word |= MARKER
            write_header(view, at, word, timestamp, ssrc)
            size = HEADER + len(payload)
            length[0] = size
            if protect(srtp, raw + at, length) or length[0] != size + trailer:
                return 0
            at += size + trailer
            sequence += 1
        return at - start
