"""A small fuzzer: bytes in, other bytes out, the same for the same seed. It knows a little of text and of lengths."""

import random
import re
from collections.abc import Callable, Sequence

EXTREMES = (b"0", b"-1", b"1", b"65535", b"65536", b"2147483648", b"9" * 20, b"", b"\xc2\xb2", b"1e9")
TOKENS = (
    *(b"\r\n", b"\r", b"\n\n", b"\0", b"$", b"$\0\xff\xff", b"$\x09\0\0", b"%s%n", b"\xff\xfe", b"://", b"rtsp://[::"),
    *(b"a=", b"m=video ", b"RTSP/1.0 200 OK\r\n", b"CSeq: 1\r\n", b"Content-Length: 9\r\n", b";", b",", b"=", b'"'),
    *(b"<a>" * 500, b"</", b"<![CDATA[", b"<!DOCTYPE a [", b"&#0;", b"&lt;", b"<!--", b"?>", b' xmlns:tt="x"'),
    *(b'Digest realm="', b"Basic ", b'nonce="', b"\n\n", b"stale=true", b"::ffff:", b"@", b"#", b":80:554", b"%00"),
    *(b"\\", b" " * 300, b"A" * 3000, b"a=control:*\r\n" * 40, b"Session: a\rb\r\n", b"timeout=0"),
)
MAX_SIZE = 400_000


def mutate(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    """One to eight changes of `data`; `others` may be spliced in."""
    for _ in range(1 << draw.randrange(4)):
        data = draw.choice(_CHANGES)(data, others, draw)[:MAX_SIZE]
    return data


def _span(data: bytes, draw: random.Random) -> tuple[int, int]:
    start = draw.randrange(len(data) + 1)
    return start, min(len(data), start + draw.choice((1, 2, 4, 16, 64, 512)))


def _flip(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    if not data:
        return data
    at = draw.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << draw.randrange(8))]) + data[at + 1 :]


def _byte(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    start, _ = _span(data, draw)
    return data[:start] + draw.choice((b"\0", b"\xff", b"\x7f", b"\x80", b" ", b"$")) + data[start + 1 :]


def _cut(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    start, end = _span(data, draw)
    return data[:start] + data[end:]


def _end(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    return data[: draw.randrange(len(data) + 1)]


def _repeat(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    start, end = _span(data, draw)
    return data[:start] + data[start:end] * draw.choice((2, 3, 50, 1000)) + data[end:]


def _noise(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    start, _ = _span(data, draw)
    return data[:start] + draw.randbytes(draw.choice((1, 4, 40, 2000))) + data[start:]


def _token(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    start, end = _span(data, draw)
    return data[:start] + draw.choice(TOKENS) + data[start if draw.random() < 0.5 else end :]


def _number(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    found = list(re.finditer(rb"\d+", data))
    if not found:
        return data
    chosen = draw.choice(found)
    return data[: chosen.start()] + draw.choice(EXTREMES) + data[chosen.end() :]


def _lines(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    lines = data.split(b"\n")
    one, other = draw.randrange(len(lines)), draw.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def _splice(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    other = draw.choice(others) if others else data
    return data[: draw.randrange(len(data) + 1)] + other[draw.randrange(len(other) + 1) :]


_CHANGES: tuple[Callable[[bytes, Sequence[bytes], random.Random], bytes], ...] = (
    _flip, _byte, _cut, _end, _repeat, _noise, _token, _number, _number, _lines, _splice,
)  # fmt: skip
