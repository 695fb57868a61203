"""What runs need of whoever keeps the proof of a patrol (patrol.proof), and the answer for runs that ask for none."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.patrol.runs.itinerary import Itinerary, ItineraryStop
from camera_hub.store.tables import Run, RunStep


@dataclass(frozen=True, slots=True)
class ResultCounts:
    """How many results of a patrol (one per camera and stop) are …"""

    open: int = 0
    normal: int = 0
    abnormal: int = 0
    excused: int = 0


class RunProof(Protocol):
    """Called for patrols, never for loops, and always inside the caller's transaction, which moves the run."""

    async def begin(self, session: AsyncSession, run: Run, itinerary: Itinerary) -> None:
        """The patrol has got its id; none of its stops has begun."""
        ...

    async def left(
        self, session: AsyncSession, run: Run, step: RunStep, stop: ItineraryStop, dead: Mapping[int, str]
    ) -> None:
        """The stop is over, or was skipped (step.outcome). `dead`: cameras that cannot be shown, each with its reason,
        also those of other stops."""
        ...

    async def open_positions(self, session: AsyncSession, run_id: int) -> Collection[int]:
        """Positions of which at least one camera's result is open."""
        ...

    async def excused(self, session: AsyncSession, run_id: int) -> Mapping[int, Collection[int]]:
        """The cameras that are excused, by position: one that is back is offered again."""
        ...

    async def counts(self, session: AsyncSession, run_ids: Collection[int]) -> Mapping[int, ResultCounts]:
        """Of those of the runs that have results."""
        ...

    async def may_submit(self, session: AsyncSession, run: Run) -> None:
        """Raises HubError(CONFLICT, still_open) that names what is open."""
        ...

    async def ended(self, session: AsyncSession, run: Run) -> None:
        """The patrol has ended, however (run.end_reason): its row, lines and events are as they will stay. Called last
        in the transaction."""
        ...


class NoProof:
    """Asks nothing. For tests, and for hubs that show tours without keeping a proof."""

    async def begin(self, session: AsyncSession, run: Run, itinerary: Itinerary) -> None:
        return

    async def left(
        self, session: AsyncSession, run: Run, step: RunStep, stop: ItineraryStop, dead: Mapping[int, str]
    ) -> None:
        return

    async def open_positions(self, session: AsyncSession, run_id: int) -> Collection[int]:
        return ()

    async def excused(self, session: AsyncSession, run_id: int) -> Mapping[int, Collection[int]]:
        return {}

    async def counts(self, session: AsyncSession, run_ids: Collection[int]) -> Mapping[int, ResultCounts]:
        return {}

    async def may_submit(self, session: AsyncSession, run: Run) -> None:
        return

    async def ended(self, session: AsyncSession, run: Run) -> None:
        return
