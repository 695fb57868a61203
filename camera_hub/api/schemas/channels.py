"""Channels of notices. Addresses and secrets are write-only."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, StringConstraints

from camera_hub.api.schemas.base import Answer, Id, Name, RequestBody
from camera_hub.api.schemas.exclusions import TimeOfDay
from camera_hub.api.schemas.health import Aspect, Severity

ChannelKind = Literal["webhook", "sms", "wecom", "dingtalk", "smtp"]
Address = Annotated[SecretStr, Field(min_length=1, max_length=2048)]
Timeout = Annotated[float, Field(gt=0, le=60)]
_Short = Annotated[str, StringConstraints(max_length=255)]
_Phones = Annotated[list[Annotated[str, StringConstraints(max_length=24)]], Field(max_length=50)]


class RuleBody(RequestBody):
    """Which alarms a channel gets; null matches all."""

    village_id: Id | None = None
    aspect: Aspect | None = None
    min_severity: Severity | None = None


class ChannelOptions(RequestBody):
    """What a kind needs besides its address (health.notices.options); a kind takes only its own."""

    method: Literal["GET", "POST"] | None = None
    format: Literal["json", "form", "xml", "text"] | None = None
    body: Annotated[str, StringConstraints(max_length=4000)] | None = None
    phones: _Phones | None = None
    accepted: Annotated[str, StringConstraints(max_length=200)] | None = None
    reserve: Annotated[int, Field(ge=0, le=60)] | None = None
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    security: Literal["none", "starttls", "tls"] | None = None
    verify: bool | None = None
    sender: _Short | None = None
    recipients: Annotated[list[_Short], Field(max_length=50)] | None = None


class ChannelSecrets(RequestBody):
    """Write-only; "" removes one, null leaves it as it is."""

    headers: (
        dict[Annotated[str, StringConstraints(max_length=64)], Annotated[SecretStr, Field(max_length=1024)]] | None
    ) = Field(None, max_length=16)
    sign: Annotated[SecretStr, Field(max_length=512)] | None = None
    username: Annotated[SecretStr, Field(max_length=255)] | None = None
    password: Annotated[SecretStr, Field(max_length=512)] | None = None


class QuietHoursBody(RequestBody):
    """From and to in the site's time; the same: never quiet."""

    start: TimeOfDay
    end: TimeOfDay


class NewChannel(RequestBody):
    """`url`: a web address, or the host of a mail server."""

    name: Name
    kind: ChannelKind = "webhook"
    url: Address
    timeout_s: Timeout = 5.0
    enabled: bool = True
    rules: list[RuleBody] | None = Field(None, max_length=64)
    options: ChannelOptions | None = None
    secrets: ChannelSecrets | None = None
    proxy: Annotated[SecretStr, Field(max_length=2048)] | None = None
    quiet: QuietHoursBody | None = None


class ChangeChannel(RequestBody):
    """What changes; `options` and `rules` are replaced as a whole. `proxy`: "" for none."""

    name: Name | None = None
    url: Address | None = None
    timeout_s: Timeout | None = None
    enabled: bool | None = None
    rules: list[RuleBody] | None = Field(None, max_length=64)
    options: ChannelOptions | None = None
    secrets: ChannelSecrets | None = None
    proxy: Annotated[SecretStr, Field(max_length=2048)] | None = None
    quiet: QuietHoursBody | None = None


class RuleAnswer(Answer):
    village_id: int | None
    aspect: Aspect | None
    min_severity: Severity | None


class ChannelAnswer(Answer):
    """A channel. Its address may contain a secret and is never returned; `host` is all that is shown of it. `secrets`:
    which ones it has."""

    id: int
    name: str
    kind: ChannelKind
    host: str
    timeout_s: float
    enabled: bool
    from_settings: bool
    created_at: datetime
    last_attempt_at: datetime | None
    last_success_at: datetime | None
    last_error: str | None
    pending: int
    rules: list[RuleAnswer]
    options: dict[str, Any]
    secrets: list[str]
    proxy_host: str
    quiet_from: str | None
    quiet_to: str | None


class ChannelTrialAnswer(Answer):
    """What came of a test; `reason` (channel_*) says what failed, and pages what helps."""

    accepted: bool
    reason: str | None
    detail: str
    seconds: float
