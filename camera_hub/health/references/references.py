"""Reference pictures as people read them, give them and have them learnt anew."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from sqlalchemy import select

from camera_hub.access.policy import Actor, require_village
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Param, Reason
from camera_hub.eye.messages import Seen, picture_fault
from camera_hub.health.references.book import ReferenceBook
from camera_hub.health.references.compared_looks import WIDTH
from camera_hub.health.references.learning import DIFFERENCES, PROFILES, Profile, State, given
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera

GivenFrom = Literal["now", "look"]
_SECONDS = 15.0


class FreshLook(Protocol):
    """What is read of a look."""

    @property
    def reason(self) -> str | None: ...
    @property
    def detail(self) -> str: ...
    @property
    def params(self) -> Mapping[str, Param]: ...
    @property
    def seen(self) -> Seen | None: ...
    @property
    def jpeg(self) -> bytes | None: ...


class FreshLooks(Protocol):
    """What is needed of media (decoders.looks)."""

    async def look(
        self, camera_id: int, *, scores: bool, features: bool, jpeg: bool, max_width: int, deadline: float
    ) -> FreshLook: ...


@dataclass(frozen=True, slots=True)
class ReferenceView:
    """A reference. `at`: when its picture was taken, None while it is learnt; `pictures`: how many agreed;
    `set_name`: who gave it, None: it was learnt. `differs_since`: since when most looks differ; `score`: of the last
    that did."""

    state: State
    at: datetime | None
    pictures: int
    set_name: str | None
    differs_since: datetime | None
    score: float | None


@dataclass(frozen=True, slots=True)
class QuestionView:
    """Is this the new normal? `look_at`: when the picture was taken that may be taken as the new reference."""

    profile: Profile
    since: datetime
    score: float
    look_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReferencesView:
    """The references of one camera; None where nothing was learnt yet."""

    camera_id: int
    day: ReferenceView | None
    night: ReferenceView | None
    question: QuestionView | None


class References:
    """The verbs behind api/references. Each raises HubError(NOT_FOUND) for a camera out of scope."""

    def __init__(self, database: Database, clock: Clock, book: ReferenceBook, looks: FreshLooks) -> None:
        self._database = database
        self._clock = clock
        self._book = book
        self._looks = looks

    async def of(self, actor: Actor, camera_id: int) -> ReferencesView:
        """What is known, and what is asked."""
        await self._require(actor, camera_id)
        views = {profile: self._profile(camera_id, profile) for profile in PROFILES}
        return ReferencesView(camera_id, views["day"], views["night"], self._question(camera_id))

    async def questions(self, actor: Actor) -> list[ReferencesView]:
        """All cameras of which something is asked, by their ids."""
        asked = self._book.questioned()
        async with self._database.read() as session:
            rows = await session.execute(select(Camera.id, Camera.village_id).where(Camera.id.in_(asked)))
            mine = sorted(camera_id for camera_id, village_id in rows if actor.sees(village_id))
        return [await self.of(actor, camera_id) for camera_id in mine]

    async def give(self, actor: Actor, camera_id: int, profile: Profile, source: GivenFrom) -> ReferencesView:
        """What the camera shows is right: its picture is the reference from now on. `source`: "now": a fresh one;
        "look": the last one that differed.

        Raises HubError: NOT_FOUND, CONFLICT (REFERENCE_NO_LOOK, REFERENCE_OTHER_PROFILE, REFERENCE_UNFIT),
        STORAGE_FULL, and why there is no fresh picture.
        """
        await self._require(actor, camera_id)
        features, jpeg, at = await (self._fresh if source == "now" else self._looked_at)(camera_id, profile)
        name = (actor.display_name or actor.username)[:64]
        await self._book.give(camera_id, profile, given(features, at, name), jpeg)
        return await self.of(actor, camera_id)

    async def forget(self, actor: Actor, camera_id: int) -> ReferencesView:
        """Learn both anew: the camera was turned on purpose."""
        await self._require(actor, camera_id)
        await self._book.forget(camera_id)
        return await self.of(actor, camera_id)

    async def read(self, actor: Actor, camera_id: int, profile: Profile) -> bytes:
        """The JPEG of a reference. Raises HubError(NOT_FOUND)."""
        await self._require(actor, camera_id)
        jpeg = await self._book.read(camera_id, profile)
        if jpeg is None:
            raise HubError(Kind.NOT_FOUND, "there is no reference picture yet", reason="no_picture")
        return jpeg

    async def read_look(self, actor: Actor, camera_id: int, profile: Profile) -> bytes:
        """The JPEG of the last picture that differed. Raises HubError(NOT_FOUND)."""
        await self._require(actor, camera_id)
        latest = self._book.latest(camera_id, profile)
        if latest is None:
            raise HubError(Kind.NOT_FOUND, "there is no picture that differs", reason="no_picture")
        return latest.jpeg

    async def _looked_at(self, camera_id: int, profile: Profile) -> tuple[str, bytes, datetime]:
        latest = self._book.latest(camera_id, profile)
        if latest is None:
            raise HubError(
                Kind.CONFLICT,
                "no picture that differs is at hand; take a fresh one",
                reason=Reason.REFERENCE_NO_LOOK,
            )
        return latest.features, latest.jpeg, latest.at

    async def _fresh(self, camera_id: int, profile: Profile) -> tuple[str, bytes, datetime]:
        look = await self._looks.look(
            camera_id, scores=True, features=True, jpeg=True, max_width=WIDTH, deadline=_SECONDS
        )
        seen = look.seen
        if seen is None or look.jpeg is None:
            reason = look.reason or Reason.NO_KEY_FRAME
            raise HubError(
                Kind.UNREACHABLE, look.detail or "no picture could be taken", reason=reason, **dict(look.params)
            )
        if seen.profile != profile:
            raise HubError(
                Kind.CONFLICT,
                f"the camera shows a {seen.profile} picture now; wait until the other one is there",
                reason=Reason.REFERENCE_OTHER_PROFILE,
                profile=seen.profile or "",
            )
        fault = picture_fault(seen.scores)
        if seen.reference_features is None or (fault is not None and fault.value not in DIFFERENCES):
            raise HubError(
                Kind.CONFLICT,
                "this picture cannot be a reference: too little can be made out in it",
                reason=Reason.REFERENCE_UNFIT,
                fault=fault or "",
            )
        return seen.reference_features, look.jpeg, self._clock.now()

    async def _require(self, actor: Actor, camera_id: int) -> None:
        async with self._database.read() as session:
            village = await session.scalar(select(Camera.village_id).where(Camera.id == camera_id))
        if village is None:
            raise HubError(Kind.NOT_FOUND, "there is no such camera")
        require_village(actor, village, "camera")

    def _profile(self, camera_id: int, profile: Profile) -> ReferenceView | None:
        known = self._book.profile(camera_id, profile)
        if known.features is None and known.candidate is None:
            return None
        learnt = known.candidate.pictures if known.features is None and known.candidate else known.pictures
        difference = known.difference
        return ReferenceView(
            known.state,
            known.at,
            learnt,
            known.set_name,
            difference.since if difference else None,
            difference.score if difference else None,
        )

    def _question(self, camera_id: int) -> QuestionView | None:
        """One question per camera: that of the profile that has differed longest."""
        found: list[QuestionView] = []
        for profile in PROFILES:
            known, latest = self._book.profile(camera_id, profile), self._book.latest(camera_id, profile)
            if known.asked_at is not None and known.difference is not None:
                since, score = known.difference.since, known.difference.score
                found.append(QuestionView(profile, since, score, latest.at if latest else None))
        return min(found, key=lambda one: one.since, default=None)
