"""Pure: whether the hub's own load is an alarm. A peak is none; one that lasts is, until it is over for a while."""

from dataclasses import dataclass

from camera_hub.errors import Reason
from camera_hub.health.judging.causes import AlarmKey, ExpectedAlarm
from camera_hub.health.judging.verdict import Aspect

RAISE_SECONDS = 30.0
CLOSE_SECONDS = 30.0
KEY = AlarmKey("hub", Aspect.LOAD, 0)


@dataclass(frozen=True, slots=True)
class Overload:
    """What carries more than it can: relays, and the hub itself."""

    relays: tuple[int, ...] = ()
    hub: bool = False

    def __bool__(self) -> bool:
        return bool(self.relays) or self.hub

    def detail(self) -> str:
        """What it is, and what helps."""
        sentences: list[str] = []  # the short one comes first: an alarm's detail is cut at 255 characters
        if self.hub:
            sentences.append("the hub process runs late; looks are postponed: give the server more CPU")
        if self.relays:
            names = " and ".join(f"relay {number}" for number in self.relays)
            sentences.append(
                f"{names} cannot carry more; new pictures wait: close pictures, show sub streams, raise media.relays "
                "or add cores"
            )
        return ". ".join(sentences)


class LoadWatch:
    """Follows the load that media reports. Times are monotonic seconds."""

    def __init__(self, *, open_since: float | None = None) -> None:
        self._now = Overload()
        self._changed_at: float | None = open_since
        self._raised = open_since is not None
        self._named = Overload()

    @property
    def hub_is_late(self) -> bool:
        """Whether the hub itself is so late that a silence which it found says nothing."""
        return self._now.hub

    def report(self, overload: Overload, now: float) -> None:
        """Media reports what is overloaded now."""
        if bool(overload) != bool(self._now) or self._changed_at is None:
            self._changed_at = now
        self._now = overload
        if overload:
            self._named = overload

    def expected(self, now: float) -> ExpectedAlarm | None:
        """The alarm that should be open now."""
        lasted = now - self._changed_at if self._changed_at is not None else 0.0
        if self._now:
            self._raised = self._raised or lasted >= RAISE_SECONDS
        elif lasted >= CLOSE_SECONDS:
            self._raised = False
        return ExpectedAlarm(KEY, Reason.OVERLOADED, frozenset(), detail=self._named.detail()) if self._raised else None
