"""Whether a registered device's place is still its own: another device that answers there gets no login.

Asked before each attempt with a device's login, whatever the protocol (credentials.login_budget). Where the device may
have been exchanged (its line was cut, it said Bye or Hello, nobody has asked since the hub started), it is first asked
who it is, without any login. What speaks against it is kept with the device until a person has said what it is, or
until the known one answers again.
"""

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol, Self
from weakref import WeakValueDictionary

from sqlalchemy import select

from camera_hub.cameras.described import Identity
from camera_hub.cameras.device_checks import DeviceChecks
from camera_hub.cameras.identity import DeviceFacts, against, compared, differing, found_facts, marks, registered_facts
from camera_hub.cameras.matches.questions import Doubt, MatchSource, OtherSide, ask
from camera_hub.cameras.reach import Check
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import (
    DeviceChanged,
    DeviceMissed,
    EventBus,
    FeedChanged,
    Lagged,
    MatchChanged,
    StrangerFound,
    Subscription,
)
from camera_hub.peculiarity_kinds import PeculiarityKind
from camera_hub.running import Backoff, keep_running, running
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, DeviceMatch

log = logging.getLogger(__name__)

ASK_SECONDS, AGAIN_SECONDS = 2.5, 0.6
"""How long a login waits for the device to tell who it is; the second where it did not tell the last time."""
KNOWN_SECONDS = 300.0
"""How long an answer counts where nothing was noticed meanwhile."""
REFRESH_SECONDS = 180.0
"""After so long a device is asked again in the background: whoever clicks on its picture need not wait for that."""
RECHECK_SECONDS = 30.0
"""How often it is asked whether a device that was exchanged is back, and which answers grow old."""
ASKED_AT_ONCE = 8
_REMEMBERED = 4096

_CUT = frozenset(
    {
        Reason.UNREACHABLE,
        Reason.PORT_CLOSED,
        Reason.TIMED_OUT,
        Reason.STALLED,
        Reason.NO_MEDIA,
        Reason.BAD_REPLY,
        Reason.NOT_RTSP,
        Reason.TLS_FAILED,
        Reason.STREAM_NOT_FOUND,
        Reason.WRONG_PASSWORD,
        Reason.LOGIN_NEEDED,
    }
)
"""Why a feed may have failed where the device was exchanged."""


class IdentityAsker(Protocol):
    """What is needed of onvif.client."""

    async def identity(
        self,
        host: str,
        port: int,
        path: str,
        *,
        known_endpoint: str = "",
        timeout: float | None = None,
        check: Check | None = None,
    ) -> Identity:
        """Who the device is, without a login. Raises HubError."""
        ...


class KnownKinds(Protocol):
    """What is needed of cameras.peculiarities."""

    async def of(self, device_id: int) -> Mapping[str, str]: ...
    async def note(self, device_id: int, kind: PeculiarityKind | str, value: str) -> None: ...


@dataclass(slots=True)
class _Memory:
    """`asked_at`: when the device was last asked who it is; None: not since its line was cut, or it did not tell
    (`silent`)."""

    asked_at: float | None = None
    silent: bool = False
    distrusted: bool = False


