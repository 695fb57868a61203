"""A light viewer that also notes when each frame was complete, by the kernel's timestamp of its last datagram."""

import socket
import struct
import time
from collections.abc import Sequence
from typing import Any

import pylibsrtp

from camera_hub.bench.arrivals import Arrivals, tail
from camera_hub.bench.sdp import MEDIA, answered_ssrcs
from camera_hub.bench.viewer import Viewer
from camera_hub.errors import HubError, Kind
from camera_hub.relay.ingest.rtp import parse_rtp
from camera_hub.relay.libraries import srtp_sessions

MAX_NOTED = 50_000
_MARKED = MEDIA | 0x80
_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("@qq")
_ANCILLARY = 64


class TimedViewer(Viewer):
    """Notes arrivals between `record(True)` and `record(False)`; what it notes is decrypted when it is asked for."""

    def __init__(self, *values: Any, **named: Any) -> None:
        super().__init__(*values, **named)
        self.socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._recv_into = self._timed
        self._recording = False
        self._noted: list[tuple[int, bytes]] = []  # nanoseconds of the real-time clock, the datagram
        self._ssrcs: list[int] = []

    async def connect(self, answer: str, deadline: float) -> None:
        self._ssrcs = answered_ssrcs(answer)
        await super().connect(answer, deadline)

    def record(self, on: bool) -> None:
        """Begin, forgetting what was noted before, or stop."""
        self._recording = on
        if on:
            self._noted.clear()

    def _timed(self, buffer: bytearray) -> int:
        size, control, _, _ = self.socket.recvmsg_into([buffer], _ANCILLARY)
        if self._recording and buffer[1] == _MARKED and buffer[0] >> 6 == 2 and len(self._noted) < MAX_NOTED:
            self._noted.append((_stamp(control), bytes(buffer[:size])))
        return size

    def arrivals(self) -> Arrivals:
        """Decrypt what was noted and forget it."""
        noted, self._noted = self._noted, []
        ahead = time.monotonic_ns() - time.time_ns()
        session = srtp_sessions(self._dtls)[1]
        frames, decrypted = [], 0
        for stamp, datagram in noted:
            try:
                packet = parse_rtp(session.unprotect(datagram))
            except pylibsrtp.Error:
                continue
            decrypted += 1
            if packet is not None:
                frames.append((self._track(packet.ssrc), (stamp + ahead) / 1e9, tail([packet.payload])))
        return Arrivals(tuple(frames), len(noted), decrypted)

    def _track(self, ssrc: int) -> int:
        """Servers with one track in a connection need not announce its SSRC."""
        return self._ssrcs.index(ssrc) if ssrc in self._ssrcs else 0


def _stamp(control: Sequence[tuple[int, int, bytes]]) -> int:
    for level, kind, data in control:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    raise HubError(Kind.UNSUPPORTED, "the kernel does not timestamp datagrams")
