"""A township with sealed patrols: rows as the engine and the proof leave them, without running anything."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.audit.anchor import FILE_NAME, AnchorFile
from camera_hub.access.audit.chain import AuditChain
from camera_hub.access.audit.verify import AuditReport, AuditVerifier
from camera_hub.access.policy import Actor, Role
from camera_hub.access.vault import Vault
from camera_hub.api.record_words import both_words
from camera_hub.events import EventBus
from camera_hub.patrol.records.reviews import RecordReviews
from camera_hub.patrol.records.seal import PatrolSeal
from camera_hub.patrol.records.verify import patrol_kinds
from camera_hub.settings import Settings
from camera_hub.store.database import Database
from camera_hub.store.picture_files import PictureFiles
from camera_hub.store.tables import Finding, Run, RunEvent, RunPicture, RunResult, RunStep, RunStepCamera, Tour, User
from tests.fakes.clock import ManualClock
from tests.fakes.site import add_village

WORDS = both_words(Settings())
STOPS = 4
RESULTS = ("normal", "abnormal", "excused", "normal")


class OneSession(Database):
    """A database as one transaction sees it."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self.is_sqlite = True  # or each snapshot would ask for a transaction of its own

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        self._session.expunge_all()
        yield self._session


@dataclass
class SealedSite:
    """A database, a data folder, and the parts that seal, review and verify."""

    database: Database
    clock: ManualClock
    folder: Path
    bus: EventBus = field(default_factory=EventBus)
    cameras: list[int] = field(default_factory=list)
    village: int = 0
    operator: Actor = field(init=False)
    leader: Actor = field(init=False)
    admin: Actor = field(init=False)

    @property
    def vault(self) -> Vault:
        return Vault.open_or_create(self.folder / "vault.key")

    @property
    def anchor(self) -> AnchorFile:
        return AnchorFile(self.folder / FILE_NAME)

    @property
    def pictures(self) -> PictureFiles:
        return PictureFiles(self.folder / "patrol-pictures")

    def chain(self) -> AuditChain:
        return AuditChain(self.database, self.vault, self.clock, self.anchor)

    def reviews(self, chain: AuditChain) -> RecordReviews:
        return RecordReviews(self.database, self.bus, self.clock, chain)

    async def verify(self) -> AuditReport:
        kinds = patrol_kinds(self.database, self.pictures, WORDS)
        return await AuditVerifier(self.database, self.vault, self.anchor, kinds).verify()

    async def build(self) -> None:
        """Cameras and users."""
        self.cameras = await add_village(self.database, self.clock, "东沟村", STOPS)
        async with self.database.write() as session:
            self.village = (await session.execute(text("SELECT min(id) FROM villages"))).scalar_one()
            actors = {}
            for name, role in (("zhang", Role.OPERATOR), ("li", Role.LEADER), ("wang", Role.TOWNSHIP_ADMIN)):
                user = User(
                    username=name, display_name=name, role=role.value, all_villages=True, password_hash="-",
                    created_at=self.clock.now(),
                )  # fmt: skip
                session.add(user)
                await session.flush()
                actors[name] = Actor(user.id, name, name, role)
        self.operator, self.leader, self.admin = actors["zhang"], actors["li"], actors["wang"]

    async def patrol(
        self, chain: AuditChain, *, sealed: bool = True, end: str | None = "submitted", loop: bool = False
    ) -> int:
        """A patrol of STOPS stops: the second camera abnormal with a finding, the third excused. `end`: how it ended
        (runs.end_reason); `loop`: a presentation, of which nobody asks a proof."""
        now = self.clock.now()
        async with self.database.write() as session:
            tour = Tour(name="重点路段", created_at=now)
            session.add(tour)
            await session.flush()
            itinerary = [
                {"position": n, "dwell_s": 15, "name": f"站{n}", "note": "", "layout": "1", "preset": None,
                 "key": n == 0, "cameras": [{"id": camera, "name": f"相机{n}", "village": "东沟村"}]}
                for n, camera in enumerate(self.cameras)
            ]  # fmt: skip
            run = Run(
                tour_id=tour.id, tour_name=tour.name, itinerary=itinerary, state="ended", anchor_at=now,
                started_by=self.operator.user_id, started_name="张三", started_at=now, ended_at=now,
                operator_id=self.operator.user_id, operator_name="张三", end_reason=end, loop=loop, steps=STOPS,
                shown=STOPS,
            )  # fmt: skip
            session.add(run)
            await session.flush()
            for n, camera in enumerate(self.cameras):
                at = now + timedelta(seconds=15 * n)
                step = RunStep(
                    run_id=run.id, sequence=n, lap=0, position=n, name=f"站{n}", outcome="shown", started_at=at,
                    ended_at=at + timedelta(seconds=15), shown_s=15.0,
                )  # fmt: skip
                session.add(step)
                await session.flush()
                session.add(RunStepCamera(step_id=step.id, camera_id=camera, visible_s=12.5))
                picture, sha256 = await self._picture(session, run.id, "moment", f"picture {n}".encode())
                session.add(
                    RunResult(
                        run_id=run.id, position=n, camera_id=camera, result=RESULTS[n], seen_s=12.5, seen_at=at,
                        visits=1, step_id=step.id, picture=picture, picture_at=at, sha256=sha256,
                        confirmed_by=self.operator.user_id, confirmed_name="张三", confirmed_at=at,
                        words="积水" if n == 1 else "", cause="no_media" if n == 2 else None,
                        reference=7 if n == 2 else None,
                    )
                )  # fmt: skip
            picture, sha256 = await self._picture(session, run.id, "finding", b"flood")
            session.add(
                Finding(
                    run_id=run.id, position=1, camera_id=self.cameras[1], village_id=self.village, category="flood",
                    words="桥下积水", at=now, user_id=self.operator.user_id, user_name="张三", picture=picture,
                    picture_at=now, sha256=sha256,
                )
            )  # fmt: skip
            session.add(RunEvent(run_id=run.id, at=now, kind="paused", position=2, user_name="张三", detail={"s": 2.0}))
            await session.flush()
            if sealed:
                await PatrolSeal(chain).patrol(session, run.id)
        return run.id

    async def _picture(self, session: AsyncSession, run_id: int, kind: str, jpeg: bytes) -> tuple[int, str]:
        row = RunPicture(run_id=run_id, kind=kind, kept_at=self.clock.now(), size=len(jpeg))
        session.add(row)
        await session.flush()
        await self.pictures.write(row.id, jpeg)
        return row.id, hashlib.sha256(jpeg).hexdigest()

    async def tampered(self, *statements: str) -> AuditReport:
        """What verifying finds after these statements, which are then taken back."""
        async with self.database.engine.connect() as connection, AsyncSession(connection) as session:
            for statement in statements:
                await session.execute(text(statement))
            one = OneSession(session)
            found = await AuditVerifier(one, self.vault, self.anchor, patrol_kinds(one, self.pictures, WORDS)).verify()
            await session.rollback()
        return found

    async def sql(self, *statements: str) -> None:
        """What somebody with the database's password can do."""
        async with self.database.write() as session:
            for statement in statements:
                await session.execute(text(statement))

    async def rows(self, query: str) -> list[Any]:
        async with self.database.read() as session:
            return list((await session.execute(text(query))).all())
