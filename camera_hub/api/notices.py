"""Notices of alarms: a person's own, and the channels outside the hub with their rules. Addresses are write-only."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Query

from camera_hub.access.policy import Action, Actor, allows
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Done, Id
from camera_hub.api.schemas.channels import (
    ChangeChannel,
    ChannelAnswer,
    ChannelSecrets,
    ChannelTrialAnswer,
    NewChannel,
    RuleBody,
)
from camera_hub.api.schemas.notices import NoticeAnswer, ReadNotices, UnreadAnswer
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.health.notices.channel_test import ChannelTests
from camera_hub.health.notices.channels import ChannelDraft, NoticeChannels
from camera_hub.health.notices.personal import PersonalNotices
from camera_hub.health.notices.rules import RuleView

router = APIRouter(prefix="/api/notices", tags=["notices"])

Manager = Annotated[Actor, needs(Action.MANAGE_SYSTEM)]
ChannelsPart = Annotated[NoticeChannels, part(NoticeChannels)]


Reader = Annotated[Actor, needs(Action.READ_HEALTH)]
PersonalPart = Annotated[PersonalNotices, part(PersonalNotices)]


@router.get("")
async def notices(
    actor: Reader,
    personal: PersonalPart,
    after: Id | None = None,
    before: Id | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[NoticeAnswer]:
    """Your own, newest first. `after`: only newer ones than this id; `before`: only older ones."""
    found = await personal.list(actor, after=after, before=before, limit=limit)
    return [NoticeAnswer.model_validate(one) for one in found]


@router.get("/unread")
async def unread(actor: Reader, personal: PersonalPart) -> UnreadAnswer:
    """How many of your own you have not read."""
    count, newest = await personal.unread(actor)
    return UnreadAnswer(unread=count, newest=newest)


@router.post("/read")
async def read(body: ReadNotices, actor: Reader, personal: PersonalPart) -> UnreadAnswer:
    """Mark this notice of yours and all before it as read."""
    count, newest = await personal.read(actor, body.up_to)
    return UnreadAnswer(unread=count, newest=newest)


@router.get("/channels")
async def channels(actor: Manager, channels: ChannelsPart) -> list[ChannelAnswer]:
    """All channels with the result of the last attempt."""
    return [ChannelAnswer.model_validate(one) for one in await channels.list()]


@router.post("/channels", status_code=201)
async def add(body: NewChannel, actor: Manager, channels: ChannelsPart) -> ChannelAnswer:
    """A new channel; without rules it gets every alarm."""
    return ChannelAnswer.model_validate(await channels.add(_draft(body, body.kind)))


@router.patch("/channels/{channel_id}")
async def change(channel_id: Id, body: ChangeChannel, actor: Manager, channels: ChannelsPart) -> ChannelAnswer:
    """Change the given fields; rules are replaced as a whole."""
    return ChannelAnswer.model_validate(await channels.change(channel_id, _draft(body, None)))


@router.post("/channels/{channel_id}/test")
async def test(
    channel_id: Id, actor: Manager, tests: Annotated[ChannelTests, part(ChannelTests)]
) -> ChannelTrialAnswer:
    """Send a test through the channel now; a receiver that fails is an answer, too."""
    return ChannelTrialAnswer.model_validate(await tests.send(channel_id))


@router.delete("/channels/{channel_id}")
async def remove(channel_id: Id, actor: Manager, channels: ChannelsPart, clock: Annotated[Clock, part(Clock)]) -> Done:
    """Remove a channel and its pending notices."""
    await channels.remove(channel_id)
    return Done(at=clock.now())


def _draft(body: NewChannel | ChangeChannel, kind: str | None) -> ChannelDraft:
    return ChannelDraft(
        body.name,
        None if body.url is None else body.url.get_secret_value(),
        body.timeout_s,
        body.enabled,
        _rules(body.rules),
        kind,
        None if body.options is None else body.options.model_dump(exclude_none=True),
        _secrets(body.secrets),
        None if body.proxy is None else body.proxy.get_secret_value(),
        None if body.quiet is None else (body.quiet.start, body.quiet.end),
    )


def _secrets(body: ChannelSecrets | None) -> dict[str, object] | None:
    if body is None:
        return None
    found: dict[str, object] = {
        name: value.get_secret_value()
        for name, value in (("sign", body.sign), ("username", body.username), ("password", body.password))
        if value is not None
    }
    if body.headers is not None:
        found["headers"] = {name: value.get_secret_value() for name, value in body.headers.items()}
    return found


def _rules(bodies: list[RuleBody] | None) -> tuple[RuleView, ...] | None:
    if bodies is None:
        return None
    return tuple(RuleView(one.village_id, one.aspect, one.min_severity) for one in bodies)


def live(personal: PersonalNotices) -> Callable[[Actor, int], Awaitable[NoticeAnswer | None]]:
    """A person's newest notice for their open pages, None when it is gone."""

    async def read(actor: Actor, id: int) -> NoticeAnswer | None:
        if not allows(actor, Action.READ_HEALTH):
            return None
        try:
            return NoticeAnswer.model_validate(await personal.get(actor, id))
        except HubError as error:
            if error.kind is Kind.NOT_FOUND:
                return None
            raise

    return read
