"""Bits as H.264 writes them: Exp-Golomb numbers, trailing bits, emulation prevention (ITU-T H.264, 7.2 and 9.1)."""

import re

_UNSAFE = re.compile(rb"\x00\x00(?=[\x00-\x03])")
_ESCAPE = re.compile(rb"\x00\x00\x03")


class BitWriter:
    """Appends bits; `raw` requires the writer to be at a byte boundary."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._value = 0
        self._count = 0

    def bits(self, value: int, count: int) -> None:
        """Append the lowest `count` bits of value."""
        self._value = self._value << count | value
        self._count += count
        if self._count >= 8:
            whole, self._count = divmod(self._count, 8)
            self._bytes += (self._value >> self._count).to_bytes(whole, "big")
            self._value &= (1 << self._count) - 1

    def ue(self, number: int) -> None:
        """Append an unsigned Exp-Golomb number."""
        self.bits(number + 1, 2 * (number + 1).bit_length() - 1)

    def align(self) -> None:
        """Zero bits up to the next byte boundary."""
        if self._count:
            self.bits(0, 8 - self._count)

    def raw(self, data: bytes) -> None:
        """Append whole bytes."""
        if self._count:
            raise ValueError("raw bytes need a byte boundary")
        self._bytes += data

    def finish(self) -> bytes:
        """The stop bit, alignment, and everything written."""
        self.bits(1, 1)
        self.align()
        return bytes(self._bytes)


class BitReader:
    """Reads bits from an unescaped payload."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8

    @property
    def left(self) -> int:
        """Bits not yet read."""
        return self._left

    def bits(self, count: int) -> int:
        """The next `count` bits."""
        if count > self._left:
            raise ValueError("read past the end of the payload")
        self._left -= count
        return self._value >> self._left & ((1 << count) - 1)

    def peek(self, count: int) -> int:
        """The next `count` bits, which stay unread."""
        return self._value >> (self._left - count) & ((1 << count) - 1)

    def ue(self) -> int:
        """The next unsigned Exp-Golomb number."""
        zeros = 0
        while not self.bits(1):
            zeros += 1
        return (1 << zeros | self.bits(zeros)) - 1


def escape(payload: bytes) -> bytes:
    """Insert emulation prevention bytes."""
    return _UNSAFE.sub(b"\x00\x00\x03", payload)


def unescape(data: bytes) -> bytes:
    """Remove emulation prevention bytes."""
    return _ESCAPE.sub(b"\x00\x00", data)


def split_annex_b(stream: bytes) -> list[bytes]:
    """The NAL units of an Annex B byte stream, without start codes."""
    return [nal.rstrip(b"\x00") for nal in re.split(rb"\x00\x00\x01", stream)[1:]]
