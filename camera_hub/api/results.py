"""Results of patrols: what was seen, confirming it, submitting the patrol."""

from collections.abc import Collection
from typing import Annotated

from fastapi import APIRouter, Query, Response

from camera_hub.access.policy import Action, Actor
from camera_hub.api.live_changes import Render, SharedReader, to_township
from camera_hub.api.routing import needs, part
from camera_hub.api.runs import answered
from camera_hub.api.schemas.base import Id
from camera_hub.api.schemas.proof import (
    MAX_STOPS,
    ConfirmBody,
    RunResultAnswer,
    RunResultsChanged,
    SubmitBody,
)
from camera_hub.api.schemas.runs import RunAnswer
from camera_hub.errors import HubError
from camera_hub.patrol.proof.results import Confirmation
from camera_hub.patrol.proof.run_results import RunResults
from camera_hub.patrol.runs.reader import RunReader
from camera_hub.patrol.runs.runs import Runs

router = APIRouter(prefix="/api/runs", tags=["results"])

Reader = Annotated[Actor, needs(Action.READ_RECORDS)]
Runner = Annotated[Actor, needs(Action.RUN_TOURS)]
AllResults = Annotated[RunResults, part(RunResults)]
_JPEG = "image/jpeg"


@router.get("/{run_id}/results")
async def run_results(
    run_id: Id,
    actor: Reader,
    results: AllResults,
    position: Annotated[int | None, Query(ge=0, lt=MAX_STOPS)] = None,
) -> list[RunResultAnswer]:
    """The results of a patrol, or of one of its stops, in the order of its itinerary; a presentation has none."""
    return [RunResultAnswer.model_validate(one) for one in await results.of(actor, run_id, position)]


@router.post("/{run_id}/confirm")
async def confirm(
    run_id: Id,
    body: ConfirmBody,
    actor: Runner,
    results: AllResults,
    reader: Annotated[RunReader, part(RunReader)],
) -> list[RunResultAnswer]:
    """Confirm a stop, or some of its cameras; the answer is that stop's results (all, where no position was given).

    409 names in params.cameras what stands in the way: `not_seen` (params.seen: those that could be confirmed),
    `one_at_a_time`, `already_confirmed`; `run_moved` has the run's new state in params.run.
    """
    cameras = tuple(body.camera_ids) if body.camera_ids is not None else None
    wish = Confirmation(body.position, cameras, body.result, body.words, body.change)
    try:
        found = await results.confirm(actor, run_id, wish, body.revision)
    except HubError as error:
        if error.reason != "run_moved":
            raise
        run = RunAnswer.model_validate(await reader.get(actor, run_id)).model_dump(mode="json")
        raise HubError(error.kind, error.detail, reason=error.reason, run=run) from error
    return [RunResultAnswer.model_validate(one) for one in found]


@router.post("/{run_id}/submit")
async def submit(run_id: Id, body: SubmitBody, actor: Runner, runs: Annotated[Runs, part(Runs)]) -> RunAnswer:
    """Submit a patrol whose stops are over: it ends and is sealed. 409 `still_open` names what is not confirmed in
    params.cameras."""
    return await answered(runs.submit(actor, run_id, body.note, body.revision))


@router.get("/{run_id}/pictures/{picture_id}.jpg", response_class=Response, responses={200: {"content": {_JPEG: {}}}})
async def result_picture(run_id: Id, picture_id: Id, actor: Reader, results: AllResults) -> Response:
    """The picture that the hub took of a camera; it never changes."""
    headers = {"Cache-Control": "private, max-age=86400, immutable"}
    return Response(await results.picture(actor, run_id, picture_id), headers=headers, media_type=_JPEG)


def live(results: RunResults) -> SharedReader:
    """How results stand, for the pages' WebSockets."""

    async def read(ids: Collection[int]) -> dict[int, Render]:
        found = await results.summaries(ids)
        return {one.run_id: to_township(RunResultsChanged.model_validate(one)) for one in found}

    return read
