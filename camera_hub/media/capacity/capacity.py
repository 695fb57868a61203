"""What this hub's relays bear: asked before a picture is bound, a player served, or a camera looked at.

Each relay's budget is fed with the measurements of its pulses. The hub's own event loop is measured, too: where that is
late, nothing that the hub times says anything about a camera.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import Event, HubLoad
from camera_hub.media.capacity.budget import Grant, RelayBudget, Want
from camera_hub.media.capacity.costs import CostModel, StreamRates
from camera_hub.media.capacity.load_level import LATENESS, Load, LoadLevel, LoadState
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.interface import PullableStream
from camera_hub.relay.messages import RelayPulse

RETRY_SECONDS = 5
"""Who is refused without a place in the queue (a player) is told to come back after so long."""
REPEAT_SECONDS = 10.0
"""The load is published again after so long, also that it is over: whoever missed it learns it then."""

Purpose = Literal["look", "warm", "ahead"]


class MeasuredRelay(Protocol):
    """A relay (relays.link)."""

    number: int
    epoch: int

    @property
    def pulse(self) -> RelayPulse | None: ...
    @property
    def readings(self) -> dict[str, Any]: ...


class MeasuredLoop(Protocol):
    """The hub's event loop (event_loop.LoopMeter)."""

    @property
    def busy(self) -> float: ...
    @property
    def late(self) -> float: ...


class Publisher(Protocol):
    """Where changes are published (events.EventBus)."""

    def publish(self, event: Event) -> None: ...


@dataclass(slots=True)
class _RelayLoad:
    """What is known of one relay."""

    budget: RelayBudget
    costs: CostModel
    epoch: int = 0
    pulse: RelayPulse | None = None


class Capacity:
    """Of all relays. `running`: the feeds that run or wait to. `refused`, `postponed`: how often a picture was refused,
    and a look or a warmed feed put off.
    """

    def __init__(
        self,
        relays: Sequence[MeasuredRelay],
        running: Container[FeedKey],
        bus: Publisher,
        clock: Clock,
        loop: MeasuredLoop,
        limit: float,
    ) -> None:
        self._links = relays
        self._running = running
        self._bus = bus
        self._clock = clock
        self._loop = loop
        self._limit = limit
        self._relays = {link.number: _RelayLoad(RelayBudget(limit), CostModel()) for link in relays}
        self._rates = StreamRates()
        self._hub = LoadState(LATENESS)
        self._told = HubLoad((), False)
        self._told_at = clock.monotonic()
        self.refused = 0
        self.postponed = 0

    def observe(self) -> None:
        """Take in what was measured lately. Each second."""
        now = self._clock.monotonic()
        for link in self._links:
            known = self._relays[link.number]
            if link.epoch != known.epoch:
                known.epoch = link.epoch
                known.budget.restart()
            pulse = link.pulse
            if pulse is None or pulse is known.pulse:
                continue
            known.pulse = pulse
            known.budget.observe(now, Load(pulse.loop_busy, pulse.loop_late))
            known.costs.learn(pulse)
            self._rates.learn(link.readings.get("feeds", {}))
        self._hub.update(now, Load(self._loop.busy, self._loop.late))
        self._publish(now)

    def ask(
        self,
        relay: int,
        stream: PullableStream,
        holder: str,
        *,
        sent: bool = True,
        replaces: bool = False,
        only: bool = False,
    ) -> Grant:
        """Whether one more picture of the stream may be shown: `sent` as video; it `replaces` one that is shown; the
        camera has this stream `only`.

        What is granted is reserved for `holder`, and must be used at once.
        """
        known = self._relays[relay]
        rate = self._rates.of(stream.spec.feed, stream.role)
        cost = known.costs.track(rate) if sent else 0.0
        if FeedKey(relay, stream.spec.feed) not in self._running:
            cost += known.costs.feed(rate)
        want = Want(holder, cost, stream.role == "main" and not only, replaces, known.costs.is_guess)
        grant = known.budget.ask(self._clock.monotonic(), want)
        self.refused += grant is Grant.REFUSED
        return grant

    def require(self, relay: int, stream: PullableStream, holder: str) -> None:
        """As `ask`, for who cannot be shown anything else instead. Raises HubError(BUSY)."""
        if self.ask(relay, stream, holder, only=True) is not Grant.GRANTED:
            raise busy(retry_in=RETRY_SECONDS)

    def has_room(self, relay: int) -> bool:
        """Whether it makes sense to ask for a picture."""
        return self._relays[relay].budget.has_room(self._clock.monotonic())

    def may_open(self, relay: int, purpose: Purpose, others: int = 0) -> bool:
        """Whether a feed may be opened that nobody watches yet: for a tour's next stop until nothing more fits; ahead,
        for a stop that comes only if somebody asks, while there is time to spare; for a look only one at a time where
        there is none, `others`: those that are open on that relay."""
        if self._limit >= 1:
            return True
        level = max(self._relays[relay].budget.level, self._hub.level)
        if level is LoadLevel.NORMAL or (
            level is LoadLevel.BUSY and (purpose == "warm" or (purpose == "look" and not others))
        ):
            return True
        self.postponed += 1
        return False

    def is_late(self, relay: int) -> bool:
        """Whether the relay or the hub is so late that what is timed there says nothing about a camera."""
        return self._relays[relay].budget.is_late or self._hub.level is LoadLevel.FULL

    def word(self, relay: int) -> str:
        """How loaded that relay is: normal | busy | full."""
        return self._relays[relay].budget.level.word

    def read(self) -> Mapping[str, Any]:
        """For /metrics and /api/system: the hub's own loop."""
        return {
            "loop_busy": self._loop.busy,
            "loop_late": self._loop.late,
            "load": self._hub.level.word,
            "refused": self.refused,
            "postponed": self.postponed,
        }

    def _publish(self, now: float) -> None:
        full = tuple(n for n, known in self._relays.items() if known.budget.level is LoadLevel.FULL)
        load = HubLoad(full, self._hub.level is LoadLevel.FULL)
        if load == self._told and now - self._told_at < REPEAT_SECONDS:
            return
        self._told, self._told_at = load, now
        self._bus.publish(load)


def busy(**params: Any) -> HubError:
    """The refusal of whoever asks for a picture that the machine cannot carry."""
    return HubError(
        Kind.BUSY,
        "the server carries as many pictures as it can; close some, show sub streams, or give it more relays",
        reason=Reason.BUSY,
        **params,
    )
