"""The last hand-over of a patrol: by whom, where, with which note, and whether the new operator has taken note of it.

It is read from the patrol's events, so that it outlives every page and the hub, and is gone once somebody else has
become the operator.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.patrol.runs.itinerary import Itinerary
from camera_hub.store.tables import RunEvent


@dataclass(frozen=True, slots=True)
class RunHandover:
    """How the present operator got the patrol. `id` is that of its event; `by_id` is None when the account is gone.

    `position`, `stop`, `stop_more`: the stop that was on, its name, and how many cameras it shows beside the one whose
    name that is (itinerary). `received_at`: when the operator opened the patrol or put the message away.
    """

    id: int
    at: datetime
    by_id: int | None
    by_name: str
    position: int
    stop: str
    stop_more: int
    note: str
    received_at: datetime | None


async def handovers(session: AsyncSession, itineraries: Mapping[int, Itinerary]) -> dict[int, RunHandover]:
    """The last hand-over of each of the runs, given with its itinerary; one statement.

    Those whose operator started them or took them over have none.
    """
    if not itineraries:
        return {}
    newest = (
        select(func.max(RunEvent.id))
        .where(RunEvent.run_id.in_(itineraries), RunEvent.kind.in_(("handed_over", "taken_over", "received")))
        .group_by(RunEvent.run_id, RunEvent.kind)
    )
    events = (await session.scalars(select(RunEvent).where(RunEvent.id.in_(newest)).order_by(RunEvent.id))).all()
    found = dict[int, RunHandover]()
    for event in events:  # in order: a later change of operator, or its receipt, counts
        if event.kind == "taken_over":
            found.pop(event.run_id, None)
        elif event.kind == "handed_over":
            position = event.position or 0
            stop = itineraries[event.run_id][position]
            found[event.run_id] = RunHandover(
                event.id,
                event.at,
                event.user_id,
                event.user_name,
                position,
                stop.name,
                stop.more,
                str(event.detail.get("note", "")),
                None,
            )
        elif event.run_id in found:
            found[event.run_id] = replace(found[event.run_id], received_at=event.at)
    return found
