"""Looks as rounds make them: compared with the camera's references, learnt from, and with a picture where one counts.

A picture is encoded only where somebody will want it: of a fault, of a camera with an open alarm (one of them proves
its repair), of what may become a reference, and once an hour of a camera that is well (its last good picture).
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from camera_hub.clock import Clock
from camera_hub.eye.messages import Seen, picture_fault
from camera_hub.health.alarm_pictures.recent import RecentPictures, SeenPicture
from camera_hub.health.references.book import Compared

WIDTH = 1280
"""Pixels, at most, of a picture that is kept."""
STORE_EVERY = timedelta(hours=1)


class TakenLook(Protocol):
    """What is read of a look that media took, a frozen dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def reason(self) -> str | None: ...
    @property
    def seen(self) -> Seen | None: ...
    @property
    def jpeg(self) -> bytes | None: ...


Look = TypeVar("Look", bound=TakenLook)
Look_co = TypeVar("Look_co", bound=TakenLook, covariant=True)


class MediaLooks(Protocol[Look_co]):
    """What is needed of media (decoders.looks)."""

    async def look(
        self,
        camera_id: int,
        *,
        scores: bool,
        memory: str | None,
        references: Mapping[str, str],
        at_home: bool,
        features: bool,
        jpeg: bool,
        jpeg_of_faults: bool,
        max_width: int,
        deadline: float,
    ) -> Look_co: ...

    def feed_reason(self, camera_id: int) -> tuple[str, str | None] | None: ...


class KnownReferences(Protocol):
    """What is needed of the book."""

    def of(self, camera_id: int) -> Compared: ...
    def learn(self, camera_id: int, compared: Compared, seen: Seen, jpeg: bytes | None, at: datetime) -> Seen: ...


class Trouble(Protocol):
    """What is needed of health.alarm_pictures.keeper."""

    def has_trouble(self, camera_id: int) -> bool: ...


class LastPictures(Protocol):
    """What is needed of media (decoders.pictures)."""

    async def save(self, camera_id: int, jpeg: bytes, at: datetime) -> None: ...


class ComparedLooks(Generic[Look]):
    """What rounds look with (rounds.inspector.CameraLooks)."""

    def __init__(
        self,
        media: MediaLooks[Look],
        references: KnownReferences,
        trouble: Trouble,
        recent: RecentPictures,
        last: LastPictures,
        clock: Clock,
    ) -> None:
        self._media = media
        self._references = references
        self._trouble = trouble
        self._recent = recent
        self._last = last
        self._clock = clock
        self._stored_at: dict[int, datetime] = {}

    async def look(
        self, camera_id: int, *, scores: bool = False, memory: str | None = None, jpeg: bool = True, deadline: float
    ) -> Look:
        """One key frame of the camera, judged by what it should look like. See MediaLooks."""
        compared = self._references.of(camera_id)
        trouble, now = self._trouble.has_trouble(camera_id), self._clock.now()
        due = scores and now - self._stored_at.get(camera_id, now - STORE_EVERY) >= STORE_EVERY
        features = scores and compared.features
        look = await self._media.look(
            camera_id,
            scores=scores,
            memory=memory,
            references=compared.references,
            at_home=compared.at_home,
            features=features,
            jpeg=jpeg or trouble or due or features,
            jpeg_of_faults=scores,
            max_width=WIDTH,
            deadline=deadline,
        )
        seen, at = look.seen, self._clock.now()
        if seen is None:
            return look
        if scores:
            seen = self._references.learn(camera_id, compared, seen, look.jpeg, at)
        if look.jpeg is not None:
            fault = picture_fault(seen.scores)
            picture = SeenPicture(at, look.jpeg, seen.scores, seen.profile)
            if fault is not None or trouble:
                self._recent.put(camera_id, picture, good=fault is None)
            if due and fault is None and look.reason is None:
                self._stored_at[camera_id] = at
                await self._last.save(camera_id, look.jpeg, at)
        return replace(look, seen=seen)

    def feed_reason(self, camera_id: int) -> tuple[str, str | None] | None:
        """(phase, reason) of the camera's running feed. Of a camera with an open alarm nothing is told, so that it is
        looked at: only a picture proves that it is well again."""
        return None if self._trouble.has_trouble(camera_id) else self._media.feed_reason(camera_id)
