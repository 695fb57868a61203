"""Pure: how severe an alarm is, in the words of ITU-T X.733 (critical, major, minor, warning).

It follows from the cause, and can be set by cause (health.severities); an alarm of a camera that is important is one
step more severe.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from camera_hub.errors import Reason
from camera_hub.health.judging.verdict import Aspect


class Severity(StrEnum):
    """The most severe first."""

    CRITICAL = "critical"  # many cameras at once: a village, or the hub's own uplink; nobody looks at cameras any more
    MAJOR = "major"  # it shows nothing that is of use, or nothing is recorded; a hub that cannot carry more
    MINOR = "minor"  # it shows or records something, but not what it should
    WARNING = "warning"  # it works, and something about it is wrong


_ORDER = list(Severity)

_OF_CAUSE = {
    Reason.HUB_UPLINK: Severity.CRITICAL,
    Reason.VILLAGE_LINK: Severity.CRITICAL,
    Reason.ROUNDS_STOPPED: Severity.CRITICAL,
    Reason.LATE: Severity.MINOR,
    Reason.LOSSY: Severity.MINOR,
    Reason.BLACK: Severity.MAJOR,
    Reason.NO_SIGNAL: Severity.MAJOR,
    Reason.COVERED: Severity.MAJOR,
    Reason.FROZEN: Severity.MAJOR,
    Reason.UNDECODABLE: Severity.MAJOR,
    Reason.QUARANTINED: Severity.MAJOR,
    Reason.NO_RECORDING: Severity.MAJOR,
}

_OF_ASPECT = {
    Aspect.PICTURE: Severity.MINOR,
    Aspect.RECORDING: Severity.MINOR,
    Aspect.CLOCK: Severity.WARNING,
    Aspect.OSD: Severity.WARNING,
}


@dataclass(frozen=True, slots=True)
class SeverityRules:
    """`set_by_cause`: what the site has set (cause → severity)."""

    set_by_cause: Mapping[str, Severity] = field(default_factory=dict)

    def of(self, cause: str, aspect: Aspect, *, important: bool = False) -> Severity:
        """The severity of an alarm; `important`: of a key camera. What the site has set is not raised."""
        if (chosen := self.set_by_cause.get(cause)) is not None:
            return chosen
        found = default_severity(cause, aspect)
        return _ORDER[max(0, _ORDER.index(found) - 1)] if important else found


def default_severity(cause: str, aspect: Aspect) -> Severity:
    """What a cause is worth where nothing is set: its own, else its aspect's, else major."""
    return {str(reason): severity for reason, severity in _OF_CAUSE.items()}.get(
        cause, _OF_ASPECT.get(aspect, Severity.MAJOR)
    )


def at_least(severity: str, minimum: str) -> bool:
    """Whether `severity` is `minimum` or more severe."""
    return rank(severity) <= rank(minimum)


def rank(severity: str) -> int:
    """0 for the most severe."""
    return _ORDER.index(Severity(severity))
