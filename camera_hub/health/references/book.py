"""What is known of the reference pictures of every camera: in memory, and stored every few seconds.

Votes of the last seconds before a crash are lost, and cast again by the next looks. A reference belongs to the channel
of the device that took it: a camera that goes on with another one learns anew.
"""

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, Self

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.clock import Clock
from camera_hub.events import CameraChanged, EventBus
from camera_hub.eye.messages import Seen
from camera_hub.health.alarm_pictures.recent import SeenPicture
from camera_hub.health.references.learning import (
    PROFILES,
    RELATIVE,
    Difference,
    Evidence,
    LearningRules,
    Profile,
    ProfileReference,
    ReferenceCandidate,
    comparing,
    learnt,
)
from camera_hub.running import keep_running, running
from camera_hub.store.database import Database
from camera_hub.store.picture_files import PictureFiles
from camera_hub.store.tables import Camera, ReferencePicture

STORE_EVERY = 5.0
SWEEP_EVERY = 3600.0
JPEGS_WAITING = 200
"""Pictures of new references that wait to be stored; the rest of them go without, and are counted."""

Key = tuple[int, Profile]


class HomeWatch(Protocol):
    """What is needed to know of cameras that can be steered (cameras.ptz)."""

    def at_home(self, camera_id: int) -> bool | None:
        """Whether it stands at its home position; None: nobody knows."""
        ...


@dataclass(frozen=True, slots=True)
class Compared:
    """What a look is compared with: references by profile. `trials`: profiles whose reference is only a candidate.
    `at_home`: whether the camera looks where its references were taken. `features`: it may be learnt from."""

    references: dict[str, str]
    trials: frozenset[str] = frozenset()
    at_home: bool = True
    features: bool = False


@dataclass(frozen=True, slots=True)
class LatestPicture:
    """The last picture of a profile that differed, which a person may take as the new reference."""

    features: str
    jpeg: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class _Subject:
    source: str
    steerable: bool


