"""Datagrams that nobody should send to the relay's port, by kind. All made from a fixed seed."""

import random
import struct
from dataclasses import dataclass

from aioice import stun
from OpenSSL import SSL

COOKIE = 0x2112A442


@dataclass(frozen=True)
class Attack:
    """`counted`: what the port counts each under when a stranger sends it; empty: several, by the first byte."""

    name: str
    datagrams: tuple[bytes, ...]
    counted: str


def attacks(ours: str, theirs: str, count: int = 1000) -> list[Attack]:
    """`count` of each kind. `ours`, `theirs`: ICE user fragments of a viewer, which an onlooker may know."""
    draw = random.Random(2026)

    def many(name: str, make: "object", counted: str) -> Attack:
        assert callable(make)
        return Attack(name, tuple(make() for _ in range(count)), counted)

    hello = client_hello()
    return [
        many("empty", lambda: b"", "bad_size"),
        many("oversized", lambda: draw.randbytes(draw.randrange(1501, 4000)), "bad_size"),
        many("random", lambda: draw.randbytes(draw.randrange(1, 1500)), ""),
        many("stun, integrity guessed", lambda: check(draw, f"{ours}:{theirs}", b"guess"), "bad_integrity"),
        many("stun without integrity", lambda: check(draw, f"{ours}:{theirs}", None), "bad_integrity"),
        many("stun of an unknown user", lambda: check(draw, "nobody:here", b"guess"), "unknown_user"),
        many("stun with endless attributes", lambda: endless(draw), "unknown_user"),
        many("stun with a lying attribute", lambda: lying(draw), "bad_stun"),
        many("stun answer that nobody asked for", lambda: answer(draw), "foreign_stun"),
        many("junk dtls", lambda: b"\x17\xfe\xfd" + draw.randbytes(draw.randrange(10, 1400)), "unknown_source"),
        many("junk dtls handshake", lambda: handshake(draw), "unknown_source"),
        many("dtls alert", lambda: b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02\x02\x28", "unknown_source"),
        many("dtls goodbye", lambda: b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02\x01\x00", "unknown_source"),
        many("client hello", lambda: hello, "unknown_source"),
        many("random srtp", lambda: b"\x80\x60" + draw.randbytes(draw.randrange(10, 1400)), "unknown_source"),
        many("fake goodbye in rtcp", lambda: b"\x81\xcb\x00\x01" + draw.randbytes(4 + 14), "unknown_source"),
        many("rtp that is too short", lambda: b"\x80\x60" + draw.randbytes(draw.randrange(9)), "bad_first_byte"),
        many("turn channel data", lambda: b"\x40\x01" + draw.randbytes(draw.randrange(1, 1400)), "bad_first_byte"),
    ]


def check(draw: random.Random, user: str, password: bytes | None) -> bytes:
    """An ICE check with a nomination."""
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, transaction_id=draw.randbytes(12))
    message.attributes["USERNAME"] = user
    message.attributes["PRIORITY"] = 1
    message.attributes["USE-CANDIDATE"] = None
    if password is not None:
        message.add_message_integrity(password)
    return bytes(message)


def endless(draw: random.Random) -> bytes:
    body = b"".join(struct.pack("!HH", draw.randrange(0x9000, 0xFFFF), 0) for _ in range(360))
    return struct.pack("!HHI", 1, len(body), COOKIE) + draw.randbytes(12) + body


def lying(draw: random.Random) -> bytes:
    body = struct.pack("!HH", 0x24, 0xFFFF) + draw.randbytes(2)
    return struct.pack("!HHI", 1, len(body), COOKIE) + draw.randbytes(12) + body


def answer(draw: random.Random) -> bytes:
    return bytes(stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, transaction_id=draw.randbytes(12)))


def handshake(draw: random.Random) -> bytes:
    body = draw.randbytes(draw.randrange(12, 200))
    return b"\x16\xfe\xfd\x00\x00" + draw.randbytes(6) + struct.pack("!H", len(body)) + body


def client_hello() -> bytes:
    """A real one."""
    connection = SSL.Connection(SSL.Context(SSL.DTLS_METHOD), None)
    connection.set_connect_state()
    try:
        connection.do_handshake()
    except SSL.WantReadError:
        return connection.bio_read(2000)
    raise AssertionError("a handshake needs another side")
