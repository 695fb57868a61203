"""The last bad and the last good picture of cameras that have trouble, in memory and bounded."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

LIMIT = 64 * 1024 * 1024
"""Bytes in all: some 800 pictures of 80 kB."""


@dataclass(frozen=True, slots=True)
class SeenPicture:
    """A picture with its scores. `profile`: "day", "night" or None, where nobody said."""

    at: datetime
    jpeg: bytes
    scores: Mapping[str, float]
    profile: str | None = None


class RecentPictures:
    """The newest ones; when they are too many, the oldest are dropped and counted."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._held: OrderedDict[tuple[int, bool], SeenPicture] = OrderedDict()
        self._size = 0
        self.dropped = 0

    def put(self, camera_id: int, picture: SeenPicture, *, good: bool) -> None:
        """Keep it in place of the camera's last one of its kind."""
        self._remove((camera_id, good))
        self._held[camera_id, good] = picture
        self._size += len(picture.jpeg)
        while self._size > self._limit:
            self._remove(next(iter(self._held)))
            self.dropped += 1

    def bad(self, camera_id: int) -> SeenPicture | None:
        """The last one with a fault."""
        return self._held.get((camera_id, False))

    def good(self, camera_id: int) -> SeenPicture | None:
        """The last one without."""
        return self._held.get((camera_id, True))

    def forget(self, camera_id: int) -> None:
        """The camera has no trouble any more."""
        for good in (False, True):
            self._remove((camera_id, good))

    def _remove(self, key: tuple[int, bool]) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            self._size -= len(held.jpeg)
