"""Files of rows: staged before their rows have numbers, placed, swept, and refused by a full disk."""

import asyncio
import os
import threading
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


async def test_of_files_that_are_placed_together_none_is_left_when_one_cannot_be(
    files: PictureFiles, tmp_path: Path
) -> None:
    first, second = await files.stage(JPEG), await files.stage(JPEG)
    second.unlink()
    with pytest.raises(HubError, match="cannot be kept"):
        await files.place({1: first, 2: second})
    assert names(files, tmp_path) == []


async def test_what_fails_as_nobody_has_foreseen_keeps_no_part(
    files: PictureFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: int) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(os, "fsync", broken)
    for attempt in (files.stage(JPEG), files.write(1, JPEG)):
        with pytest.raises(RuntimeError):
            await attempt
    assert names(files, tmp_path) == []


async def test_a_caller_who_is_cancelled_while_the_disk_writes_leaves_no_part(
    files: PictureFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(_: int) -> None:
        begun.set()
        go_on.wait(10)

    monkeypatch.setattr(os, "fsync", slow)
    staging = asyncio.create_task(files.stage(JPEG))
    await asyncio.to_thread(begun.wait, 10)
    staging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await staging
    assert names(files, tmp_path) == []
    go_on.set()
    monkeypatch.undo()
    await asyncio.get_running_loop().shutdown_default_executor()
    assert names(files, tmp_path) == []
