"""Which cameras cannot be shown now, and why: by their rows, or by a running feed, which knows better."""

from collections.abc import Collection
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.errors import Reason
from camera_hub.eye.messages import FAULTS
from camera_hub.store.tables import Camera

SHOWN_ANYWAY = frozenset({*FAULTS, Reason.UNDECODABLE, Reason.CLOCK_WRONG, Reason.LATE})
"""Faults of a camera whose stream is live: operators should see it nevertheless."""


class FeedReasons(Protocol):
    """What patrol needs from media."""

    def feed_reason(self, camera_id: int) -> tuple[str, str | None] | None:
        """(phase, reason) of the camera's running feed, None when none runs."""
        ...


async def dead_cameras(session: AsyncSession, cameras: Collection[int], feeds: FeedReasons) -> dict[int, str]:
    """The cameras that cannot be shown, each with its reason."""
    rows = {
        camera: (state, health, cause)
        for camera, state, health, cause in await session.execute(
            select(Camera.id, Camera.state, Camera.health, Camera.cause).where(Camera.id.in_(cameras))
        )
    }
    found = {camera: _why(rows.get(camera), feeds.feed_reason(camera)) for camera in cameras}
    return {camera: reason for camera, reason in found.items() if reason is not None}


def _why(row: tuple[str, str, str | None] | None, feed: tuple[str, str | None] | None) -> str | None:
    if row is None or row[0] == "retired":
        return Reason.RETIRED
    state, health, cause = row
    if state != "approved":
        return Reason.NOT_APPROVED
    if feed is not None and feed[0] == "live":
        return None  # fresher than the last round
    if feed is not None and feed[0] == "failed" and feed[1] is not None:
        return feed[1]
    return cause if health == "fault" and cause not in SHOWN_ANYWAY else None
