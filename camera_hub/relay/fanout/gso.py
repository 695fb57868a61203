"""UDP generic segmentation offload (GSO): many equal datagrams in one send. Whether this machine can do it."""

import socket
import struct

SOL_UDP = 17
UDP_SEGMENT = 103
_WIDTH, _COUNT = 600, 3
PROBE_SECONDS = 1.0
"""Loopback delivers at once, but a busy machine may be late; the answer holds as long as the process lives."""
Ancillary = tuple[int, int, bytes]


def segment(width: int) -> Ancillary:
    """The ancillary entry of a `sendmsg` that cuts its buffer into datagrams of `width` bytes."""
    return (SOL_UDP, UDP_SEGMENT, struct.pack("H", width))


def gso_works() -> bool:
    """Try it over loopback, and believe only what arrives: some kernels and sandboxes accept it and lose it."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        try:
            sender.getsockopt(SOL_UDP, UDP_SEGMENT)
            receiver.bind(("127.0.0.1", 0))
            receiver.settimeout(PROBE_SECONDS)
            sender.sendmsg([bytes(_WIDTH * _COUNT)], [segment(_WIDTH)], 0, receiver.getsockname())
            return all(len(receiver.recv(2048)) == _WIDTH for _ in range(_COUNT))
        except OSError:
            return False
