"""Where a run of packets is written and encrypted: one buffer for all peers, laid out once per run for all its tracks.

The work per packet and track is C alone: a slice of numbers, one `struct.pack_into` for the whole run, one call into
libsrtp by `map`. Measured per packet of 1,111 bytes: 0.23 µs to write, 0.6 µs to encrypt with GCM (1.5 µs with SHA1);
a Python loop over the packets took 2.1 µs (3.1 µs).
"""

import struct
from collections import OrderedDict
from itertools import repeat
from typing import Any

from camera_hub.relay.fanout.gso import segment
from camera_hub.relay.ingest.frame import PacketRun
from camera_hub.relay.libraries import ffi, lib

HEADER = 12
MOST_PACKETS = 64
BUFFER = 1 << 17
LAYOUTS_KEPT = 64
"""All tracks of a feed send a frame in one turn of the event loop, so a few would do."""
_VERSION = 0x80000000
_MARKER = 0x00800000


class ContiguousLayout:
    """How one run lies in the buffer. `width`: bytes of each datagram but the last; `total`: of all of them."""

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
        self._layouts: OrderedDict[PacketRun, ContiguousLayout] = OrderedDict()

    def layout(self, run: PacketRun) -> ContiguousLayout:
        """The run's layout. It must fit: at most MOST_PACKETS, and BUFFER bytes."""
        layout = self._layouts.get(run)
        if layout is None:
            width = HEADER + len(run.payloads[0]) + self.trailer
            pointers = self._pointers.get(width)
            if pointers is None or len(pointers) < len(run.payloads):
                pointers = tuple(self._raw + index * width for index in range(len(run.payloads)))
                self._pointers[width] = pointers
            layout = self._layouts[run] = ContiguousLayout(run, self.trailer, pointers[: len(run.payloads)])
            if len(self._layouts) > LAYOUTS_KEPT:
                self._layouts.popitem(last=False)
        return layout

    def protect(
        self, srtp: Any, layout: ContiguousLayout, payload_type: int, ssrc: int, sequence: int, timestamp: int
    ) -> bool:
        """Write and encrypt the run as packets from `sequence` on. False: libsrtp refused; nothing may be sent."""
        count, values = layout.count, layout.values
        first = _VERSION | payload_type << 16 | sequence
        if sequence + count <= 0x10000:
            values[0::3] = range(first, first + count)
        else:
            first -= sequence
            values[0::3] = [first | (sequence + index) & 0xFFFF for index in range(count)]
        if layout.ends_frame:
            values[-3] |= _MARKER
        values[1::3] = (timestamp << 32 | ssrc,) * count
        layout.pack(self.view, 0, *values)
        lengths, size = self._lengths_bytes, 4 * count
        lengths[:size] = layout.clear
        refused = any(map(lib.srtp_protect, repeat(srtp), layout.pointers, self._length_of))
        return not refused and lengths[:size] == layout.protected
