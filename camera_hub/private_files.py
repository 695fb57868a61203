"""The data folder belongs to the hub alone: folders 0700, files 0600, also where they existed before it started.

Only what is the hub's by name is touched, since a data folder may hold other things, or be a home directory by mistake.
"""

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from camera_hub.errors import HubError, Kind

log = logging.getLogger(__name__)

OTHERS = 0o077
_OURS = ("camera_hub.sqlite3*", "vault.key*", "audit.anchor", "hub.lock")
"""Copies beside a file (`camera_hub.sqlite3.bak`, `vault.key.old`) hold the same secrets."""


def make_private(data_dir: Path, database: Path | None = None) -> None:
    """Take all rights of other users from the data folder and the hub's files; `database`: SQLite's file, wherever.

    A missing folder or database file is created, so that SQLite gives its journals the same mode. What cannot be
    changed is warned of with the remedy. Raises HubError when the folder cannot be used at all.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if database is not None:
            os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise HubError(
            Kind.UNAVAILABLE,
            f"the data folder {data_dir} or its database cannot be used: {error.strerror}",
            reason="data_dir",
        ) from error
    open_still = [path for path in _ours(data_dir, database) if not _closed_to_others(path)]
    if open_still:
        more = f" and {len(open_still) - 1} more" if len(open_still) > 1 else ""
        log.warning(
            "other users of this machine may read %s%s, and the hub cannot change that: give the data folder to the "
            "hub's user and run: chmod -R go= %s",
            open_still[0],
            more,
            data_dir,
        )


def _ours(data_dir: Path, database: Path | None) -> Iterator[Path]:
    yield data_dir
    for pattern in _OURS:
        yield from data_dir.glob(pattern)
    if database is not None and database.parent != data_dir:
        yield from database.parent.glob(f"{database.name}*")
    for name in ("pictures", "references", "alarm-pictures"):
        pictures = data_dir / name
        if pictures.is_dir():
            yield pictures
            yield from pictures.glob("*.jpg")


def _closed_to_others(path: Path) -> bool:
    """Take the rights of others from a file or folder, never through a symbolic link; whether none are left."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    except OSError:
        return path.is_symlink() or not stat.S_IMODE(path.lstat().st_mode) & OTHERS
    try:
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if mode & OTHERS:
            os.fchmod(descriptor, mode & ~OTHERS)
        return not stat.S_IMODE(os.fstat(descriptor).st_mode) & OTHERS  # some file systems accept it and do nothing
    except OSError:
        return False
    finally:
        os.close(descriptor)
