"""Jobs: follow one, cancel it."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Path

from camera_hub.access.policy import Action, Actor, allows
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.jobs import JobAnswer, JobProgressAnswer
from camera_hub.cameras.jobs import Jobs, JobView
from camera_hub.errors import HubError, Kind

router = APIRouter(prefix="/api/jobs", tags=["jobs"])

Follower = Annotated[Actor, needs(Action.FOLLOW_JOBS)]
AllJobs = Annotated[Jobs, part(Jobs)]
JobId = Annotated[str, Path(max_length=32)]


@router.get("", response_model=list[JobProgressAnswer])
async def list_jobs(actor: Follower, jobs: AllJobs) -> list[JobView]:
    """The jobs that the user may see, newest first; those of the last hour."""
    return jobs.list(actor)


@router.get("/{job_id}", response_model=JobAnswer)
async def job(job_id: JobId, actor: Follower, jobs: AllJobs) -> JobView:
    return jobs.get(actor, job_id)


@router.delete("/{job_id}", response_model=JobAnswer)
async def cancel_job(job_id: JobId, actor: Follower, jobs: AllJobs) -> JobView:
    """Stop the job: what is worked on is finished, the verdicts are kept, the rest is left as it was."""
    return await jobs.cancel(actor, job_id)


def live(jobs: Jobs) -> Callable[[Actor, str], Awaitable[JobProgressAnswer | None]]:
    """A job for the WebSockets of the user who started it, None when it is gone or the user may not see it now."""

    async def read(actor: Actor, id: str) -> JobProgressAnswer | None:
        if not allows(actor, Action.FOLLOW_JOBS):
            return None
        try:
            return JobProgressAnswer.model_validate(jobs.get(actor, id))
        except HubError as error:
            if error.kind is Kind.NOT_FOUND:
                return None
            raise

    return read
