"""Searching the network for devices: plan a sweep, start it, follow it, cancel it."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Path

from camera_hub.access.policy import Action, Actor, allows
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas import places
from camera_hub.api.schemas.places import NewSweep, PlanRequest, SweepAnswer
from camera_hub.cameras.discovery.sweeps import Sweeps, SweepView
from camera_hub.errors import HubError, Kind

router = APIRouter(prefix="/api/discovery", tags=["discovery"])

Registrar = Annotated[Actor, needs(Action.INTAKE)]
Search = Annotated[Sweeps, part(Sweeps)]
SweepId = Annotated[str, Path(max_length=32)]


@router.post("/plan")
async def plan(body: PlanRequest, actor: Registrar, sweeps: Search) -> places.SweepPlanAnswer:
    """What would be searched; nothing is sent."""
    planned = await sweeps.plan(actor, body.ranges, body.village_id)
    return places.SweepPlanAnswer(
        interfaces=[places.InterfaceAnswer.model_validate(one) for one in planned.interfaces],
        ranges=[
            places.RangeAnswer(text=one.text, first=str(one.first), last=str(one.last), hosts=one.hosts)
            for one in planned.ranges
        ],
        hosts=planned.hosts,
        max_hosts=planned.max_hosts,
    )


@router.post("/sweeps", response_model=SweepAnswer, status_code=201)
async def start_sweep(body: NewSweep, actor: Registrar, sweeps: Search) -> SweepView:
    return await sweeps.start(actor, body.village_id, multicast=body.multicast, ranges=body.ranges, ports=body.ports)


@router.get("/sweeps/{sweep_id}", response_model=SweepAnswer)
async def sweep(sweep_id: SweepId, actor: Registrar, sweeps: Search) -> SweepView:
    return await sweeps.get(actor, sweep_id)


@router.delete("/sweeps/{sweep_id}", response_model=SweepAnswer)
async def cancel_sweep(sweep_id: SweepId, actor: Registrar, sweeps: Search) -> SweepView:
    """Stop the sweep; what it found so far is kept."""
    return await sweeps.cancel(actor, sweep_id)


def live(sweeps: Sweeps) -> Callable[[Actor, str], Awaitable[SweepAnswer | None]]:
    """A sweep for the WebSockets of the user who started it, None when it is gone or the user may not see it now."""

    async def read(actor: Actor, id: str) -> SweepAnswer | None:
        if not allows(actor, Action.INTAKE):
            return None
        try:
            return SweepAnswer.model_validate(await sweeps.get(actor, id))
        except HubError as error:
            if error.kind is Kind.NOT_FOUND:
                return None
            raise

    return read
