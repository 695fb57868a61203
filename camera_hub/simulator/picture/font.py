"""A bitmap font for captions: capital letters, digits and some marks, 5 × 7 dots in a cell of 8 × 16 pixels."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

CELL_WIDTH = 8
CELL_HEIGHT = 16
PAPER = 24
INK = 228
"""Luma of background and strokes. Neither is 0: an all-zero sample would need escaping in an H.264 stream."""

# Seven rows of five dots each, top first, the highest bit is the leftmost dot.
_DOTS = {
    "A": "0e11111f111111", "B": "1e11111e11111e", "C": "0e11101010110e", "D": "1e11111111111e",
    "E": "1f10101e10101f", "F": "1f10101e101010", "G": "0e11101713110f", "H": "1111111f111111",
    "I": "0e04040404040e", "J": "0702020202120c", "K": "11121418141211", "L": "1010101010101f",
    "M": "111b1515111111", "N": "11191915131311", "O": "0e11111111110e", "P": "1e11111e101010",
    "Q": "0e11111115120d", "R": "1e11111e141211", "S": "0f10100e01011e", "T": "1f040404040404",
    "U": "1111111111110e", "V": "11111111110a04", "W": "11111115151b11", "X": "11110a040a1111",
    "Y": "11110a04040404", "Z": "1f01020408101f", "0": "0e11131519110e", "1": "040c040404040e",
    "2": "0e11010204081f", "3": "1f02040201110e", "4": "02060a121f0202", "5": "1f101e0101110e",
    "6": "0608101e11110e", "7": "1f010204080808", "8": "0e11110e11110e", "9": "0e11110f01020c",
    "-": "0000000e000000", ":": "00040400040400", ".": "00000000000404", "/": "01010204081010",
    "+": "0004041f040400", "#": "0a0a1f0a1f0a0a", " ": "00000000000000",
}  # fmt: skip


@cache
def glyph(character: str, scale: int = 1) -> NDArray[np.uint8]:
    """Luma of one character, (16·scale, 8·scale). Its last line is always paper; unknown characters are '#'."""
    rows = bytes.fromhex(_DOTS.get(character.upper(), _DOTS["#"]))
    dots = np.array([[(row >> (4 - column)) & 1 for column in range(5)] for row in rows], dtype=np.uint8)
    cell = np.full((CELL_HEIGHT, CELL_WIDTH), PAPER, dtype=np.uint8)
    cell[1:15, 1:6] = np.where(np.repeat(dots, 2, axis=0), INK, PAPER)
    return np.repeat(np.repeat(cell, scale, axis=0), scale, axis=1)


def line(text: str, scale: int = 1) -> NDArray[np.uint8]:
    """Luma of a line of text, (16·scale, 8·scale·len)."""
    return np.concatenate([glyph(character, scale) for character in text], axis=1)