class ReferenceBook:
    """The references of all cameras; an async context manager. `unpictured` counts references without their JPEG,
    because too many were learnt at once."""

    def __init__(
        self,
        database: Database,
        files: PictureFiles,
        bus: EventBus,
        clock: Clock,
        rules: LearningRules,
        home: HomeWatch,
    ) -> None:
        self._database = database
        self._files = files
        self._bus = bus
        self._clock = clock
        self._rules = rules
        self._home = home
        self._known: dict[Key, ProfileReference] = {}
        self._subjects: dict[int, _Subject] = {}
        self._latest: dict[Key, LatestPicture] = {}
        self._profiles: dict[int, Profile] = {}  # of the last look
        self._dirty: dict[Key, bytes | None] = {}
        self._changed: set[int] = set()
        self._storing = asyncio.Lock()
        self._stack = AsyncExitStack()
        self.unpictured = 0

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            subscription = stack.enter_context(self._bus.subscribe(CameraChanged, limit=4096))
            await self._load()

            async def follow() -> None:
                async for event in subscription:
                    self._changed |= {event.camera_id} if isinstance(event, CameraChanged) else set(self._subjects)

            for name, work in (
                ("camera changes for references", follow),
                ("storing references", self._store_again),
                ("sweeping reference pictures", self._sweep_again),
            ):
                await stack.enter_async_context(running(keep_running(name, work, clock=self._clock), name))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        await self.store()

    def of(self, camera_id: int) -> Compared:
        """What the next look at the camera is compared with."""
        subject = self._subjects.get(camera_id)
        if subject is None:
            return Compared({}, at_home=False)
        if subject.steerable and self._home.at_home(camera_id) is not True:
            return Compared({}, at_home=False)
        now = self._clock.now()
        questions = {of: comparing(self.profile(camera_id, of), now, self._rules) for of in PROFILES}
        expected = self._profiles.get(camera_id)
        # What the other profile wants is asked once it is there: else every look by day would be asked for the night.
        wants = [one.features for of, one in questions.items() if expected in (None, of)]
        return Compared(
            {of: one.features_of for of, one in questions.items() if one.features_of is not None},
            frozenset(of for of, one in questions.items() if one.trial),
            features=any(wants),
        )

    def learn(self, camera_id: int, compared: Compared, seen: Seen, jpeg: bytes | None, at: datetime) -> Seen:
        """Learn from a look. Returns what may be judged of it: not what only a candidate says."""
        if seen.profile is None or camera_id not in self._subjects:
            return seen
        key = (camera_id, seen.profile)
        self._profiles[camera_id] = seen.profile
        if compared.at_home:
            before = self.profile(*key)
            evidence = Evidence(at, seen.scores, seen.reference_features)
            known = learnt(before, evidence, seen.profile in compared.trials, self._rules)
            if known != before:
                self._put(key, known, jpeg if known.features != before.features else None)
            if known.difference is not None and evidence.features and jpeg:
                self._latest[key] = LatestPicture(evidence.features, jpeg, at)
            elif known.difference is None:
                self._latest.pop(key, None)
        if seen.profile not in compared.trials:
            return seen
        return replace(seen, scores={kind: score for kind, score in seen.scores.items() if kind not in RELATIVE})

    def profile(self, camera_id: int, profile: Profile) -> ProfileReference:
        """What is known of one profile of a camera."""
        return self._known.get((camera_id, profile), ProfileReference())

    def latest(self, camera_id: int, profile: Profile) -> LatestPicture | None:
        """The last picture that differed."""
        return self._latest.get((camera_id, profile))

    def questioned(self) -> list[int]:
        """The cameras of which something is asked."""
        return sorted({camera_id for (camera_id, _), known in self._known.items() if known.state == "questioned"})

    async def reference_of(self, camera_id: int, profile: str | None) -> SeenPicture | None:
        """The reference picture that pictures of this profile are compared with."""
        of = next((one for one in PROFILES if one == profile), None)
        known = self.profile(camera_id, of) if of is not None else ProfileReference()
        jpeg = await self.read(camera_id, of) if of is not None and known.at is not None else None
        return SeenPicture(known.at, jpeg, {}, of) if jpeg is not None and known.at is not None else None

    async def give(self, camera_id: int, profile: Profile, known: ProfileReference, jpeg: bytes) -> None:
        """A person gave a reference: it is stored at once. The other profile's, where it differs, too, is learnt anew.
        Raises HubError(STORAGE_FULL)."""
        other = next(one for one in PROFILES if one != profile)
        moved = self.profile(camera_id, profile).difference is not None
        self._put((camera_id, profile), known, jpeg)
        if moved and self.profile(camera_id, other).features is not None:
            self._put((camera_id, other), ProfileReference(), None)
        await self.store()

    async def forget(self, camera_id: int) -> None:
        """Learn both anew."""
        for profile in PROFILES:
            if (camera_id, profile) in self._known:
                self._put((camera_id, profile), ProfileReference(), None)
        await self.store()

    async def read(self, camera_id: int, profile: Profile) -> bytes | None:
        """The JPEG of a reference; None where there is none."""
        async with self._database.read() as session:
            row = await session.scalar(_row(camera_id, profile))
        return await self._files.read(row.id) if row is not None and row.size else None

    async def store(self) -> None:
        """Write what has changed."""
        async with self._storing:
            await self._refresh()
            dirty, self._dirty = self._dirty, {}
            if not dirty:
                return
            try:
                await self._write(dirty)
            except BaseException:
                self._dirty = dirty | self._dirty
                raise

    def _put(self, key: Key, known: ProfileReference, jpeg: bytes | None) -> None:
        self._known[key] = known
        self._latest.pop(key, None)
        if jpeg is None:
            self._dirty.setdefault(key, None)
            if known.features is None:
                self._dirty[key] = None
        elif sum(one is not None for one in self._dirty.values()) >= JPEGS_WAITING:
            self.unpictured += 1
            self._dirty[key] = None
        else:
            self._dirty[key] = jpeg

    async def _write(self, dirty: dict[Key, bytes | None]) -> None:
        emptied: list[int] = []
        async with self._database.write() as session:
            cameras = {camera_id for camera_id, _ in dirty}
            found = {
                (row.camera_id, row.profile): row
                for row in await session.scalars(
                    select(ReferencePicture).where(ReferencePicture.camera_id.in_(cameras))
                )
            }
            alive = set(await session.scalars(select(Camera.id).where(Camera.id.in_(cameras))))
            for key, jpeg in dirty.items():
                camera_id, profile = key
                known, subject = self._known.get(key, ProfileReference()), self._subjects.get(camera_id)
                if camera_id not in alive or subject is None:
                    continue
                row = found.get((camera_id, profile))
                if row is None:
                    row = ReferencePicture(camera_id=camera_id, profile=profile, source=subject.source, size=0)
                    session.add(row)
                replaced = row.at != known.at
                _fill(row, known, subject.source)
                await session.flush()
                if jpeg is not None:
                    await self._files.write(row.id, jpeg)  # before the commit: a row always has its file
                    row.size = len(jpeg)
                elif replaced and row.size:
                    emptied.append(row.id)
                    row.size = 0
        await self._files.delete(emptied)

    async def _refresh(self) -> None:
        """Read again which device's channel these cameras are; another one learns anew."""
        changed, self._changed = self._changed, set()
        if not changed:
            return
        try:
            async with self._database.read() as session:
                subjects = await _subjects(session, changed)
        except BaseException:
            self._changed |= changed
            raise
        for camera_id in changed:
            before, now = self._subjects.get(camera_id), subjects.get(camera_id)
            if now is None:
                self._subjects.pop(camera_id, None)
                self._profiles.pop(camera_id, None)
                for profile in PROFILES:
                    self._known.pop((camera_id, profile), None)
                    self._latest.pop((camera_id, profile), None)
                    self._dirty.pop((camera_id, profile), None)
                continue
            self._subjects[camera_id] = now
            if before is not None and before.source != now.source:
                for profile in PROFILES:
                    if (camera_id, profile) in self._known:
                        self._put((camera_id, profile), ProfileReference(), None)

    async def _load(self) -> None:
        async with self._database.read() as session:
            self._subjects = await _subjects(session, None)
            rows = list(await session.scalars(select(ReferencePicture)))
        for row in rows:
            subject = self._subjects.get(row.camera_id)
            profile = next((one for one in PROFILES if one == row.profile), None)
            if subject is None or profile is None:
                continue
            self._known[row.camera_id, profile] = _read(row)
            if row.source != subject.source:
                self._put((row.camera_id, profile), ProfileReference(), None)
        await self.sweep()

    async def sweep(self) -> int:
        """Delete files whose rows are gone with their cameras. Returns their number."""
        if not await self._files.any():
            return 0
        async with self._storing:
            async with self._database.read() as session:
                known = set(await session.scalars(select(ReferencePicture.id).where(ReferencePicture.size > 0)))
            return await self._files.sweep(known)

    async def _store_again(self) -> None:
        while True:
            await self._clock.sleep(STORE_EVERY)
            await self.store()

    async def _sweep_again(self) -> None:
        while True:
            await self._clock.sleep(SWEEP_EVERY)
            await self.sweep()


