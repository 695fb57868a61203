"""Where notices of alarms go: channels and their rules. Addresses are write-only."""

from typing import Annotated

from fastapi import APIRouter

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Done, Id
from camera_hub.api.schemas.health import ChangeChannel, ChannelAnswer, NewChannel, RuleBody
from camera_hub.clock import Clock
from camera_hub.health.notices.channels import ChannelDraft, NoticeChannels
from camera_hub.health.notices.rules import RuleView

router = APIRouter(prefix="/api/notices/channels", tags=["notices"])

Manager = Annotated[Actor, needs(Action.MANAGE_SYSTEM)]
ChannelsPart = Annotated[NoticeChannels, part(NoticeChannels)]


@router.get("")
async def channels(actor: Manager, channels: ChannelsPart) -> list[ChannelAnswer]:
    """All channels with the result of the last attempt."""
    return [ChannelAnswer.model_validate(one) for one in await channels.list()]


@router.post("", status_code=201)
async def add(body: NewChannel, actor: Manager, channels: ChannelsPart) -> ChannelAnswer:
    """A new channel; without rules it gets every alarm."""
    draft = ChannelDraft(body.name, body.url.get_secret_value(), body.timeout_s, body.enabled, _rules(body.rules))
    return ChannelAnswer.model_validate(await channels.add(draft))


@router.patch("/{channel_id}")
async def change(channel_id: Id, body: ChangeChannel, actor: Manager, channels: ChannelsPart) -> ChannelAnswer:
    """Change the given fields; rules are replaced as a whole."""
    url = None if body.url is None else body.url.get_secret_value()
    draft = ChannelDraft(body.name, url, body.timeout_s, body.enabled, _rules(body.rules))
    return ChannelAnswer.model_validate(await channels.change(channel_id, draft))


@router.delete("/{channel_id}")
async def remove(channel_id: Id, actor: Manager, channels: ChannelsPart, clock: Annotated[Clock, part(Clock)]) -> Done:
    """Remove a channel and its pending notices."""
    await channels.remove(channel_id)
    return Done(at=clock.now())


def _rules(bodies: list[RuleBody] | None) -> tuple[RuleView, ...] | None:
    if bodies is None:
        return None
    return tuple(RuleView(one.village_id, one.aspect, one.min_severity) for one in bodies)
