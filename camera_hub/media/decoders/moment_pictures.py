"""Pictures of this moment, from feeds that run anyway: the newest key frame of a camera that somebody watches.

Never opens a pull of its own. Eyes belong to the rounds first: at most `at_once` of them work for these pictures, and
who waits longer than the deadline gets none.
"""

import asyncio
import itertools
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.eye.messages import Look
from camera_hub.media.decoders.looks import Eyes
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.feeds.feed_states import FeedStates
from camera_hub.media.feeds.feeds import Feeds
from camera_hub.media.feeds.key_frames import KeyFrames
from camera_hub.media.interface import Role
from camera_hub.relay.messages import KeyFrame

QUALITY = 80
_CODECS: dict[str, Literal["h264", "h265", "mjpeg"]] = {"h264": "h264", "h265": "h265", "mjpeg": "mjpeg"}


@dataclass(frozen=True, slots=True)
class MomentPicture:
    """A picture, and when its key frame came."""

    at: datetime
    jpeg: bytes


class MomentPictures:
    """`taken` and `failed` count."""

    def __init__(self, feeds: Feeds, states: FeedStates, key_frames: KeyFrames, eyes: Eyes, *, at_once: int) -> None:
        self._feeds = feeds
        self._states = states
        self._key_frames = key_frames
        self._eyes = eyes
        self._slots = asyncio.Semaphore(at_once)
        self._numbers = itertools.count(1)
        self.taken = 0
        self.failed = 0

    async def take(self, camera_id: int, *, max_width: int, role: Role, seconds: float) -> MomentPicture:
        """The camera's picture now, within `seconds`. `max_width` in pixels, 0: as it is; `role`: the stream that is
        preferred where both run.

        Raises HubError: UNAVAILABLE (NO_MEDIA: no feed of it runs, or it fails), TIMEOUT (NO_KEY_FRAME), BUSY,
        UNSUPPORTED (UNDECODABLE, CODEC_UNSUPPORTED), UNAVAILABLE (QUARANTINED).
        """
        try:
            picture = await self._take(camera_id, max_width, role, seconds)
        except HubError:
            self.failed += 1
            raise
        self.taken += 1
        return picture

    async def _take(self, camera_id: int, max_width: int, role: Role, seconds: float) -> MomentPicture:
        key = self._running(camera_id, role)
        lease = self._feeds.share(key, f"moment {next(self._numbers)}") if key is not None else None
        if key is None or lease is None:
            raise HubError(
                Kind.UNAVAILABLE, "nobody watches this camera now, so there is no picture of it", reason=Reason.NO_MEDIA
            )
        end = asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout_at(end):
                frame, data = await self._key_frames.next(key)
        except TimeoutError as error:
            raise HubError(Kind.TIMEOUT, "no key frame came in time", reason=Reason.NO_KEY_FRAME) from error
        finally:
            lease.release(linger=False)
        try:
            async with asyncio.timeout_at(end), self._slots:
                return await self._decoded(camera_id, frame, data, max_width)
        except TimeoutError as error:
            detail = "the key frame came, but no decoder was done with it in time; try again"
            raise HubError(Kind.BUSY, detail, reason=Reason.BUSY) from error

    async def _decoded(self, camera_id: int, frame: KeyFrame, data: bytes, max_width: int) -> MomentPicture:
        codec = _CODECS.get(frame.codec)
        if codec is None:
            raise HubError(
                Kind.UNSUPPORTED,
                f"codec {frame.codec} cannot be decoded here; set the camera to H.264 or H.265",
                reason=Reason.CODEC_UNSUPPORTED,
            )
        _, jpeg = await self._eyes.look(camera_id, Look(codec, max_width=max_width, quality=QUALITY), data)
        return MomentPicture(datetime.fromtimestamp(frame.received_at, UTC), jpeg)

    def _running(self, camera_id: int, role: Role) -> FeedKey | None:
        """The feed of the preferred stream whose pictures arrive, else of any."""
        for wanted in (role, None):
            for key in self._states.of_camera(camera_id, wanted):
                if self._states.is_live(key):
                    return key
        return None
