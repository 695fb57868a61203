"""Files of rows: staged before their rows have numbers, placed, swept, and refused by a full disk."""

from pathlib import Path

import pytest

from camera_hub.errors import HubError, Kind
from camera_hub.store.picture_files import PictureFiles

JPEG = b"\xff\xd8picture"


@pytest.fixture
def files(tmp_path: Path) -> PictureFiles:
    return PictureFiles(tmp_path / "pictures")


def names(files: PictureFiles, tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "pictures").iterdir())


async def test_staged_files_become_those_of_rows(files: PictureFiles, tmp_path: Path) -> None:
    first, second = await files.stage(JPEG), await files.stage(JPEG + b"2")
    assert await files.sweep([]) == 0, "what is staged is not swept"
    assert [await files.read(row) for row in (7, 8)] == [None, None]
    await files.place({7: first, 8: second})
    assert [await files.read(row) for row in (7, 8)] == [JPEG, JPEG + b"2"]
    assert names(files, tmp_path) == ["7.jpg", "8.jpg"]
    await files.unstage([first, second])
    assert await files.sweep([7]) == 1
    assert names(files, tmp_path) == ["7.jpg"]


async def test_what_was_staged_for_nothing_goes(files: PictureFiles, tmp_path: Path) -> None:
    placed, left = await files.stage(JPEG), await files.stage(JPEG)
    await files.place({1: placed})
    await files.unstage([placed, left])
    assert names(files, tmp_path) == ["1.jpg"]


async def test_what_a_dead_hub_had_staged_is_swept(files: PictureFiles, tmp_path: Path) -> None:
    await files.stage(JPEG)
    assert await PictureFiles(tmp_path / "pictures").sweep([]) == 1
    assert names(files, tmp_path) == []


async def test_a_disk_that_refuses_is_named_and_keeps_no_part(files: PictureFiles, tmp_path: Path) -> None:
    (tmp_path / "pictures").write_text("no folder")
    for attempt in (files.stage(JPEG), files.write(1, JPEG)):
        with pytest.raises(HubError, match="make room") as refused:
            await attempt
        assert refused.value.kind is Kind.STORAGE_FULL
    (tmp_path / "pictures").unlink()
    part = await files.stage(JPEG)
    part.unlink()
    with pytest.raises(HubError, match="cannot be kept"):
        await files.place({1: part})
    assert await files.read(1) is None
