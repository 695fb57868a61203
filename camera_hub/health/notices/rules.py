"""Pure: which alarms a channel gets."""

from collections.abc import Iterable
from dataclasses import dataclass

from camera_hub.health.judging.alarm_severity import at_least


@dataclass(frozen=True, slots=True)
class RuleView:
    """One rule of a channel; None matches all. A rule with a village leaves out the hub's own alarms."""

    village_id: int | None = None
    aspect: str | None = None  # media | picture | clock
    min_severity: str | None = None  # critical | major | minor | warning

    def matches(self, village_id: int | None, aspect: str, severity: str) -> bool:
        """Whether an alarm of that village, aspect and severity is meant."""
        return (
            self.village_id in (None, village_id)
            and self.aspect in (None, aspect)
            and (self.min_severity is None or at_least(severity, self.min_severity))
        )


EVERYTHING = RuleView()


def is_meant(rules: Iterable[RuleView], village_id: int | None, aspect: str, severity: str) -> bool:
    """Whether any of a channel's rules matches. A channel without rules gets nothing."""
    return any(rule.matches(village_id, aspect, severity) for rule in rules)
