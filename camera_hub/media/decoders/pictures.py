"""The last picture of each camera: one JPEG in data_dir/pictures, and the time it was taken in the camera's row."""

import asyncio
import os
import tempfile
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from sqlalchemy import update

from camera_hub.store.database import Database
from camera_hub.store.tables import Camera


class Pictures:
    """Reads and replaces them; a reader gets the old or the new one, never half of it."""

    def __init__(self, data_dir: Path, database: Database) -> None:
        self._folder = data_dir / "pictures"
        self._database = database

    def path(self, camera_id: int) -> Path:
        """Where the camera's picture is, if there is one."""
        return self._folder / f"{camera_id}.jpg"

    async def save(self, camera_id: int, jpeg: bytes, at: datetime) -> None:
        """Keep the picture, taken at that time."""
        await asyncio.to_thread(self._replace, self.path(camera_id), jpeg)
        async with self._database.write() as session:
            await session.execute(update(Camera).where(Camera.id == camera_id).values(picture_at=at))

    async def read(self, camera_id: int) -> bytes | None:
        """The picture, None when there is none."""
        try:
            return await asyncio.to_thread(self.path(camera_id).read_bytes)
        except FileNotFoundError:
            return None

    async def save_for(self, match_id: int, jpeg: bytes) -> None:
        """Keep the picture of a device that a question of identity is about (cameras.matches)."""
        await asyncio.to_thread(self._replace, self._path_for(match_id), jpeg)

    async def read_for(self, match_id: int) -> bytes | None:
        """The picture that was kept for the question, None when there is none."""
        try:
            return await asyncio.to_thread(self._path_for(match_id).read_bytes)
        except FileNotFoundError:
            return None

    async def kept_for(self) -> list[int]:
        """The questions of which there is a picture."""
        names = await asyncio.to_thread(lambda: [path.stem for path in self._folder.glob("match-*.jpg")])
        numbers = (name.removeprefix("match-") for name in names)
        return [int(number) for number in numbers if number.isascii() and number.isdigit()]

    async def forget_for(self, match_ids: Collection[int]) -> None:
        """Delete the pictures of these questions."""

        def forget() -> None:
            for match_id in match_ids:
                self._path_for(match_id).unlink(missing_ok=True)

        await asyncio.to_thread(forget)

    def _path_for(self, match_id: int) -> Path:
        return self._folder / f"match-{match_id}.jpg"

    def _replace(self, path: Path, jpeg: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._folder, suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(jpeg)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
