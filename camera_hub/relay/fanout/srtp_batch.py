"""Where a run of packets is made up and encrypted: one buffer for all peers, laid out once per run for all its tracks.

The work per packet and track is C alone: a slice of numbers, one `struct.pack_into` for the whole run, one call into
libsrtp by `map`. Measured per packet of 1,111 bytes: 0.23 µs to write, 0.6 µs to encrypt with GCM (1.5 µs with SHA1);
a Python loop over the packets took 2.1 µs (3.1 µs).
"""

import struct
from collections import OrderedDict
from itertools import repeat
from typing import Any

from pylibsrtp._binding import ffi, lib

from camera_hub.relay.fanout.gso import segment
from camera_hub.relay.ingest.frame import PacketRun

HEADER = 12
MOST_PACKETS = 64
BUFFER = 1 << 17
KEPT = 64
"""Runs whose layout is remembered. All tracks of a feed take a frame in one turn, so a few would do."""
_VERSION = 0x80000000
_MARKER = 0x00800000


class RunCut:
    """How one run lies in the buffer. `width`: bytes of a datagram, all but the last; `total`: of all of them."""

    __slots__ = ("clear", "count", "ends_frame", "pack", "pointers", "protected", "segment", "total", "values", "width")

    def __init__(self, run: PacketRun, trailer: int, pointers: tuple[Any, ...]) -> None:
        sizes = [HEADER + len(payload) for payload in run.payloads]
        self.count = count = len(sizes)
        self.width = sizes[0] + trailer
        self.total = sum(sizes) + trailer * count
        self.ends_frame = run.ends_frame
        self.pointers = pointers
        self.clear = struct.pack(f"={count}i", *sizes)
        self.protected = struct.pack(f"={count}i", *(size + trailer for size in sizes))
        full = f"IQ{sizes[0] - HEADER}s{trailer}x"
        self.pack = struct.Struct(f"!{full * (count - 1)}IQ{sizes[-1] - HEADER}s{trailer}x").pack_into
        self.values: list[Any] = [value for payload in run.payloads for value in (0, 0, payload)]
        self.segment = segment(self.width)


class SrtpBatch:
    """For one trailer size. `protect` leaves the encrypted run at the start of `view`."""

    def __init__(self, trailer: int) -> None:
        self.trailer = trailer
        self._raw: Any = ffi.new("unsigned char[]", BUFFER)
        self.view = memoryview(ffi.buffer(self._raw))
        self._lengths: Any = ffi.new("int[]", MOST_PACKETS)
        self._lengths_bytes: Any = ffi.buffer(self._lengths)
        self._length_of = tuple(self._lengths + index for index in range(MOST_PACKETS))
        self._pointers: dict[int, tuple[Any, ...]] = {}
        self._cuts: OrderedDict[PacketRun, RunCut] = OrderedDict()

    def cut(self, run: PacketRun) -> RunCut:
        """The run's layout. It must fit: at most MOST_PACKETS, and BUFFER bytes."""
        cut = self._cuts.get(run)
        if cut is None:
            width = HEADER + len(run.payloads[0]) + self.trailer
            pointers = self._pointers.get(width)
            if pointers is None or len(pointers) < len(run.payloads):
                pointers = tuple(self._raw + index * width for index in range(len(run.payloads)))
                self._pointers[width] = pointers
            cut = self._cuts[run] = RunCut(run, self.trailer, pointers[: len(run.payloads)])
            if len(self._cuts) > KEPT:
                self._cuts.popitem(last=False)
        return cut

    def protect(self, srtp: Any, cut: RunCut, payload_type: int, ssrc: int, sequence: int, timestamp: int) -> bool:
        """Write and encrypt the run as packets from `sequence` on. False: libsrtp refused; nothing may be sent."""
        count, values = cut.count, cut.values
        first = _VERSION | payload_type << 16 | sequence
        if sequence + count <= 0x10000:
            values[0::3] = range(first, first + count)
        else:
            first -= sequence
            values[0::3] = [first | (sequence + index) & 0xFFFF for index in range(count)]
        if cut.ends_frame:
            values[-3] |= _MARKER
        values[1::3] = (timestamp << 32 | ssrc,) * count
        cut.pack(self.view, 0, *values)
        lengths, size = self._lengths_bytes, 4 * count
        lengths[:size] = cut.clear
        refused = any(map(lib.srtp_protect, repeat(srtp), cut.pointers, self._length_of))
        return not refused and lengths[:size] == cut.protected
