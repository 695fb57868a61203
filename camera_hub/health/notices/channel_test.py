"""Tries a channel: sends one notice of a test at once, past the outbox, and says what failed."""

from dataclasses import dataclass

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.health.notices.channels import AddressSealer, open_target
from camera_hub.health.notices.senders import sender_of
from camera_hub.health.notices.sending import HttpClients, OutgoingNotice, PostOutcome
from camera_hub.store.database import Database
from camera_hub.store.tables import NoticeChannel


@dataclass(frozen=True, slots=True)
class ChannelTrial:
    """What came of it. `reason`: a code that pages explain with its remedy (channel_*), None when it was accepted;
    `detail`: what the receiver answered, without any secret."""

    accepted: bool
    reason: str | None
    detail: str
    seconds: float


class ChannelTests:
    """The test button's verb."""

    def __init__(self, database: Database, clock: Clock, sealer: AddressSealer) -> None:
        self._database = database
        self._clock = clock
        self._sealer = sealer

    async def send(self, channel_id: int) -> ChannelTrial:
        """Send a test through the channel, enabled or not. Raises HubError(NOT_FOUND | CONFLICT); a receiver that
        fails is an answer, no error."""
        async with self._database.read() as session:
            row = await session.get(NoticeChannel, channel_id)
        if row is None:
            raise HubError(Kind.NOT_FOUND, "there is no such channel")
        if row.url_sealed is None:
            raise HubError(Kind.CONFLICT, "this channel has no address yet; give it one first", reason="no_address")
        target = open_target(row, self._sealer)
        began = self._clock.monotonic()
        async with HttpClients() as clients:
            result = await sender_of(target, clients, self._clock).send(self._notice())
        accepted = result.outcome is PostOutcome.DELIVERED
        reason = None if accepted else result.reason or "channel_refused"
        return ChannelTrial(accepted, reason, result.error or "", round(self._clock.monotonic() - began, 3))

    def _notice(self) -> OutgoingNotice:
        text = "这是一条测试消息。收到即表示该推送渠道可用。"
        payload = {
            "kind": "test",
            "at": self._clock.now().isoformat(),
            "title": "告警推送测试",
            "text": text,
            "short": f"【测试】{text}",
            "severity": "warning",
            "sound": False,
            "count": 0,
            "alarm_ids": [],
        }
        return OutgoingNotice(0, payload, 0, _nothing)


async def _nothing(sent: int) -> None:
    """A test keeps no progress."""
