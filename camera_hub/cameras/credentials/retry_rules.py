"""How often a wrong login is tried: twice, then after half an hour, then every six hours. Pure.

Cameras lock an account, and so their owner, after about five wrong passwords. At most six attempts fall into any 24
hours: 0, 0, ½, 6½, 12½, 18½ h.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from camera_hub.errors import Reason

Service = Literal["onvif", "rtsp", "http"]
"""What a login is used for. Some devices keep separate users for each."""

FREE_TRIES = 2
FIRST_PAUSE = 30 * 60.0
LATER_PAUSE = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class LoginStanding:
    """The state of one login at one device: refusals by service since that service last accepted it, and the pause.

    `until` is on the clock of the caller, in seconds; 0 = no pause.
    """

    failures: Mapping[str, int] = field(default_factory=dict)
    until: float = 0.0
    reason: str = Reason.WRONG_PASSWORD

    @property
    def total(self) -> int:
        """Refusals by all services: a device that locks accounts counts them together."""
        return sum(self.failures.values())


def pause(total: int) -> float:
    """Seconds to wait after that many refusals."""
    if total < FREE_TRIES:
        return 0.0
    return FIRST_PAUSE if total == FREE_TRIES else LATER_PAUSE


def refused(
    standing: LoginStanding, service: Service, now: float, reason: str = Reason.WRONG_PASSWORD
) -> LoginStanding:
    """The device refused the login with that service."""
    failures = {**standing.failures, service: standing.failures.get(service, 0) + 1}
    total = sum(failures.values())
    seconds = max(pause(total), FIRST_PAUSE) if reason == Reason.LOCKED_OUT else pause(total)
    return LoginStanding(failures, now + seconds if seconds else 0.0, reason)


def accepted(standing: LoginStanding, service: Service) -> LoginStanding:
    """The device accepted the login with that service; refusals of the other one still count."""
    left = {name: count for name, count in standing.failures.items() if name != service}
    return LoginStanding(left, standing.until, standing.reason) if left else LoginStanding()


def resumed(failures: Mapping[str, int], seconds_left: float, now: float, reason: str) -> LoginStanding:
    """The state as stored by wall time: however that clock was stepped, no pause becomes longer than it was."""
    longest = max(pause(sum(failures.values())), FIRST_PAUSE)
    left = min(max(0.0, seconds_left), longest)
    return LoginStanding(dict(failures), now + left if left else 0.0, reason)
