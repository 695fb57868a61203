"""Tours being run, and their records."""

import hashlib
from collections.abc import Awaitable, Collection
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from camera_hub.access.policy import Action, Actor
from camera_hub.api.live_changes import Render, SharedReader, to_township
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Id
from camera_hub.api.schemas.runs import (
    Control,
    ExtendRun,
    HandOverRun,
    ItineraryStopAnswer,
    RunAnswer,
    RunEventAnswer,
    RunItinerary,
    RunStepAnswer,
    RunSteps,
    StartRun,
    TakeOverRun,
)
from camera_hub.errors import HubError
from camera_hub.patrol.runs.keeper import RunMoved
from camera_hub.patrol.runs.reader import RunReader
from camera_hub.patrol.runs.runs import Runs, Verb
from camera_hub.patrol.runs.views import RunView

router = APIRouter(prefix="/api/runs", tags=["runs"])


@router.get("")
async def runs(
    actor: Annotated[Actor, needs(Action.VIEW)],
    reader: Annotated[RunReader, part(RunReader)],
    state: Literal["running", "paused", "closing", "ended", "active"] | None = None,
    tour_id: Id | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Id | None = None,
) -> list[RunAnswer]:
    """Runs, newest first; `active` are those that have not ended."""
    found = await reader.list(actor, state=state, tour_id=tour_id, limit=limit, before=before)
    return [RunAnswer.model_validate(run) for run in found]


@router.post("", status_code=201)
async def start(
    body: StartRun, actor: Annotated[Actor, needs(Action.RUN_TOURS)], runs: Annotated[Runs, part(Runs)]
) -> RunAnswer:
    """Start a tour. If all its cameras are dead, a patrol is closing at once, and a loop ends (end_reason all_dead)."""
    return RunAnswer.model_validate(await runs.start(actor, body.tour_id, loop=body.loop))


@router.get("/{run_id}")
async def run(
    run_id: Id, actor: Annotated[Actor, needs(Action.VIEW)], reader: Annotated[RunReader, part(RunReader)]
) -> RunAnswer:
    """A run as it is now."""
    return RunAnswer.model_validate(await reader.get(actor, run_id))


@router.get("/{run_id}/itinerary", responses={304: {"description": "unchanged, as it always is"}})
async def itinerary(
    run_id: Id,
    actor: Annotated[Actor, needs(Action.VIEW)],
    reader: Annotated[RunReader, part(RunReader)],
    request: Request,
    response: Response,
) -> RunItinerary:
    """The tour as it was when the run started. It never changes: a page asks once, a browser revalidates."""
    found = RunItinerary(
        stops=[ItineraryStopAnswer.model_validate(stop) for stop in await reader.itinerary(actor, run_id)]
    )
    tag = f'"{hashlib.sha256(found.model_dump_json().encode()).hexdigest()[:24]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in [given.strip() for given in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)  # type: ignore[return-value]  # FastAPI passes it on
    response.headers.update(headers)
    return found


@router.get("/{run_id}/steps")
async def steps(
    run_id: Id,
    actor: Annotated[Actor, needs(Action.READ_RECORDS)],
    reader: Annotated[RunReader, part(RunReader)],
    after: Annotated[int, Query(ge=-1, le=2**31 - 1)] = -1,
    limit: Annotated[int, Query(ge=1, le=200)] = 200,
) -> RunSteps:
    """The lines of the record after the one with sequence `after`, in order."""
    found, rolled_up = await reader.record(actor, run_id, after=after, limit=limit)
    return RunSteps(
        steps=[RunStepAnswer.model_validate(step) for step in found],
        next=found[-1].sequence if len(found) == limit else None,
        rolled_up=rolled_up,
    )


@router.get("/{run_id}/events")
async def events(
    run_id: Id,
    actor: Annotated[Actor, needs(Action.READ_RECORDS)],
    reader: Annotated[RunReader, part(RunReader)],
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 200,
) -> list[RunEventAnswer]:
    """What was done to the run, in order, after the event with the id `after`."""
    found = await reader.events(actor, run_id, after=after, limit=limit)
    return [RunEventAnswer.model_validate(event) for event in found]


@router.post("/{run_id}/extend")
async def extend(
    run_id: Id, body: ExtendRun, actor: Annotated[Actor, needs(Action.RUN_TOURS)], runs: Annotated[Runs, part(Runs)]
) -> RunAnswer:
    """Show the present stop longer. 409 as below."""
    return await answered(runs.extend(actor, run_id, body.seconds, body.revision))


@router.post("/{run_id}/hand_over")
async def hand_over(
    run_id: Id, body: HandOverRun, actor: Annotated[Actor, needs(Action.RUN_TOURS)], runs: Annotated[Runs, part(Runs)]
) -> RunAnswer:
    """Make another user the operator. 409 as below."""
    return await answered(runs.hand_over(actor, run_id, body.user_id, body.note, body.revision))


@router.post("/{run_id}/take_over")
async def take_over(
    run_id: Id, body: TakeOverRun, actor: Annotated[Actor, needs(Action.RUN_TOURS)], runs: Annotated[Runs, part(Runs)]
) -> RunAnswer:
    """Become the operator. 409 as below."""
    return await answered(runs.take_over(actor, run_id, body.note, body.revision))


@router.post("/{run_id}/receive")
async def receive(
    run_id: Id, actor: Annotated[Actor, needs(Action.RUN_TOURS)], runs: Annotated[Runs, part(Runs)]
) -> RunAnswer:
    """Take note of having been handed the run: `handover.received_at`. Only its operator."""
    return RunAnswer.model_validate(await runs.receive(actor, run_id))


@router.post("/{run_id}/{verb}")
async def control(
    run_id: Id,
    verb: Verb,
    body: Control,
    actor: Annotated[Actor, needs(Action.RUN_TOURS)],
    runs: Annotated[Runs, part(Runs)],
) -> RunAnswer:
    """Act on a run. 409 `run_moved` carries its new state in params.run. Of all routes of a run this one comes last."""
    return await answered(runs.control(actor, run_id, verb, body.revision, body.position, body.reason))


async def answered(view: Awaitable[RunView]) -> RunAnswer:
    """The run after an operation on it; a run that has moved meanwhile is told in the error."""
    try:
        return RunAnswer.model_validate(await view)
    except RunMoved as moved:
        run = RunAnswer.model_validate(moved.view).model_dump(mode="json")
        raise HubError(moved.kind, moved.detail, reason=moved.reason, run=run) from moved


def live(reader: RunReader) -> SharedReader:
    """Runs as they are now, for the pages' WebSockets."""

    async def read(ids: Collection[int]) -> dict[int, Render]:
        return {view.id: to_township(RunAnswer.model_validate(view)) for view in await reader.some(ids)}

    return read
