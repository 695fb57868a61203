"""Whether two pictures show the same place: for questions of identity (cameras.matches.proof.PictureComparer).

A device at an address that is not its own yet is pulled once, for one key frame, as a stream that no row has.
"""

import asyncio
from collections.abc import Mapping, Sequence

from camera_hub.cameras.matches.proof import PictureFit, TrialStream
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.eye.messages import Look
from camera_hub.media.decoders.looks import Eyes, Looks
from camera_hub.media.decoders.pictures import Pictures
from camera_hub.media.interface import PullableStream, Quality

LOOK_SECONDS = 15.0
AT_ONCE = 4


class TrialStreams:
    """The streams that are looked at just now, by their (negative) cameras; as `Sources`, it knows no others."""

    def __init__(self) -> None:
        self.streams: dict[int, TrialStream] = {}

    async def choose(self, camera_id: int, quality: Quality, codecs: frozenset[str]) -> PullableStream:
        """The stream of that number. Raises HubError(NOT_FOUND)."""
        if camera_id not in self.streams:
            raise HubError(Kind.NOT_FOUND, "this stream is looked at no longer")
        return self.streams[camera_id]

    async def choose_all(
        self, camera_ids: Sequence[int], quality: Quality, codecs: frozenset[str]
    ) -> Mapping[int, PullableStream | HubError]:
        """As `choose`."""
        return {one: await self.choose(one, quality, codecs) for one in camera_ids}

    def plays(self, stream_id: int) -> None:
        """Nothing is remembered of a trial."""

    def doubt(self, stream_id: int) -> None:
        """Nothing is remembered of a trial."""

    def rest(self, stream_id: int) -> None:
        """Nothing is remembered of a trial."""

    async def learned(self, stream_id: int, codec: str, width: int | None, height: int | None) -> None:
        """Nothing is remembered of a trial."""

    async def peculiar(self, device_id: int, kind: str, value: str) -> None:
        """Nothing is remembered of a trial."""

    async def sync_point(self, stream_id: int) -> None:
        """The device is asked for nothing more."""


class PictureFits:
    """Takes, keeps and compares pictures."""

    def __init__(self, trials: TrialStreams, looks: Looks, eyes: Eyes, pictures: Pictures) -> None:
        self._trials = trials
        self._looks = looks
        self._eyes = eyes
        self._pictures = pictures
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def of_stream(self, match_id: int, stream: TrialStream, camera_id: int) -> PictureFit:
        """One picture of the stream, kept, and how much it is alike to the camera's last one. Never raises for the
        device's sake."""
        async with self._slots:
            self._trials.streams[stream.camera_id] = stream
            try:
                seen = await self._looks.look(stream.camera_id, deadline=LOOK_SECONDS)
            finally:
                self._trials.streams.pop(stream.camera_id, None)
        if seen.jpeg is None:
            return PictureFit(reason=seen.reason or Reason.NO_KEY_FRAME, detail=seen.detail)
        await self._pictures.save_for(match_id, seen.jpeg)
        known = await self._pictures.read(camera_id)
        alike = await self._compared(camera_id, known, stream.camera_id, seen.jpeg) if known is not None else None
        return PictureFit(alike, seen.at)

    async def of_cameras(self, camera_id: int, other_id: int) -> float | None:
        """How much the last pictures of two cameras are alike; None where there is nothing to compare."""
        known, other = await self._pictures.read(camera_id), await self._pictures.read(other_id)
        if known is None or other is None:
            return None
        return await self._compared(camera_id, known, other_id, other)

    async def of_match(self, match_id: int) -> bytes | None:
        """The picture that was kept for a question, None when there is none."""
        return await self._pictures.read_for(match_id)

    async def _compared(self, camera_id: int, known: bytes, other_id: int, other: bytes) -> float | None:
        try:
            seen, _ = await self._eyes.look(camera_id, Look("mjpeg", jpeg=False, outline=True), known)
            if not seen.outline:
                return None
            seen, _ = await self._eyes.look(other_id, Look("mjpeg", jpeg=False, known=seen.outline), other)
        except HubError:  # a person compares them
            return None
        return seen.alike