def _row(camera_id: int, profile: str) -> Select[ReferencePicture]:
    return select(ReferencePicture).where(ReferencePicture.camera_id == camera_id, ReferencePicture.profile == profile)


async def _subjects(session: AsyncSession, ids: Iterable[int] | None) -> dict[int, _Subject]:
    """By camera; `ids`: None: all."""
    query = select(Camera.id, Camera.device_id, Camera.channel, Camera.ptz)
    if ids is not None:
        query = query.where(Camera.id.in_(list(ids)))
    return {
        camera_id: _Subject(f"{device_id}/{channel}", steerable)
        for camera_id, device_id, channel, steerable in await session.execute(query)
    }


def _fill(row: ReferencePicture, known: ProfileReference, source: str) -> None:
    candidate, difference = known.candidate, known.difference
    row.source, row.features, row.at = source, known.features, known.at
    row.pictures, row.set_name, row.asked_at = known.pictures, known.set_name, known.asked_at
    row.candidate = candidate.features if candidate else None
    row.candidate_at = candidate.at if candidate else None
    row.candidate_counted_at = candidate.counted_at if candidate else None
    row.candidate_votes = candidate.votes if candidate else 0
    row.candidate_pictures = candidate.pictures if candidate else 0
    row.differs_since = difference.since if difference else None
    row.differs_share = difference.share if difference else None
    row.differs_score = difference.score if difference else None


def _read(row: ReferencePicture) -> ProfileReference:
    candidate = difference = None
    if row.candidate is not None and row.candidate_at is not None and row.candidate_counted_at is not None:
        candidate = ReferenceCandidate(
            row.candidate, row.candidate_at, row.candidate_counted_at, row.candidate_votes, row.candidate_pictures
        )
    if row.differs_since is not None:
        difference = Difference(row.differs_since, row.differs_share or 1.0, row.differs_score or 0.0)
    return ProfileReference(row.features, row.at, row.pictures, row.set_name, candidate, difference, row.asked_at)
