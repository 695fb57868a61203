"""Whether this machine can send with sendmmsg(2) as sendmmsg.py does it.

In a module of its own, which must not be compiled: compiled code frees a local after its last use, and the buffers here
are used by the system alone.
"""

import socket
from array import array
from functools import cache
from typing import Any

from camera_hub.relay.fanout.gso import PROBE_SECONDS
from camera_hub.relay.fanout.sendmmsg import Destination, MessageHeaders, send_many
from camera_hub.relay.libraries import ffi

_PROBE = 1200


@cache
def many_works() -> bool:
    """Try it over loopback, and believe only what arrives, as `gso.gso_works` does: two runs to one address."""
    if ffi is None:
        return False
    data: Any = ffi.new("unsigned char[]", 2 * _PROBE)
    buffer = ffi.buffer(data)
    buffer[:] = bytes(_PROBE) + b"\1" * _PROBE
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        send = send_many(sender)
        if send is None:
            return False
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(PROBE_SECONDS)
        start = int(ffi.cast("uintptr_t", data))
        iovecs = array("Q", [start, _PROBE, start + _PROBE, _PROBE])
        headers = MessageHeaders([Destination(receiver.getsockname(), [])] * 2)
        headers.point(0, 2, _PROBE // 2, iovecs.buffer_info()[0], 1)
        try:
            sent = send(headers.at(0), 2)
            return sent == 2 and [receiver.recv(2048) for _ in range(4)] == [
                bytes([place]) * (_PROBE // 2) for place in (0, 0, 1, 1)
            ]
        except OSError:
            return False
