"""How often logins are tried at a device. Pure.

Cameras lock an account, and so their owner, after about five wrong passwords in a row. Therefore, whoever tries, by
whatever protocol, with whatever logins:

- at most TRIES_A_DAY refusals in any 24 hours, and at most IN_HALF_HOUR in any half hour;
- a login that was refused is tried again at once as long as it is the device's first refusal, then after half an hour,
  then every twelve hours, and never once REPEATED refusals were counted: what is left of the day is for another login,
  or for the same one typed again. One that a person has just typed and ONVIF has refused is tried once more at once
  with the device's ordinary users: ONVIF may have its own;
- a login that a service has accepted is used without a pause, until it is refused. While there is one, the last try of
  the day is kept for it: it may turn wrong, too.

A wrong login that nobody corrects is tried at 0, 0, ½, 12½ h: four times a day, then twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from camera_hub.errors import Reason

Service = Literal["onvif", "rtsp", "http"]
"""What a login is used for; `http` are snapshots and the vendor's interface. Some devices keep separate users."""

SERVICES: tuple[Service, ...] = get_args(Service)

FREE_TRIES = 2
FIRST_PAUSE = 30 * 60.0
LATER_PAUSE = 12 * 3600.0
DAY = 24 * 3600.0 + 1.0
"""How long a refusal counts: a second more, since times are rounded."""
TRIES_A_DAY = 6
REPEATED = 4
HALF_HOUR = 30 * 60.0 + 1.0
IN_HALF_HOUR = 4
MOMENT = 0.001
"""Seconds that are no pause: sums of floating-point times differ by less."""


@dataclass(frozen=True, slots=True)
class LoginStanding:
    """The state of one login at one device: refusals by service since that service last accepted it (or since it was
    entered), and its own pause.

    `until` is on the clock of the caller, in seconds; 0 = no pause.
    """

    failures: Mapping[str, int] = field(default_factory=dict)
    until: float = 0.0
    reason: str = Reason.WRONG_PASSWORD

    @property
    def total(self) -> int:
        """Refusals by all services: a device that locks accounts counts them together."""
        return sum(self.failures.values())


def pause(total: int, in_all: int = 0) -> float:
    """Seconds for which a login rests after its `total`th refusal, the device's `in_all`th within a day."""
    if max(total, in_all) < FREE_TRIES:
        return 0.0
    return FIRST_PAUSE if total <= FREE_TRIES else LATER_PAUSE


def refused(
    standing: LoginStanding, service: Service, now: float, reason: str = Reason.WRONG_PASSWORD, *, in_all: int = 0
) -> LoginStanding:
    """The device refused the login with that service. `in_all`: its refusals within a day, this one included.

    What one service has said of the device (locked, not activated) explains the bare refusals of the others.
    """
    failures = {**standing.failures, service: standing.failures.get(service, 0) + 1}
    told = standing.reason == Reason.NOT_ACTIVATED or (standing.reason == Reason.LOCKED_OUT and now < standing.until)
    if reason == Reason.WRONG_PASSWORD and standing.total and told:
        reason = standing.reason
    seconds = pause(sum(failures.values()), in_all)
    if reason == Reason.LOCKED_OUT:
        seconds = max(seconds, FIRST_PAUSE)
    return LoginStanding(failures, now + seconds if seconds else 0.0, reason)


def accepted(standing: LoginStanding, service: Service) -> LoginStanding:
    """The device accepted the login with that service; refusals of the other ones still count."""
    left = {name: count for name, count in standing.failures.items() if name != service}
    return LoginStanding(left, standing.until, standing.reason) if left else LoginStanding()


def resumed(failures: Mapping[str, int], seconds_left: float, now: float, reason: str) -> LoginStanding:
    """The state as stored by wall time: however that clock was stepped, no pause becomes longer than it was."""
    longest = max(pause(sum(failures.values()), FREE_TRIES), FIRST_PAUSE)
    left = min(max(0.0, seconds_left), longest)
    return LoginStanding(dict(failures), now + left if left else 0.0, reason)


def day_limit(standing: LoginStanding, *, proved: bool, proofs: bool) -> int:
    """How many refusals a day there may be before this login is not tried any more.

    `proved`: the service that asks has accepted it; `proofs`: some login of the device is accepted by a service.
    """
    if proved:
        return TRIES_A_DAY
    limit = TRIES_A_DAY - 1 if proofs else TRIES_A_DAY
    return min(limit, REPEATED) if standing.total else limit


def due(
    standing: LoginStanding,
    refusals: Sequence[float],
    now: float,
    *,
    proved: bool = False,
    proofs: bool = False,
    locked: float = 0.0,
    own_users: bool = False,
) -> float:
    """When the login may be tried: `now`, or the end of its pause.

    `refusals`: when the device refused any login; `locked`: until when it has locked itself, by its own words.
    `own_users`: a person has typed the login, and a service asks that may have other users than ONVIF: what ONVIF
    alone has refused, once, has no pause of its own there.
    """
    times = sorted(refusals)
    at = now
    if not proved:
        own_pause = 0.0 if own_users and _by_onvif_alone(standing) else standing.until
        at = max(at, own_pause, locked)
        if len(times) >= IN_HALF_HOUR:
            at = max(at, times[-IN_HALF_HOUR] + HALF_HOUR)
    limit = day_limit(standing, proved=proved, proofs=proofs)
    if len(times) >= limit:
        at = max(at, times[-limit] + DAY)
    return at if at - now > MOMENT else now


def _by_onvif_alone(standing: LoginStanding) -> bool:
    return standing.failures == {"onvif": 1} and standing.reason != Reason.LOCKED_OUT


def tries_left(refusals: Sequence[float], now: float) -> int:
    """How many refused tries the device still has in these 24 hours."""
    return max(0, TRIES_A_DAY - sum(at > now - DAY for at in refusals))
