"""Notice channels as township admins list, add, change and remove them; and the one of the settings file."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus, NoticeChannelChanged
from camera_hub.health.notices.options import (
    QUIET_KINDS,
    checked_host,
    checked_options,
    checked_secrets,
    host_of,
    proxy_host,
    secret_names,
)
from camera_hub.health.notices.rules import EVERYTHING, RuleView
from camera_hub.health.notices.sending import ChannelTarget
from camera_hub.settings import NoticeSettings
from camera_hub.store.database import Database
from camera_hub.store.tables import Notice, NoticeChannel, NoticeRule, Village

MAX_CHANNELS = 32
"""Each has a delivery task of its own."""

MAX_RULES = 64
SETTINGS_NAME = "notices.webhook_url"
"""The name of the channel whose address stands in the settings file."""


class AddressSealer(Protocol):
    """What seals addresses (access.vault), by the number of their owner."""

    def seal(self, text: str, owner: int | str, /) -> bytes: ...
    def open(self, sealed: bytes, owner: int | str, /) -> str: ...


def seal_owner(channel_id: int) -> int:
    """A channel as owner of a sealed text: negative, for devices use the vault with their own ids."""
    return -channel_id


@dataclass(frozen=True, slots=True)
class ChannelView:
    """A channel as people see it: never its address. `pending`: notices that wait for delivery."""

    id: int
    name: str
    kind: str
    host: str
    timeout_s: float
    enabled: bool
    from_settings: bool
    created_at: datetime
    last_attempt_at: datetime | None
    last_success_at: datetime | None
    last_error: str | None
    pending: int
    rules: tuple[RuleView, ...]
    options: dict[str, Any]
    secrets: tuple[str, ...]
    proxy_host: str
    quiet_from: str | None
    quiet_to: str | None


@dataclass(frozen=True, slots=True)
class ChannelDraft:
    """What a new channel is, or what changes of one (None: stays)."""

    name: str | None = None
    url: str | None = None
    timeout_s: float | None = None
    enabled: bool | None = None
    rules: tuple[RuleView, ...] | None = None
    kind: str | None = None  # of a new one
    options: dict[str, Any] | None = None
    secrets: dict[str, Any] | None = None  # replaced one by one; an empty one is removed
    proxy: str | None = None  # "": none
    quiet: tuple[str, str] | None = None  # from and to; the same: never quiet


def secrets_owner(channel_id: int) -> str:
    """A channel as owner of its other secrets."""
    return f"notice channel:{channel_id}"


def open_target(row: NoticeChannel, sealer: AddressSealer) -> ChannelTarget:
    """A channel with its address and secrets in the clear. Raises HubError when they cannot be decrypted."""
    url = sealer.open(row.url_sealed or b"", seal_owner(row.id))
    secrets = sealer.open(row.secrets_sealed, secrets_owner(row.id)) if row.secrets_sealed else "{}"
    options = json.dumps(row.options, sort_keys=True)
    return ChannelTarget(row.id, row.name, row.host, url, row.timeout_s, row.kind, options, secrets)


class NoticeChannels:
    """The verbs behind api/notices. Each publishes NoticeChannelChanged after its commit."""

    def __init__(
        self,
        database: Database,
        bus: EventBus,
        clock: Clock,
        sealer: AddressSealer,
        quiet: tuple[str, str] = ("22:00", "07:00"),
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._sealer = sealer
        self._quiet = quiet  # of new channels that people read

    async def list(self) -> Sequence[ChannelView]:
        """All channels: three queries, however many."""
        async with self._database.read() as session:
            return await _views(session, self._sealer)

    async def add(self, draft: ChannelDraft) -> ChannelView:
        """A new channel; without rules it gets every alarm. Raises HubError(INVALID | CONFLICT)."""
        if draft.name is None or draft.url is None:
            raise HubError(Kind.INVALID, "a channel needs a name and an address", reason="webhook_url")
        async with self._database.write() as session:
            if (await session.scalar(select(func.count()).select_from(NoticeChannel)) or 0) >= MAX_CHANNELS:
                raise HubError(
                    Kind.CONFLICT,
                    f"there are {MAX_CHANNELS} channels already; remove one first",
                    reason="too_many_channels",
                    limit=MAX_CHANNELS,
                )
            kind = draft.kind or "webhook"
            row = NoticeChannel(name=draft.name, kind=kind, created_at=self._clock.now())
            if kind in QUIET_KINDS:
                row.quiet_from, row.quiet_to = self._quiet
            session.add(row)
            await self._apply(session, row, replace(draft, options=draft.options or {}))
            if draft.rules is None:
                await _set_rules(session, row.id, (EVERYTHING,))
            (view,) = await _views(session, self._sealer, row.id)
        self._bus.publish(NoticeChannelChanged(view.id))
        return view

    async def change(self, channel_id: int, draft: ChannelDraft) -> ChannelView:
        """Change what the draft names. Raises HubError(NOT_FOUND | INVALID | CONFLICT)."""
        async with self._database.write() as session:
            row = await _get(session, channel_id)
            if row.from_settings and (draft.url is not None or draft.name not in (None, row.name)):
                raise _of_settings()
            await self._apply(session, row, draft)
            if row.enabled and row.url_sealed is None:
                raise HubError(Kind.CONFLICT, "this channel has no address yet; give it one first", reason="no_address")
            (view,) = await _views(session, self._sealer, channel_id)
        self._bus.publish(NoticeChannelChanged(channel_id))
        return view

    async def remove(self, channel_id: int) -> None:
        """Remove it with its rules and notices. Raises HubError(NOT_FOUND | CONFLICT)."""
        async with self._database.write() as session:
            row = await _get(session, channel_id)
            if row.from_settings and row.enabled:
                raise _of_settings()
            await session.delete(row)
        self._bus.publish(NoticeChannelChanged(channel_id))

    async def follow_settings(self, settings: NoticeSettings) -> None:
        """Let the channel of the settings file be what the file says, at the start of the hub.

        An address makes it (enabled, for every alarm) or replaces its address; rules and an admin's disabling stay.
        Without an address it is disabled and has none, until the file has one again. Raises HubError(INVALID) for an
        unusable address.
        """
        host = host_of(settings.webhook_url) if settings.webhook_url else ""
        async with self._database.write() as session:
            row = await session.scalar(select(NoticeChannel).where(NoticeChannel.from_settings.is_(True)))
            if not host:
                if row is not None:
                    row.enabled, row.host, row.url_sealed = False, "", None
                return
            fresh = row is None or row.url_sealed is None
            if row is None:
                row = NoticeChannel(name=SETTINGS_NAME, from_settings=True, created_at=self._clock.now())
                session.add(row)
            await self._apply(session, row, ChannelDraft(url=settings.webhook_url, timeout_s=settings.webhook_timeout))
            if fresh:
                row.enabled = True
                if await session.scalar(select(NoticeRule.id).where(NoticeRule.channel_id == row.id).limit(1)) is None:
                    await _set_rules(session, row.id, (EVERYTHING,))

    async def _apply(self, session: AsyncSession, row: NoticeChannel, draft: ChannelDraft) -> None:
        if draft.name is not None:
            row.name = draft.name
        if draft.timeout_s is not None:
            row.timeout_s = draft.timeout_s
        if draft.enabled is not None:
            row.enabled = draft.enabled
        kind = row.kind or "webhook"
        host = checked_host(kind, draft.url) if draft.url is not None else None
        if draft.options is not None:
            row.options = checked_options(kind, draft.options)
        if draft.quiet is not None:
            start, end = draft.quiet
            row.quiet_from, row.quiet_to = (None, None) if start == end else (start, end)
        try:
            await session.flush()
        except IntegrityError as error:
            raise HubError(
                Kind.CONFLICT, f"there is a channel named {draft.name!r} already", reason="channel_name_taken"
            ) from error
        if draft.url is not None and host is not None:
            row.host, row.url_sealed = host, self._sealer.seal(draft.url, seal_owner(row.id))
            row.last_error = None
        if draft.secrets is not None or draft.proxy is not None:
            self._seal_secrets(row, draft)
        await session.flush()
        if draft.rules is not None:
            await _set_rules(session, row.id, draft.rules)

    def _seal_secrets(self, row: NoticeChannel, draft: ChannelDraft) -> None:
        kept = _secrets_of(row, self._sealer)
        proxy = kept.pop("proxy", "") if draft.proxy is None else draft.proxy
        kept.pop("proxy", None)
        secrets = checked_secrets(row.kind, {**kept, **(draft.secrets or {})})
        row.proxy_host = proxy_host(proxy) if proxy else ""
        if proxy:
            secrets["proxy"] = proxy
        sealed = json.dumps(secrets, sort_keys=True)
        row.secrets_sealed = self._sealer.seal(sealed, secrets_owner(row.id)) if secrets else None


async def _set_rules(session: AsyncSession, channel_id: int, rules: Sequence[RuleView]) -> None:
    if len(rules) > MAX_RULES:
        raise HubError(Kind.INVALID, f"a channel has at most {MAX_RULES} rules", reason="too_many_rules")
    villages = {rule.village_id for rule in rules if rule.village_id is not None}
    known = set(await session.scalars(select(Village.id).where(Village.id.in_(villages)))) if villages else set()
    if villages - known:
        raise HubError(Kind.INVALID, "a rule names a village that does not exist", reason="no_such_village")
    await session.execute(delete(NoticeRule).where(NoticeRule.channel_id == channel_id))
    session.add_all(
        NoticeRule(
            channel_id=channel_id, village_id=rule.village_id, aspect=rule.aspect, min_severity=rule.min_severity
        )
        for rule in rules
    )
    await session.flush()


async def _get(session: AsyncSession, channel_id: int) -> NoticeChannel:
    row = await session.get(NoticeChannel, channel_id)
    if row is None:
        raise HubError(Kind.NOT_FOUND, "there is no such channel")
    return row


def _of_settings() -> HubError:
    return HubError(
        Kind.CONFLICT,
        "this channel's address stands in the settings file: change notices.webhook_url there, or disable it here",
        reason="channel_of_settings",
    )


async def _views(session: AsyncSession, sealer: AddressSealer, channel_id: int | None = None) -> list[ChannelView]:
    rows = select(NoticeChannel).order_by(NoticeChannel.id)
    if channel_id is not None:
        rows = rows.where(NoticeChannel.id == channel_id)
    found = (await session.scalars(rows)).all()
    rules: dict[int, list[RuleView]] = defaultdict(list)
    for rule in await session.scalars(select(NoticeRule).order_by(NoticeRule.id)):
        rules[rule.channel_id].append(RuleView(rule.village_id, rule.aspect, rule.min_severity))
    waiting = select(Notice.channel_id, func.count()).where(Notice.delivered_at.is_(None)).group_by(Notice.channel_id)
    pending = dict((await session.execute(waiting)).all())
    return [
        ChannelView(
            one.id,
            one.name,
            one.kind,
            one.host,
            one.timeout_s,
            one.enabled,
            one.from_settings,
            one.created_at,
            one.last_attempt_at,
            one.last_success_at,
            one.last_error,
            pending.get(one.id, 0),
            tuple(rules[one.id]),
            one.options,
            _secret_names(one, sealer),
            one.proxy_host,
            one.quiet_from,
            one.quiet_to,
        )
        for one in found
    ]


def _secret_names(row: NoticeChannel, sealer: AddressSealer) -> tuple[str, ...]:
    secrets = _secrets_of(row, sealer)
    secrets.pop("proxy", None)
    return secret_names(secrets)


def _secrets_of(row: NoticeChannel, sealer: AddressSealer) -> dict[str, Any]:
    """None where they cannot be decrypted with this hub's key file: they must be entered again."""
    if row.secrets_sealed is None:
        return {}
    try:
        return dict(json.loads(sealer.open(row.secrets_sealed, secrets_owner(row.id))))
    except HubError:
        return {}
