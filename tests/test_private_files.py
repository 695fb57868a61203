"""Nobody but the hub's user reads its data, in a folder that existed before, too."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from camera_hub.cli_parts import accounts
from camera_hub.errors import HubError
from camera_hub.private_files import make_private
from camera_hub.settings import DatabaseSettings, ServerSettings, Settings


@pytest.fixture(autouse=True)
def generous() -> Iterator[None]:
    """The usual umask, under which files are created for everybody to read."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): stat.S_IMODE(path.lstat().st_mode) for path in folder.rglob("*")}


@pytest.mark.slow
async def test_a_new_database_and_its_journals_are_private(tmp_path: Path) -> None:
    settings = Settings(server=ServerSettings(data_dir=tmp_path / "data"))
    async with accounts(settings) as found:
        assert await found.all() == []
        kept = modes(tmp_path / "data")
    assert {"camera_hub.sqlite3", "camera_hub.sqlite3-wal", "camera_hub.sqlite3-shm"} <= kept.keys()
    assert {name: mode for name, mode in kept.items() if mode & 0o077} == {}
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_what_was_open_before_is_closed_and_what_is_not_ours_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    (data / "pictures").mkdir(parents=True)
    elsewhere.mkdir()
    ours = ["camera_hub.sqlite3", "camera_hub.sqlite3-wal", "camera_hub.sqlite3.bak", "vault.key.old", "pictures/7.jpg"]
    for name in [*ours, "letter.txt"]:
        (data / name).write_text("x")
    for name in ("hub.db", "hub.db-wal", "other.db"):
        (elsewhere / name).write_text("x")
    (tmp_path / "outside").write_text("x")
    (data / "camera_hub.sqlite3.link").symlink_to(tmp_path / "outside")
    os.mkfifo(data / "vault.key.pipe")  # opening one to look at it must not wait for a writer
    make_private(data, elsewhere / "hub.db")
    kept = modes(tmp_path)
    assert {kept[f"data/{name}"] for name in ours} == {0o600}
    assert (kept["data"], kept["data/pictures"]) == (0o700, 0o700)
    assert (kept["elsewhere/hub.db"], kept["elsewhere/hub.db-wal"]) == (0o600, 0o600)
    assert {kept["data/letter.txt"], kept["elsewhere/other.db"], kept["outside"]} == {0o644}
    assert kept["elsewhere"] == 0o755
    assert caplog.text == ""


def test_what_cannot_be_closed_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "camera_hub.sqlite3").write_text("x")
    monkeypatch.setattr(os, "fchmod", lambda descriptor, mode: None)  # as a FAT or CIFS share does
    make_private(tmp_path)
    assert "chmod -R go=" in caplog.text


def test_a_folder_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(HubError, match="cannot be used"):
        make_private(tmp_path / "data")


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("", "/srv/hub/camera_hub.sqlite3"),
        ("sqlite+aiosqlite:////var/hub.db?timeout=5", "/var/hub.db"),
        ("sqlite+aiosqlite:///:memory:", None),
        ("postgresql+psycopg://hub@127.0.0.1/hub", None),
    ],
)
def test_where_the_database_is(url: str, file: str | None) -> None:
    settings = Settings(server=ServerSettings(data_dir=Path("/srv/hub")), database=DatabaseSettings(url=url))
    assert settings.database_file == (None if file is None else Path(file))
