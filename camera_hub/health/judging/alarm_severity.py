"""Pure: how severe an alarm is, in the words of ITU-T X.733 (critical, major, minor, warning)."""

from enum import StrEnum

from camera_hub.health.judging.verdict import Aspect


class Severity(StrEnum):
    """The most severe first."""

    CRITICAL = "critical"  # many cameras at once: a village, or the hub's own uplink
    MAJOR = "major"  # a camera or recorder that shows nothing; a hub that cannot carry more
    MINOR = "minor"  # it shows something, but not what it should
    WARNING = "warning"  # it works, and something about it is wrong


_ORDER = list(Severity)


def severity_of(level: str, aspect: str) -> Severity:
    """The severity of an alarm by its level (hub | village | device | camera) and aspect."""
    if aspect == Aspect.PICTURE:
        return Severity.MINOR
    if aspect == Aspect.CLOCK:
        return Severity.WARNING
    if aspect == Aspect.LOAD:
        return Severity.MAJOR
    return Severity.CRITICAL if level in ("hub", "village") else Severity.MAJOR


def at_least(severity: str, minimum: str) -> bool:
    """Whether `severity` is `minimum` or more severe."""
    return rank(severity) <= rank(minimum)


def rank(severity: str) -> int:
    """0 for the most severe."""
    return _ORDER.index(Severity(severity))
