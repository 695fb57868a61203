"""Events through pull points: a limited number of them, which expire unless pulled or renewed."""

import asyncio
import contextlib
import itertools
import re
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from xml.sax.saxutils import escape

from camera_hub.simulator.faults import Fault
from camera_hub.simulator.onvif.call import Call, Operation, Profiles
from camera_hub.simulator.onvif.soap import Refusal, seconds
from camera_hub.simulator.state import DeviceState

_LIFE = 60.0
_LONGEST_LIFE = 3600.0
_LONGEST_PULL = 60.0
_SHORT_PULL = 10.0
_WAITING_LIMIT = 100
_PATH = "/onvif/subscription/"
_DIALECT = "http://docs.oasis-open.org/wsn/t-1/TopicExpression/"
MOTION = "tns1:VideoSource/MotionAlarm"


@dataclass(slots=True)
class PullPoint:
    """One subscription. Times are on the monotonic clock, in seconds."""

    name: str
    ends: float
    waiting: deque[str] = field(default_factory=lambda: deque(maxlen=_WAITING_LIMIT))
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    pulling: bool = False


class EventService:
    """Keeps pull points and delivers events to them."""

    def __init__(self, state: DeviceState, profiles: Profiles) -> None:
        self._state = state
        self._profiles = profiles
        self._points: dict[str, PullPoint] = {}
        self._names = itertools.count(1)
        self.operations: dict[str, Operation] = {
            "tev:GetServiceCapabilities": self._get_capabilities,
            "tev:GetEventProperties": self._get_properties,
            "tev:CreatePullPointSubscription": self._create,
            "tev:PullMessages": self._pull,
            "tev:SetSynchronizationPoint": self._synchronize,
            "wsnt:Renew": self._renew,
            "wsnt:Unsubscribe": self._unsubscribe,
        }

    def publish(self, topic: str, source: str, name: str, value: str, operation: str = "Changed") -> None:
        """Queue a message for every pull point; where nobody pulls, the oldest one is dropped."""
        message = self._message(topic, source, name, value, operation)
        for point in self._living():
            point.waiting.append(message)
            point.arrived.set()

    async def _get_capabilities(self, call: Call) -> str:
        return (
            '<tev:Capabilities WSSubscriptionPolicySupport="false" WSPullPointSupport="true" '
            'WSPausableSubscriptionManagerInterfaceSupport="false" '
            f'MaxPullPoints="{self._state.plan.max_pull_points}"/>'
        )

    async def _get_properties(self, call: Call) -> str:
        return (
            "<tev:TopicNamespaceLocation>http://www.onvif.org/onvif/ver10/topics/topicns.xml</tev:TopicNamespaceLocation>"
            '<wsnt:FixedTopicSet>true</wsnt:FixedTopicSet><wstop:TopicSet xmlns:wstop="http://docs.oasis-open.org/wsn/t-1">'
            '<tns1:VideoSource><MotionAlarm wstop:topic="true"><tt:MessageDescription IsProperty="true"><tt:Source>'
            '<tt:SimpleItemDescription Name="Source" Type="tt:ReferenceToken"/></tt:Source><tt:Data>'
            '<tt:SimpleItemDescription Name="State" Type="xs:boolean" xmlns:xs="http://www.w3.org/2001/XMLSchema"/>'
            "</tt:Data></tt:MessageDescription></MotionAlarm></tns1:VideoSource></wstop:TopicSet>"
            f"<wsnt:TopicExpressionDialect>{_DIALECT}Concrete</wsnt:TopicExpressionDialect>"
            "<tev:MessageContentFilterDialect>http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter"
            "</tev:MessageContentFilterDialect><tev:MessageContentSchemaLocation>"
            "http://www.onvif.org/onvif/ver10/schema/onvif.xsd</tev:MessageContentSchemaLocation>"
        )

    async def _create(self, call: Call) -> str:
        living = self._living()
        if len(living) >= self._state.plan.max_pull_points:
            raise Refusal("All pull points are taken", "wsnt:SubscribeCreationFailedFault", sender=False, status=500)
        name = str(next(self._names))
        point = PullPoint(
            name, self._state.clock.monotonic() + self._life(call.envelope.text("tev:InitialTerminationTime"))
        )
        self._points[name] = point
        stats = self._state.stats
        stats.pull_points_opened += 1
        stats.pull_points = len(self._living())
        self._fill(point)
        return (
            f"<tev:SubscriptionReference><wsa:Address>{self._state.http_url(_PATH + name)}</wsa:Address>"
            f"</tev:SubscriptionReference>{self._times(point)}"
        )

    async def _pull(self, call: Call) -> str:
        point = self._of(call)
        if point.pulling:
            raise Refusal("This pull point is being pulled already", "ter:InvalidArgVal")
        wait = seconds(call.envelope.text("tev:Timeout"))
        limit = call.envelope.text("tev:MessageLimit")
        if wait is None or not limit.isdigit() or int(limit) < 1:
            raise Refusal("A pull needs a timeout and a limit", "ter:InvalidArgVal")
        short = Fault.SHORT_PULLS in self._state.faults()
        if short and wait > _SHORT_PULL:
            raise Refusal("The timeout is too long", "tev:PullMessagesFaultResponse", sender=False, status=500)
        point.pulling = True
        try:
            if not point.waiting:
                point.arrived.clear()
                with contextlib.suppress(TimeoutError):
                    await self._arrival(point, min(wait, _LONGEST_PULL))
        finally:
            point.pulling = False
        if not short:
            point.ends = max(point.ends, self._state.clock.monotonic() + _LIFE)
        messages = [point.waiting.popleft() for _ in range(min(int(limit), len(point.waiting)))]
        return self._times(point, "tev") + "".join(messages)

    async def _arrival(self, point: PullPoint, wait: float) -> None:
        """Wait until a message arrives or the time on the injected clock is over."""
        arrived = asyncio.ensure_future(point.arrived.wait())
        over = asyncio.ensure_future(self._state.clock.sleep(wait))
        try:
            await asyncio.wait((arrived, over), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (arrived, over):
                task.cancel()
            await asyncio.gather(arrived, over, return_exceptions=True)

    async def _synchronize(self, call: Call) -> str:
        self._fill(self._of(call))
        return ""

    async def _renew(self, call: Call) -> str:
        point = self._of(call)
        point.ends = self._state.clock.monotonic() + self._life(call.envelope.text("wsnt:TerminationTime"))
        return (
            f"<wsnt:TerminationTime>{self._shown(point.ends)}</wsnt:TerminationTime>"
            f"<wsnt:CurrentTime>{_text(self._state.now())}</wsnt:CurrentTime>"
        )

    async def _unsubscribe(self, call: Call) -> str:
        point = self._of(call)
        del self._points[point.name]
        self._state.stats.pull_points = len(self._living())
        return ""

    def _living(self) -> list[PullPoint]:
        now = self._state.clock.monotonic()
        self._points = {name: point for name, point in self._points.items() if point.ends > now}
        self._state.stats.pull_points = len(self._points)
        return list(self._points.values())

    def _of(self, call: Call) -> PullPoint:
        self._living()
        found = self._points.get(call.path.removeprefix(_PATH))
        if found is None:
            raise Refusal("There is no such subscription", "wsnt:ResourceUnknownFault")
        return found

    def _life(self, wanted: str) -> float:
        """The lifetime of a subscription in seconds: from a duration, a time on the device's clock, or the default."""
        span = seconds(wanted) if wanted else _LIFE
        if span is not None and wanted and Fault.ABSOLUTE_TIMES in self._state.faults():
            raise Refusal("Not a duration", "wsnt:UnacceptableInitialTerminationTimeFault")
        if span is None:
            try:
                span = (datetime.fromisoformat(wanted) - self._state.now()).total_seconds()
            except (ValueError, TypeError) as error:
                raise Refusal(
                    "That is not a termination time", "wsnt:UnacceptableInitialTerminationTimeFault"
                ) from error
        return min(max(span, 1.0), _LONGEST_LIFE)

    def _shown(self, ends: float) -> str:
        return _text(self._state.now() + timedelta(seconds=ends - self._state.clock.monotonic()))

    def _times(self, point: PullPoint, prefix: str = "wsnt") -> str:
        return (
            f"<{prefix}:CurrentTime>{_text(self._state.now())}</{prefix}:CurrentTime>"
            f"<{prefix}:TerminationTime>{self._shown(point.ends)}</{prefix}:TerminationTime>"
        )

    def _fill(self, point: PullPoint) -> None:
        """Queue the present state of all properties for a pull point."""
        for profile in self._profiles.all:
            if profile.number == 1:
                point.waiting.append(self._message(MOTION, profile.source, "State", "false", "Initialized"))
        point.arrived.set()

    def _message(self, topic: str, source: str, name: str, value: str, operation: str) -> str:
        if not re.fullmatch(r"[\w:/]+", topic):
            raise ValueError("not a topic")
        return (
            f'<wsnt:NotificationMessage><wsnt:Topic Dialect="{_DIALECT}ConcreteSet">{topic}</wsnt:Topic><wsnt:Message>'
            f'<tt:Message UtcTime="{_text(self._state.now())}" PropertyOperation="{operation}"><tt:Source>'
            f'<tt:SimpleItem Name="Source" Value="{escape(source)}"/></tt:Source><tt:Data>'
            f'<tt:SimpleItem Name="{escape(name)}" Value="{escape(value)}"/></tt:Data></tt:Message>'
            "</wsnt:Message></wsnt:NotificationMessage>"
        )


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
