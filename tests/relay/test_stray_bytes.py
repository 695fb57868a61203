"""Bytes that belong to nothing between interleaved packets, whatever they begin with, however they are cut: case 03."""

import random

import pytest

from camera_hub.relay.rtsp.message import Parser, Response

REPLY = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"
NOISE = [random.Random(seed).randbytes(3 + seed % 18) for seed in range(60)]
BLANKS = [
    b"\r\n",
    b"\n",
    b" \t\r\n",
    b"\t\\\x90\xc4\x9b",
    b" \x13D4\xc0\xa0\xe2",
    b"\n\nR\xff\xfe",
    b" h#\xf7\xf9:3\xec\n\xea",
]


def packet(number: int) -> bytes:
    return b"$\x00\x00\x20\x80\x60" + number.to_bytes(2, "big") + bytes(28)


def read(parser: Parser, data: bytes, size: int) -> list[int | str]:
    """Sequence numbers of packets, and "reply"."""
    found: list[int | str] = []
    for at in range(0, len(data), size):
        for message in parser.feed(data[at : at + size]):
            found.append(message[1][3] if isinstance(message, tuple) else "reply")
            assert isinstance(message, tuple | Response)
    return found


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_what_comes_after_stray_bytes_is_read(size: int) -> None:
    for noise in (*BLANKS, *(one for one in NOISE if b"$" not in one)):
        parser = Parser(camera=True)
        parser.feed(REPLY)
        parser.channels = (0, 1)
        data = packet(1) + noise + packet(2) + packet(3) + REPLY
        assert read(parser, data, size) == [1, 2, 3, "reply"], noise
