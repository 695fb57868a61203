"""Tours being run, and their records."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Id
from camera_hub.api.schemas.patrol import Control, RunAnswer, RunRecord, RunStepAnswer, StartRun
from camera_hub.errors import HubError, Kind
from camera_hub.patrol.runs import RunMoved, Runs, Verb

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
    """The newest first; `active` are those that have not ended."""
    found = await runs.list(actor, state=state, tour_id=tour_id, limit=limit, before=before)
    return [RunAnswer.model_validate(run) for run in found]


@router.post("", status_code=201)
async def start(
    body: StartRun, actor: Annotated[Actor, needs(Action.RUN_TOURS)], runs: Annotated[Runs, part(Runs)]
) -> RunAnswer:
    """Begin a tour; of dead cameras alone it has ended at once (end_reason all_dead)."""
    return RunAnswer.model_validate(await runs.start(actor, body.tour_id, loop=body.loop))


@router.get("/{run_id}")
async def record(
    run_id: Id, actor: Annotated[Actor, needs(Action.READ_RECORDS)], runs: Annotated[Runs, part(Runs)]
) -> RunRecord:
    """A run and its record, line by line."""
    run, steps = await runs.record(actor, run_id)
    return RunRecord(run=RunAnswer.model_validate(run), steps=[RunStepAnswer.model_validate(step) for step in steps])


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


async def read_changed(app_state: Any, actor: Actor, id: int) -> dict[str, Any] | None:
    """The run as it stands now, for the page's WebSocket; None when it is out of the actor's sight."""
    try:
        run = await app_state.parts[Runs].get(actor, id)
    except HubError as error:
        if error.kind is Kind.NOT_FOUND:
            return None
        raise
    return RunAnswer.model_validate(run).model_dump(mode="json")