class DeviceTrust:
    """Of all devices. An async context manager; entering reads which devices are not trusted. `strangers` counts other
    devices that were found at the place of a registered one, `asked` how often devices were asked who they are,
    `unanswered` how often they did not tell."""

    def __init__(
        self,
        database: Database,
        bus: EventBus,
        clock: Clock,
        onvif: IdentityAsker,
        checks: DeviceChecks,
        peculiarities: KnownKinds,
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._onvif = onvif
        self._checks = checks
        self._peculiarities = peculiarities
        self._devices: OrderedDict[int, _Memory] = OrderedDict()
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._stack = contextlib.AsyncExitStack()
        self.strangers = 0
        self.asked = 0
        self.unanswered = 0

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            kinds = (FeedChanged, DeviceMissed, DeviceChanged, StrangerFound)
            subscription = stack.enter_context(self._bus.subscribe(*kinds, limit=4096))
            async with self._database.read() as session:
                for device_id in await session.scalars(select(Device.id).where(Device.distrusted_at.is_not(None))):
                    self._devices[device_id] = _Memory(distrusted=True)
            work = keep_running(
                "device trust", lambda: self._follow(subscription), clock=self._clock, backoff=Backoff(cap=5.0)
            )
            await stack.enter_async_context(running(work, "device trust"))
            beat = Backoff(first=RECHECK_SECONDS, cap=RECHECK_SECONDS, floor=RECHECK_SECONDS)
            again = keep_running("distrusted devices", self._recheck, clock=self._clock, backoff=beat)
            await stack.enter_async_context(running(again, "distrusted devices"))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def clear(self, device_id: int) -> None:
        """Raise HubError(CONFLICT, identity_changed) if another device answers at this one's place. Implements
        login_budget.PlaceTrust."""
        lock = self._locks.setdefault(device_id, asyncio.Lock())
        async with lock:
            memory = self._memory(device_id)
            now = self._clock.monotonic()
            if not memory.distrusted and (memory.asked_at is None or now - memory.asked_at >= KNOWN_SECONDS):
                memory.asked_at = now
                await self._look(device_id, memory, AGAIN_SECONDS if memory.silent else ASK_SECONDS)
        if memory.distrusted:
            raise HubError(
                Kind.CONFLICT,
                "another device answers at this address; it gets no login until somebody has checked it and said so",
                reason=Reason.IDENTITY_CHANGED,
                device=device_id,
                untried=True,
            )

    def doubt(self, device_id: int) -> None:
        """The device may have been exchanged: it is asked who it is before it gets its login again."""
        self._memory(device_id).asked_at = None

    async def accept(self, device_id: int, *, endpoint_varies: bool = False) -> None:
        """A person has said that what answers is the device; the caller has stored it. `endpoint_varies`: nothing but
        its endpoint was another one, which nobody is to be asked about again."""
        memory = self._memory(device_id)
        memory.distrusted, memory.asked_at = False, None
        if endpoint_varies:
            await self._peculiarities.note(device_id, PeculiarityKind.ENDPOINT_VARIES, "yes")

    async def _follow(self, events: Subscription) -> None:
        async for event in events:
            match event:
                case FeedChanged(camera_id, _, _, reason) if reason in _CUT:
                    async with self._database.read() as session:
                        device_id = await session.scalar(select(Camera.device_id).where(Camera.id == camera_id))
                    if device_id is not None:
                        self.doubt(device_id)
                case DeviceMissed(device_id):
                    self.doubt(device_id)
                case DeviceChanged(device_id, _, True):
                    self.doubt(device_id)
                case StrangerFound():
                    said = Identity(event.manufacturer, event.model, "", event.serial, event.mac, event.endpoint)
                    await self._found(event.device_id, said, "describe")
                case Lagged():
                    for device_id in list(self._devices):
                        self.doubt(device_id)

    async def _recheck(self) -> None:
        """Whether the known devices are back, and whether those that were asked long ago are still the same."""
        slots = asyncio.Semaphore(ASKED_AT_ONCE)

        async def look(device_id: int, memory: _Memory) -> None:
            async with slots:
                began = self._clock.monotonic()
                await self._look(device_id, memory, ASK_SECONDS)
                if memory.asked_at is not None:  # else it did not tell, or a doubt came up meanwhile
                    memory.asked_at = began

        now = self._clock.monotonic()
        async with asyncio.TaskGroup() as group:
            for device_id, memory in list(self._devices.items()):
                old = memory.asked_at is not None and now - memory.asked_at >= REFRESH_SECONDS
                if memory.distrusted or memory.silent or old:
                    group.create_task(look(device_id, memory), name=f"identity of device {device_id}")

    async def _look(self, device_id: int, memory: _Memory, seconds: float) -> None:
        """Ask the device who it is; where it does not tell, nothing speaks against it."""
        async with self._database.read() as session:
            device = await session.get(Device, device_id)
        if device is None or device.asked_port is None or device.retired_at is not None:
            return
        if device.onvif_port is None and not device.endpoint:
            return  # all that is known of it is told to its login alone
        if not marks(registered_facts(device)):
            return  # nothing is known that could speak against it
        self.asked += 1
        try:
            said = await self._onvif.identity(
                device.host,
                device.asked_port,
                device.onvif_path,
                known_endpoint=device.endpoint,
                timeout=seconds,
                check=await self._checks.of_device(device_id, whoever=True),
            )
        except HubError as error:
            self.unanswered += 1
            log.debug("device %d does not tell who it is: %s", device_id, error)
            if device.onvif_port is not None or error.reason != Reason.ONVIF_OFF:
                memory.silent, memory.asked_at = True, None  # whoever answers next is asked again
            return
        memory.silent = False
        found = found_facts(said, device.village_id, device.host, device.asked_port)
        varies = PeculiarityKind.ENDPOINT_VARIES in await self._peculiarities.of(device_id)
        if against(registered_facts(device), found, endpoint_varies=varies):
            if not memory.distrusted:
                await self._distrust(device_id, found, said, "login")
        elif memory.distrusted and compared(registered_facts(device), found).agree:
            await self._returned(device_id)

    async def _found(self, device_id: int, said: Identity, source: MatchSource) -> None:
        async with self._database.read() as session:
            device = await session.get(Device, device_id)
        if device is not None and not self._memory(device_id).distrusted:
            place = (device.village_id, device.host, device.asked_port)
            await self._distrust(device_id, found_facts(said, *place), said, source)

    async def _distrust(self, device_id: int, found: DeviceFacts, said: Identity, source: MatchSource) -> None:
        self._memory(device_id).distrusted = True  # first of all: the row is for restarts and for people
        self.strangers += 1
        async with self._database.write() as session:
            device = await session.get(Device, device_id)
            if device is None:
                return
            device.distrusted_at = self._clock.now()
            known = registered_facts(device)
            doubt = Doubt(device, replace(compared(known, found), differ=differing(known, found)))
            other = OtherSide(found, device.onvif_path, f"{said.manufacturer} {said.model}".strip())
            asked = await ask(session, "changed", doubt, other, source, self._clock.now())
        log.warning("another device answers at the place of device %d; it gets no login", device_id)
        self._tell(device, [asked] if asked is not None else [])

    async def _returned(self, device_id: int) -> None:
        """The known device answers at its place again."""
        async with self._database.write() as session:
            device = await session.get(Device, device_id)
            if device is None:
                return
            device.distrusted_at = None
            questions = select(DeviceMatch).where(
                DeviceMatch.device_id == device_id, DeviceMatch.kind == "changed", DeviceMatch.state == "open"
            )
            closed = list(await session.scalars(questions))
            for match in closed:
                match.state, match.decided_at = "gone", self._clock.now()
        self._memory(device_id).distrusted = False
        log.info("device %d answers at its place again", device_id)
        self._tell(device, closed)

    def _tell(self, device: Device, matches: list[DeviceMatch]) -> None:
        self._bus.publish(DeviceChanged(device.id, device.village_id))
        for match in matches:
            self._bus.publish(MatchChanged(match.id, match.village_id, match.other_village_id))

    def _memory(self, device_id: int) -> _Memory:
        memory = self._devices.setdefault(device_id, _Memory())
        self._devices.move_to_end(device_id)
        if len(self._devices) > _REMEMBERED:
            for old, one in list(self._devices.items())[: _REMEMBERED // 4]:
                if not one.distrusted and old != device_id:
                    del self._devices[old]
        return memory
