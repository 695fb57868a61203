"""What is known of a run beside its row: its itinerary, its dead cameras, and which stops are offered once more."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.cameras.ptz.state import PresetPlace
from camera_hub.patrol.runs import timetable
from camera_hub.patrol.runs.dead_cameras import FeedReasons, dead_cameras
from camera_hub.patrol.runs.itinerary import Itineraries, Itinerary, dwells, usable
from camera_hub.patrol.runs.run_proof import RunProof
from camera_hub.patrol.runs.timetable import Cursor, Stops
from camera_hub.store.tables import Run


class PresetPlaces(Protocol):
    """What is needed of whoever knows where cameras point (cameras.ptz.tours)."""

    def placed(self, run_id: int, camera_id: int, token: str) -> PresetPlace | None: ...


@dataclass(frozen=True, slots=True)
class RunSituation:
    """`dead`: cameras that cannot be shown, each with its reason, also those of other runs. `stops`: see there.
    `places`: of the cameras that the present stop shows at a preset, whether they are there, as far as that is known.
    """

    itinerary: Itinerary
    dead: Mapping[int, str]
    stops: Stops
    places: Mapping[int, PresetPlace] = field(default_factory=dict)

    def showable(self, position: int) -> list[int]:
        """The cameras of that stop that can be shown."""
        return [camera for camera in self.itinerary[position].ids if camera not in self.dead]


class Situations:
    """Reads situations. `early` false: what is offered is needed only of patrols whose stops are over."""

    def __init__(self, feeds: FeedReasons, proof: RunProof, presets: PresetPlaces | None = None) -> None:
        self._feeds = feeds
        self._proof = proof
        self._presets = presets
        self._itineraries = Itineraries()

    async def itinerary(self, session: AsyncSession, run_id: int) -> Itinerary:
        """The itinerary of a run that exists."""
        return await self._itineraries.of(session, run_id)

    async def of_one(self, session: AsyncSession, run: Run) -> RunSituation:
        """Of one run."""
        return (await self.of(session, [run]))[run.id]

    async def of(self, session: AsyncSession, runs: Collection[Run], *, early: bool = True) -> dict[int, RunSituation]:
        """Of each of the runs; one statement for the cameras of all."""
        itineraries = {run.id: await self._itineraries.of(session, run.id) for run in runs}
        dead = await self.dead(session, *itineraries.values())
        return {
            run.id: RunSituation(
                itineraries[run.id],
                dead,
                stops_of(
                    itineraries[run.id],
                    dead,
                    await self._offered(session, run, dead)
                    if not run.loop and (early or run.lap >= timetable.AGAIN)
                    else frozenset(),
                ),
                self.places(run, itineraries[run.id]),
            )
            for run in runs
        }

    def places(self, run: Run, itinerary: Itinerary) -> dict[int, PresetPlace]:
        """Of the cameras that the run's present stop shows at a preset; nothing is read."""
        found = dict[int, PresetPlace]()
        if self._presets is None or run.state not in ("running", "paused") or run.position >= len(itinerary):
            return found
        for one in itinerary[run.position].presets:
            if (place := self._presets.placed(run.id, one.camera_id, one.token)) is not None:
                found[one.camera_id] = place
        return found

    async def going_on(self, session: AsyncSession, runs: Collection[Run]) -> list[Run]:
        """Those of the runs that have not ended. One that is at no stop of its itinerary was tampered with: nothing is
        done with it, or no other one could go on."""
        going = [run for run in runs if run.state != "ended"]
        return [run for run in going if 0 <= run.position < len(await self._itineraries.of(session, run.id))]

    async def overdue(self, session: AsyncSession, runs: Collection[Run], now: datetime) -> list[int]:
        """Those of the runs that are not where their timetable has them."""
        found = []
        for run in await self.going_on(session, runs):
            due = timetable.due(stops_of(await self._itineraries.of(session, run.id), {}), cursor_of(run))
            if due is not None and due <= now:
                found.append(run.id)
        return found

    async def dead(self, session: AsyncSession, *itineraries: Itinerary) -> dict[int, str]:
        """Those cameras of the itineraries that cannot be shown."""
        cameras = {camera for itinerary in itineraries for stop in itinerary for camera in stop.ids}
        return await dead_cameras(session, cameras, self._feeds) if cameras else {}

    async def _offered(self, session: AsyncSession, run: Run, dead: Mapping[int, str]) -> frozenset[int]:
        back = {
            position
            for position, cameras in (await self._proof.excused(session, run.id)).items()
            if any(camera not in dead for camera in cameras)
        }
        return frozenset(await self._proof.open_positions(session, run.id)) | back


def stops_of(itinerary: Itinerary, dead: Mapping[int, str], offered: frozenset[int] = frozenset()) -> Stops:
    """The stops as the timetable sees them."""
    return Stops(dwells(itinerary), usable(itinerary, dead), offered)


def cursor_of(run: Run) -> Cursor:
    """The moving part of the row."""
    return Cursor(
        run.state,
        run.position,
        run.lap,
        run.anchor_at,
        run.elapsed_s,
        run.extended_s,
        run.loop,
        run.pause_reason,
        run.end_reason,
    )
