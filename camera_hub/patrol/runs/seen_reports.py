"""Takes what pages report of the cameras that they showed."""

from collections.abc import Sequence

from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.patrol import township
from camera_hub.patrol.runs import visibility
from camera_hub.patrol.runs.keeper import RunKeeper
from camera_hub.patrol.runs.visibility import Sighting
from camera_hub.store.database import Database


class SeenReports:
    """Implements api.live.RunReports."""

    def __init__(self, database: Database, clock: Clock, keeper: RunKeeper) -> None:
        self._database = database
        self._clock = clock
        self._keeper = keeper

    async def report(self, actor: Actor, run_id: int, sequence: int, sightings: Sequence[Sighting]) -> None:
        """Record what a page showed of a step. Impossible claims are cut to what is possible, late ones ignored."""
        if not township.sees(actor):
            return
        async with self._database.read() as session:
            now = self._clock.now()
            step = await visibility.open_for_reports(session, run_id, sequence, now)
            if step is None or not await visibility.find_changes(session, step, sightings, now):
                return
        async with self._keeper.writing() as session:
            now = self._clock.now()
            step = await visibility.open_for_reports(session, run_id, sequence, now)
            if step is not None:
                for row, seconds, gap in await visibility.find_changes(session, step, sightings, now):
                    visibility.apply_change(row, seconds, gap, step, now)
