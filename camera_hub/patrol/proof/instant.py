"""A picture of a camera right now, in full size: for what somebody just found, or calls abnormal."""

from dataclasses import dataclass
from datetime import datetime

from camera_hub.errors import HubError
from camera_hub.patrol.proof.moments import FULL_WIDTH, Photographer

SECONDS = 3.0
"""That a person waits for the picture, at most: what was found counts, with or without it."""


@dataclass(frozen=True, slots=True)
class Instant:
    """The JPEG and when it was taken, or why there is none (errors.Reason)."""

    jpeg: bytes | None = None
    at: datetime | None = None
    why: str | None = None


class InstantPictures:
    """Takes them; never raises HubError."""

    def __init__(self, photographer: Photographer) -> None:
        self._photographer = photographer

    async def take(self, camera_id: int) -> Instant:
        """The camera's picture, from its main stream where that runs."""
        try:
            taken = await self._photographer.take(camera_id, max_width=FULL_WIDTH, role="main", seconds=SECONDS)
        except HubError as error:
            return Instant(why=error.reason)
        return Instant(taken.jpeg, taken.at)
