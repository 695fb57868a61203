"""Candidates that could not be reached are tried again by themselves: seldom, a few at a time, and with the rights
that who added them has now."""

import asyncio
import logging
from collections import Counter
from datetime import timedelta
from typing import Protocol, Self

from sqlalchemy import select, update

from camera_hub.access.actors import read_actor
from camera_hub.access.policy import Action, Actor, allows
from camera_hub.cameras.intake.wanted import IntakeResult
from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.running import Backoff, ended, keep_running
from camera_hub.store.database import Database
from camera_hub.store.tables import IntakeCandidate

log = logging.getLogger(__name__)

EVERY = 60.0
"""Seconds between two looks for candidates that are due."""
PER_VILLAGE = 4
AT_ONCE = 8
"""How many are tried at one look; the others follow at the next ones."""
_PUT_OFF = timedelta(hours=1)


class Trying(Protocol):
    """What this needs of the intake."""

    async def try_again(self, actor: Actor, candidate_id: int) -> IntakeResult:
        """Try to register a candidate now. Raises HubError."""
        ...


class CandidateRetries:
    """An async context manager: while it is entered, candidates are tried when they are due."""

    def __init__(self, database: Database, clock: Clock, intake: Trying) -> None:
        self._database = database
        self._clock = clock
        self._intake = intake
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        work = keep_running("candidates", self._run, clock=self._clock, backoff=Backoff(first=5.0, cap=60.0))
        self._task = asyncio.create_task(work, name="candidates")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            await ended(self._task)

    async def _run(self) -> None:
        while True:
            await self.try_due()
            await self._clock.sleep(EVERY)

    async def try_due(self) -> int:
        """Try what is due, as far as the limits allow; the number that was tried."""
        now = self._clock.now()
        due = (
            select(IntakeCandidate.id, IntakeCandidate.village_id, IntakeCandidate.added_by)
            .where(IntakeCandidate.next_try_at <= now)
            .order_by(IntakeCandidate.next_try_at, IntakeCandidate.id)
            .limit(512)
        )
        actors: dict[int | None, Actor | None] = {None: None}
        of_village: Counter[int] = Counter()
        chosen: list[tuple[int, Actor]] = []
        orphaned: list[int] = []
        async with self._database.read() as session:
            for candidate_id, village_id, user_id in (await session.execute(due)).all():
                if user_id is not None and user_id not in actors:
                    reading = await read_actor(session, user_id, now)
                    actors[user_id] = reading.actor if reading is not None else None
                actor = actors[user_id]
                if actor is None or not allows(actor, Action.INTAKE, village_id):
                    orphaned.append(candidate_id)
                elif len(chosen) < AT_ONCE and of_village[village_id] < PER_VILLAGE:
                    of_village[village_id] += 1
                    chosen.append((candidate_id, actor))
        if orphaned:  # who added it may no longer: somebody else has to ask
            async with self._database.write() as session:
                await session.execute(
                    update(IntakeCandidate).where(IntakeCandidate.id.in_(orphaned)).values(next_try_at=None)
                )
        async with asyncio.TaskGroup() as group:
            for candidate_id, actor in chosen:
                group.create_task(self._try(actor, candidate_id), name=f"candidate {candidate_id}")
        return len(chosen)

    async def _try(self, actor: Actor, candidate_id: int) -> None:
        try:
            await self._intake.try_again(actor, candidate_id)
        except HubError as error:  # dismissed meanwhile, without its profile, or a failure of the hub
            log.info("the candidate %d was not tried: %s", candidate_id, error.reason)
            await self._put_off(candidate_id)

    async def _put_off(self, candidate_id: int) -> None:
        """Else what cannot be tried would always be due, and keep the others waiting."""
        later = self._clock.now() + _PUT_OFF
        due = IntakeCandidate.next_try_at <= self._clock.now()
        try:
            async with self._database.write() as session:
                await session.execute(
                    update(IntakeCandidate).where(IntakeCandidate.id == candidate_id, due).values(next_try_at=later)
                )
        except HubError as error:
            log.warning("the candidate %d cannot be put off: %s", candidate_id, error)
