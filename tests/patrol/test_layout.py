import re

import pytest

from camera_hub.patrol.layout import LARGE, MOST_TILES, PATTERN, SQUARES, tile_count


@pytest.mark.parametrize(
    ("name", "tiles"),
    [("1", 1), ("16", 16), ("36", 36), ("1+5", 6), ("1+7", 8), ("3x4", 12), ("6x2", 12), ("2x8", 16), ("1x36", 36)],
)
def test_a_name_says_how_many_tiles_there_are(name: str, tiles: int) -> None:
    assert tile_count(name) == tiles


@pytest.mark.parametrize(
    "name",
    [
        "",
        "0",
        "2",
        "5x",
        "x5",
        "0x4",
        "4x0",
        "6x7",
        "37x1",
        "03x4",
        "3X4",
        "3x4 ",
        "3×4",
        "-1x2",
        "1+6",
        "99x99",
        "３x４",
    ],
)
def test_what_is_no_layout_is_refused_with_what_there_is(name: str) -> None:
    with pytest.raises(ValueError, match="rows x columns such as 3x4"):
        tile_count(name)


def test_the_pattern_of_the_api_names_exactly_the_layouts() -> None:
    grids = {f"{rows}x{columns}" for rows in range(100) for columns in range(100)}
    matching = {name for name in grids if re.search(PATTERN, name)}
    assert matching == {name for name in grids if 0 < _product(name) <= MOST_TILES}
    assert all(re.search(PATTERN, name) for name in [*SQUARES, *LARGE])
    assert not any(re.search(PATTERN, name) for name in ["2", "5", "49", "1+6", "1+1", "3x4x", "13x4", ""])


def _product(name: str) -> int:
    rows, columns = name.split("x")
    return int(rows) * int(columns)
