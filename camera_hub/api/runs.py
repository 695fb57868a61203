"""Tours being run, and their records."""

import hashlib
from collections.abc import Collection
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from camera_hub.access.policy import Action, Actor
from camera_hub.api.live_changes import Render, SharedReader, to_township
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Id
from camera_hub.api.schemas.patrol import (
    Control,
    ItineraryStopAnswer,
    RunAnswer,
    RunItinerary,
    RunStepAnswer,
    RunSteps,
    StartRun,
)
from camera_hub.errors import HubError
from camera_hub.patrol.runs.runs import RunMoved, Runs, Verb

router = APIRouter(prefix="/api/runs", tags=["runs"])


@router.get("")
async def runs(
    actor: Annotated[Actor, needs(Action.VIEW)],
    runs: Annotated[Runs, part(Runs)],
    state: Literal["running", "paused", "ended", "active"] | None = None,
    tour_id: Id | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Id | None = None,
) -> list[RunAnswer]:
    """Runs, newest first; `active` are those that have not ended."""
    found = await runs.list(actor, state=state, tour_id=tour_id, limit=limit, before=before)
    return [RunAnswer.model_validate(run) for run in found]


@router.post("", status_code=201)
async def start(
    body: StartRun, actor: Annotated[Actor, needs(Action.RUN_TOURS)], runs: Annotated[Runs, part(Runs)]
) -> RunAnswer:
    """Start a tour; if all its cameras are dead the run ends at once (end_reason all_dead)."""
    return RunAnswer.model_validate(await runs.start(actor, body.tour_id, loop=body.loop))


@router.get("/{run_id}")
async def run(run_id: Id, actor: Annotated[Actor, needs(Action.VIEW)], runs: Annotated[Runs, part(Runs)]) -> RunAnswer:
    """A run as it is now."""
    return RunAnswer.model_validate(await runs.get(actor, run_id))


@router.get("/{run_id}/itinerary", responses={304: {"description": "unchanged, as it always is"}})
async def itinerary(
    run_id: Id,
    actor: Annotated[Actor, needs(Action.VIEW)],
    runs: Annotated[Runs, part(Runs)],
    request: Request,
    response: Response,
) -> RunItinerary:
    """The tour as it was when the run started. It never changes: a page asks once, a browser revalidates."""
    found = RunItinerary(
        stops=[ItineraryStopAnswer.model_validate(stop) for stop in await runs.itinerary(actor, run_id)]
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
    runs: Annotated[Runs, part(Runs)],
    after: Annotated[int, Query(ge=-1, le=2**31 - 1)] = -1,
    limit: Annotated[int, Query(ge=1, le=200)] = 200,
) -> RunSteps:
    """The lines of the record after the one with sequence `after`, in order."""
    found, rolled_up = await runs.record(actor, run_id, after=after, limit=limit)
    return RunSteps(
        steps=[RunStepAnswer.model_validate(step) for step in found],
        next=found[-1].sequence if len(found) == limit else None,
        rolled_up=rolled_up,
    )


@router.post("/{run_id}/{verb}")
async def control(
    run_id: Id,
    verb: Verb,
    body: Control,
    actor: Annotated[Actor, needs(Action.RUN_TOURS)],
    runs: Annotated[Runs, part(Runs)],
) -> RunAnswer:
    """Act on a run. 409 `run_moved` carries its new state in params.run."""
    try:
        view = await runs.control(actor, run_id, verb, body.revision, body.position)
    except RunMoved as moved:
        run = RunAnswer.model_validate(moved.view).model_dump(mode="json")
        raise HubError(moved.kind, moved.detail, reason=moved.reason, run=run) from moved
    return RunAnswer.model_validate(view)


def live(runs: Runs) -> SharedReader:
    """Runs as they are now, for the pages' WebSockets."""

    async def read(ids: Collection[int]) -> dict[int, Render]:
        return {view.id: to_township(RunAnswer.model_validate(view)) for view in await runs.some(ids)}

    return read
