"""Plans, built and connected: when tours fall due, and what came of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from camera_hub.api import occurrences, plans
from camera_hub.api.live_changes import SharedReader
from camera_hub.api.schemas.media import Topic
from camera_hub.patrol.plans.figures import PatrolStatistics
from camera_hub.patrol.plans.making import OccurrenceMaker
from camera_hub.patrol.plans.occurrences import RunStarter, TourOccurrences
from camera_hub.patrol.plans.overview import PlanOverview
from camera_hub.patrol.plans.plans import Plans
from camera_hub.patrol.plans.special_periods import SpecialPeriods
from camera_hub.wiring.core import CoreParts
from camera_hub.wiring.rooms import Parts


@dataclass(frozen=True, slots=True)
class PlanParts:
    """What others need of plans."""

    plans: Plans
    periods: SpecialPeriods
    occurrences: TourOccurrences
    statistics: PatrolStatistics
    overview: PlanOverview

    def parts(self) -> Parts:
        """By their types, for routes."""
        return {
            Plans: self.plans,
            SpecialPeriods: self.periods,
            TourOccurrences: self.occurrences,
            PatrolStatistics: self.statistics,
            PlanOverview: self.overview,
        }

    def live(self) -> dict[Topic, SharedReader]:
        """By topic, for pages."""
        return {"plan": plans.live(self.plans), "occurrence": occurrences.live(self.occurrences)}


@asynccontextmanager
async def plan_parts(core: CoreParts, runs: RunStarter) -> AsyncIterator[PlanParts]:
    """Plans, with what follows their due times running."""
    clock, bus, database, zone = core.clock, core.bus, core.database, core.zone
    maker = OccurrenceMaker(database, zone, timedelta(hours=core.settings.patrol.missed_hours))
    async with TourOccurrences(database, bus, clock, maker, runs) as due:
        yield PlanParts(
            Plans(database, bus, clock, maker, zone),
            SpecialPeriods(database, bus, clock, maker, zone),
            due,
            PatrolStatistics(database, clock),
            PlanOverview(database, clock, zone),
        )
