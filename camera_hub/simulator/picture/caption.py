"""The caption bar: name and clock, written into the bits of an encoded frame without encoding anything.

A loop is encoded without its bottom two rows of macroblocks. Its last macroblock (in a column that is cropped away) is
noise, so that it is never skipped and the slice never ends in a run of skipped macroblocks. The bar's macroblocks can
therefore be appended to the same slice: raw samples (I_PCM) where there is text, a copy of the line above (Intra 4×4,
vertical) where there is none in a key frame, and skips elsewhere. The text is at the right end of the bar, because a
skipped macroblock after a raw one would take its motion from the picture above. ITU-T H.264, 7.3.5, 8.3.1.1, 8.4.1.1.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from camera_hub.simulator.picture import font
from camera_hub.simulator.picture.bits import BitReader, BitWriter, escape, unescape

BAR_ROWS = 2
_BLOCK = 16
_GREY = bytes([128]) * 128
_I_PCM = 25
_P_MACROBLOCK_TYPES = 5
_LEFT_COLUMN = frozenset({0, 2, 8, 10})
"""4 × 4 blocks, in coding order, that have no neighbour to the left in the first macroblock of a row."""
_TAIL_CONTEXT = 3


@dataclass(frozen=True, slots=True)
class Frame:
    """Geometry of a picture with its bar. Width and height are what a viewer sees; the coded size is in macroblocks."""

    width: int
    height: int
    scale: int  # of the text: 1 or 2

    @property
    def columns(self) -> int:
        """Macroblocks in a row, including the cropped noise column."""
        return self.width // _BLOCK + 1

    @property
    def rows(self) -> int:
        return -(-self.height // _BLOCK)

    @property
    def body_height(self) -> int:
        """Lines that are encoded."""
        return (self.rows - BAR_ROWS) * _BLOCK

    @property
    def characters(self) -> int:
        """Characters in the bar's line."""
        return self.width // (font.CELL_WIDTH * self.scale)

    def text(self, caption: str) -> str:
        """The bar's line, right-aligned, always of the same length."""
        return (caption[: self.characters - 1] + " ").rjust(self.characters)


@lru_cache(maxsize=8192)
def _raw_block(text: str, scale: int, row: int) -> bytes:
    """Samples of the macroblock that shows `text` (16/8/scale characters), its upper or lower half: 384 bytes."""
    luma = font.line(text, scale)[row * _BLOCK : (row + 1) * _BLOCK, :_BLOCK]
    return np.ascontiguousarray(luma).tobytes() + _GREY


@lru_cache(maxsize=8)
def _blank_raw() -> bytes:
    return bytes([font.PAPER]) * 256 + _GREY


def _blocks(frame: Frame, text: str, first: int, row: int) -> list[bytes]:
    """Raw macroblocks of one row of the bar from column `first` to its end, including the cropped column."""
    step = 2 // frame.scale
    count = frame.columns - 1
    return [
        *(_raw_block(text[column * step : (column + 1) * step], frame.scale, row) for column in range(first, count)),
        _blank_raw(),
    ]


def _first_text(frame: Frame, text: str) -> int:
    """First column that shows text."""
    return (len(text) - len(text.lstrip())) * frame.scale // 2


def _first_change(frame: Frame, old: str, new: str) -> int:
    """First column that differs."""
    return next(i for i, (a, b) in enumerate(zip(old, new, strict=True)) if a != b) * frame.scale // 2


@lru_cache(maxsize=256)
def _copies_above(count: int) -> tuple[int, int]:
    """Bits, and their number, of `count` Intra 4 × 4 macroblocks from the left edge that repeat the line above."""
    text = ""
    for column in range(count):
        text += "1"  # macroblock type 0
        for block in range(16):
            text += "0000" if column == 0 and block in _LEFT_COLUMN else "1"
        text += "011" + "00100"  # chroma vertical too, coded block pattern 0
    return int(text or "0", 2), len(text)


def _write_raw(out: BitWriter, blocks: list[bytes], mb_type: int, *, skips_before: int | None) -> None:
    """Raw macroblocks; in a P slice each is preceded by its skip run, the first by `skips_before`."""
    for number, block in enumerate(blocks):
        if skips_before is not None:
            out.ue(skips_before if number == 0 else 0)
        out.ue(mb_type)
        out.align()
        out.raw(block)


def _open(nal: bytes) -> tuple[bytes, BitWriter]:
    """A body slice cut in two: the bytes that stay as they are, and a writer at the end of its data."""
    head, last = nal[:-_TAIL_CONTEXT], int.from_bytes(nal[-_TAIL_CONTEXT:], "big")
    stop = (last & -last).bit_length()
    out = BitWriter()
    out.bits(last >> stop, 8 * _TAIL_CONTEXT - stop)
    return head, out


def _close(head: bytes, out: BitWriter) -> bytes:
    return head + escape(out.finish())


def skip_bar(frame: Frame, nal: bytes) -> bytes:
    """A P slice whose bar does not change."""
    head, out = _open(nal)
    out.ue(BAR_ROWS * frame.columns)
    return _close(head, out)


def change_bar(frame: Frame, nal: bytes, old: str, new: str) -> bytes:
    """A P slice whose bar changes from one line to another."""
    if old == new:
        return skip_bar(frame, nal)
    first = _first_change(frame, old, new)
    head, out = _open(nal)
    for row in range(frame.scale):
        _write_raw(out, _blocks(frame, new, first, row), _P_MACROBLOCK_TYPES + _I_PCM, skips_before=first)
    if rest := (BAR_ROWS - frame.scale) * frame.columns:
        out.ue(rest)
    return _close(head, out)


def draw_bar(frame: Frame, nal: bytes, text: str) -> bytes:
    """An I slice with its bar."""
    first = _first_text(frame, text)
    head, out = _open(nal)
    for row in range(BAR_ROWS):
        blank = first if row < frame.scale else frame.columns
        out.bits(*_copies_above(blank))
        if row < frame.scale:
            _write_raw(out, _blocks(frame, text, first, row), _I_PCM, skips_before=None)
    return _close(head, out)


def enlarge(sps: bytes, frame: Frame) -> bytes:
    """The body's sequence parameter set, enlarged to the whole picture. Baseline and frame macroblocks only."""
    payload = unescape(sps)
    if payload[1] != 66:
        raise ValueError("only a baseline stream can carry a bar")
    reader = BitReader(payload)
    out = BitWriter()
    out.bits(reader.bits(32), 32)

    def pass_on() -> int:
        number = reader.ue()
        out.ue(number)
        return number

    pass_on()  # id
    pass_on()  # frame number bits
    if (order_type := pass_on()) == 0:
        pass_on()
    elif order_type == 1:
        raise ValueError("picture order type 1 is not written by our encoder")
    pass_on()  # reference frames
    out.bits(reader.bits(1), 1)  # gaps allowed
    reader.ue(), reader.ue()
    out.ue(frame.columns - 1)
    out.ue(frame.rows - 1)
    out.bits(reader.bits(2), 2)  # frame macroblocks only, direct 8 × 8
    if reader.bits(1):
        for _ in range(4):
            reader.ue()
    out.bits(1, 1)
    out.ue(0)
    out.ue((frame.columns * _BLOCK - frame.width) // 2)
    out.ue(0)
    out.ue((frame.rows * _BLOCK - frame.height) // 2)
    while reader.left and not _only_stop_bit_left(reader):
        out.bits(reader.bits(1), 1)
    return escape(out.finish())


def _only_stop_bit_left(reader: BitReader) -> bool:
    return reader.left <= 8 and reader.peek(reader.left) == 1 << (reader.left - 1)
