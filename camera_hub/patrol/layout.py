"""Layouts of the wall by their names, and how many tiles each has. web/src/wall/layout.ts draws them.

Even grids are named by their tiles (`16`: four by four) or by rows × columns (`3x4`); `1+N` has one large tile, which
is the first, and N small ones.
"""

import re

MOST_TILES = 36
"""The most tiles that a page shows at once."""

SQUARES = {"1": 1, "4": 4, "9": 9, "16": 16, "25": 25, "36": 36}
LARGE = {"1+5": 6, "1+7": 8, "1+8": 9, "1+12": 13}
"""Layouts with a large tile; `1+8` is meant for an upright screen."""

PATTERN = (
    r"^([149]|16|25|36|1\+(5|7|8|12)"
    r"|1x([1-9]|[12][0-9]|3[0-6])|2x([1-9]|1[0-8])|3x([1-9]|1[0-2])|4x[1-9]|5x[1-7]|6x[1-6]|7x[1-5]|[89]x[1-4]"
    r"|1[0-2]x[1-3]|1[3-8]x[12]|(19|2[0-9]|3[0-6])x1)$"
)
"""What a layout's name matches, exactly: for clients, which read it in the API's schema."""

_GRID = re.compile(r"([1-9][0-9]?)x([1-9][0-9]?)")


def tile_count(layout: str) -> int:
    """The number of tiles, 1 to MOST_TILES. Raises ValueError: there is no such layout."""
    named = SQUARES.get(layout) or LARGE.get(layout)
    if named is not None:
        return named
    grid = _GRID.fullmatch(layout)
    count = int(grid[1]) * int(grid[2]) if grid is not None else 0
    if not 0 < count <= MOST_TILES:
        names = ", ".join([*SQUARES, *LARGE])
        raise ValueError(f"no such layout: give {names}, or rows x columns such as 3x4 with at most {MOST_TILES} tiles")
    return count


def checked_layout(layout: str) -> str:
    """The name itself. Raises ValueError: there is no such layout."""
    tile_count(layout)
    return layout
