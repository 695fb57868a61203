"""Searches that users start: shown as a plan first, run in the background, cancellable, kept for an hour."""

import asyncio
import logging
import resource
import secrets
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, Self

from sqlalchemy import select

from camera_hub.access.policy import Actor, require_village
from camera_hub.cameras.discovery import ranges as address_ranges
from camera_hub.cameras.discovery.found import FoundDevice, FoundDevices, announced_device
from camera_hub.cameras.discovery.host_probe import RTSP_PORTS, Greeter, greeted, probe_host
from camera_hub.cameras.discovery.interfaces import Interface, interfaces
from camera_hub.cameras.discovery.multicast import multicast
from camera_hub.cameras.discovery.ranges import AddressRange
from camera_hub.cameras.discovery.udp import AnnouncementReceiver, listening
from camera_hub.cameras.discovery.ws_discovery import PORT, Announced
from camera_hub.cameras.identity import endpoint_key, registered_facts, same
from camera_hub.cameras.reach import Check, ReachPolicy, checking, no_ranges
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import DeviceSeen, EventBus, SweepChanged
from camera_hub.running import ended, running
from camera_hub.settings import DiscoverySettings
from camera_hub.store.database import Database
from camera_hub.store.tables import Device, Village

log = logging.getLogger(__name__)

KEPT = 32
KEPT_SECONDS = 3600.0
AT_ONCE = 4
PUBLISH_SECONDS = 0.5
ANSWER_SECONDS = 0.8
"""How long a host may take to answer a unicast Probe (APP_MAX_DELAY is 500 ms)."""

State = Literal["running", "done", "cancelled", "failed"]


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """What would be searched: by multicast on each interface, and the ranges address by address."""

    interfaces: list[Interface]
    ranges: list[AddressRange]
    hosts: int
    max_hosts: int


@dataclass(frozen=True, slots=True)
class FoundView:
    """One device that answered, and whether it is registered. `device_id` only if the user may see that device."""

    key: str
    host: str
    port: int
    name: str
    manufacturer: str
    model: str
    mac: str
    endpoint: str
    source: Literal["multicast", "unicast"]
    clock_error_s: float | None
    reason: str | None
    device_id: int | None
    other_village: bool


@dataclass(frozen=True, slots=True)
class SweepView:
    """The present state of a search."""

    id: str
    village_id: int
    state: State
    detail: str
    started_at: datetime
    total: int
    done: int
    found: list[FoundView]


@dataclass(slots=True)
class _Sweep:
    id: str
    user_id: int
    village_id: int
    started_at: datetime
    until: float
    found: FoundDevices
    check: Check
    total: int = 0
    done: int = 0
    state: State = "running"
    detail: str = ""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def add(self, device: FoundDevice) -> None:
        self.found.add(device)
        self.changed.set()


class Sweeps:
    """The searches. An async context manager; leaving cancels those that still run and waits for them."""

    def __init__(
        self,
        settings: DiscoverySettings,
        onvif: Greeter,
        bus: EventBus,
        clock: Clock,
        database: Database,
        policy: Callable[[], ReachPolicy],
        *,
        discovery_port: int = PORT,
    ) -> None:
        self._policy = policy
        self._settings = settings
        self._onvif = onvif
        self._bus = bus
        self._clock = clock
        self._database = database
        self._port = discovery_port
        self._sweeps: OrderedDict[str, _Sweep] = OrderedDict()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for sweep in self._sweeps.values():
            if sweep.task is not None and not sweep.task.done():
                await ended(sweep.task)

    async def plan(self, actor: Actor, ranges: Sequence[str], village_id: int | None = None) -> SweepPlan:
        """What would be searched; without ranges, those of the village.

        Who is bound to villages is not told the interfaces of the machine. Raises HubError: bad_range, too_many_hosts,
        range_outside_village, no_ranges.
        """
        if village_id is not None:
            kept = await self._village_ranges(actor, village_id)
            ranges = ranges or kept
            parsed = self._allowed(actor, ranges, kept)
        elif actor.bound:
            raise HubError(Kind.INVALID, "name the village that is searched for", reason="village_needed")
        else:
            parsed = self._allowed(actor, ranges, ())
        hosts = len(address_ranges.addresses(parsed))
        shown = interfaces() if self._settings.multicast and not actor.bound else []
        return SweepPlan(shown, parsed, hosts, self._settings.max_hosts)

    async def start(
        self, actor: Actor, village_id: int, *, multicast: bool, ranges: Sequence[str], ports: Sequence[int] = ()
    ) -> SweepView:
        """Start a search for that village. Who is bound to villages searches only their ranges; what answers a
        multicast from elsewhere is dropped.

        Raises HubError: NOT_FOUND, INVALID (bad_range, range_outside_village, no_ranges …), BUSY.
        """
        kept = await self._village_ranges(actor, village_id)
        parsed = self._allowed(actor, ranges, kept)
        check = checking(address_ranges.parsed(kept) if actor.bound else None, self._policy)
        self._forget_old()
        active = [one for one in self._sweeps.values() if one.state == "running"]
        if len(active) >= AT_ONCE or any(one.user_id == actor.user_id for one in active):
            raise HubError(Kind.BUSY, "a search is running already; wait for it or cancel it first", reason=Reason.BUSY)
        multicast = multicast and self._settings.multicast
        hosts = [one for one in address_ranges.addresses(parsed) if _may(check, one, self._port)]
        sweep = _Sweep(
            secrets.token_urlsafe(9),
            actor.user_id,
            village_id,
            self._clock.now(),
            self._clock.monotonic() + KEPT_SECONDS,
            total=len(hosts) + int(multicast),
            found=FoundDevices(village_id),
            check=check,
        )
        self._sweeps[sweep.id] = sweep
        work = self._run(sweep, hosts, tuple(ports) or self._settings.ports, multicast)
        sweep.task = asyncio.create_task(work, name=f"search {sweep.id}")
        return await self._view(actor, sweep)

    async def get(self, actor: Actor, sweep_id: str) -> SweepView:
        """A search in the actor's scope. Raises HubError(NOT_FOUND)."""
        return await self._view(actor, self._mine(actor, sweep_id))

    async def cancel(self, actor: Actor, sweep_id: str) -> SweepView:
        """Stop the search; what it found is kept. Raises HubError(NOT_FOUND)."""
        sweep = self._mine(actor, sweep_id)
        if sweep.task is not None and not sweep.task.done():
            sweep.state = "cancelled"
            await ended(sweep.task)
            self._bus.publish(SweepChanged(sweep.id, sweep.user_id))
        return await self._view(actor, sweep)

    async def _run(self, sweep: _Sweep, hosts: list[str], ports: Sequence[int], by_multicast: bool) -> None:
        async with running(self._publish_changes(sweep), f"search {sweep.id} events"):
            try:
                async with asyncio.TaskGroup() as group:
                    if by_multicast:
                        group.create_task(self._multicast(sweep), name=f"search {sweep.id} by multicast")
                    if hosts:
                        group.create_task(self._unicast(sweep, hosts, ports), name=f"search {sweep.id} of ranges")
                sweep.state = "done"
            except* Exception as errors:
                sweep.state, sweep.detail = "failed", "the search failed unexpectedly; the hub's log says why"
                log.error("search %s failed", sweep.id, exc_info=errors)
            finally:
                if sweep.state == "running":
                    sweep.state = "cancelled"
        self._bus.publish(SweepChanged(sweep.id, sweep.user_id))

    async def _publish_changes(self, sweep: _Sweep) -> None:
        while True:
            await sweep.changed.wait()
            sweep.changed.clear()
            self._bus.publish(SweepChanged(sweep.id, sweep.user_id))
            await self._clock.sleep(PUBLISH_SECONDS)

    async def _multicast(self, sweep: _Sweep) -> None:
        free = asyncio.Semaphore(self._settings.at_once)

        async def greet(one: FoundDevice) -> None:
            async with free:
                self._seen(sweep, await greeted(self._onvif, one, self._settings.onvif_timeout, sweep.check))

        async with asyncio.TaskGroup() as group:

            def on_announcement(one: Announced) -> None:
                device = announced_device(one, "multicast")
                if _may(sweep.check, device.host, device.port) and not sweep.found.knows(device):
                    sweep.add(device)
                    group.create_task(greet(device), name=f"greeting {one.host}")

            await multicast(
                interfaces(),
                on_announcement,
                self._clock,
                probes=self._settings.probes,
                listen_seconds=self._settings.listen_seconds,
                port=self._port,
            )
        sweep.done += 1
        sweep.changed.set()

    def _seen(self, sweep: _Sweep, device: FoundDevice) -> None:
        """Add what has answered; a registered device may have moved there (cameras.matches)."""
        sweep.add(device)
        if device.reason is None and (device.endpoint or device.mac):
            self._bus.publish(DeviceSeen("found", device.host, device.port, device.path, device.endpoint, device.mac))

    async def _unicast(self, sweep: _Sweep, hosts: list[str], ports: Sequence[int]) -> None:
        answers: dict[str, asyncio.Future[Announced]] = {}

        def on_announcement(one: Announced) -> None:
            waiting = answers.get(one.host)
            if waiting is not None and not waiting.done():
                waiting.set_result(one)

        async def probe(receiver: AnnouncementReceiver, host: str) -> None:
            async with free:
                waiting: asyncio.Future[Announced] = asyncio.get_running_loop().create_future()
                answers[host] = waiting

                async def announcement() -> Announced | None:
                    if _may(sweep.check, host, self._port):
                        receiver.ask((host, self._port))
                    try:
                        async with asyncio.timeout(ANSWER_SECONDS):
                            return await waiting
                    except TimeoutError:
                        return None

                try:
                    seconds = self._settings.host_timeout
                    found = await probe_host(self._onvif, host, ports, seconds, announcement, sweep.check)
                finally:
                    del answers[host]
                sweep.done += 1
                for one in found:
                    self._seen(sweep, one)
                sweep.changed.set()

        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        free = asyncio.Semaphore(hosts_at_once(self._settings.at_once, len(ports), descriptors))
        async with listening(on_announcement) as receiver, asyncio.TaskGroup() as group:
            for host in hosts:
                group.create_task(probe(receiver, host), name=f"probing {host}")

    async def _view(self, actor: Actor, sweep: _Sweep) -> SweepView:
        async with self._database.read() as session:
            known = (await session.scalars(select(Device).where(Device.retired_at.is_(None)))).all()
        # There is no await from here on: the state and the found devices are of the same moment.
        devices = sweep.found.all()
        registered = _registered(known, sweep.village_id, devices)
        views = []
        for one, row in zip(devices, registered, strict=True):
            visible = row is not None and actor.sees(row.village_id)
            if row is not None and not visible:  # it answers on this network, but only its own village may see its name
                one = FoundDevice(one.host, one.port, one.source, endpoint=one.endpoint, reason=one.reason)
            views.append(
                FoundView(
                    one.key,
                    one.host,
                    one.port,
                    one.name,
                    one.manufacturer,
                    one.model,
                    one.mac,
                    one.endpoint,
                    one.source,
                    one.clock_error_s,
                    one.reason,
                    row.id if row is not None and visible else None,
                    row is not None and row.village_id != sweep.village_id,
                )
            )
        return SweepView(
            sweep.id, sweep.village_id, sweep.state, sweep.detail, sweep.started_at, sweep.total, sweep.done, views
        )

    def _allowed(self, actor: Actor, ranges: Sequence[str], kept: Sequence[str]) -> list[AddressRange]:
        """The ranges, parsed, if the actor may search them; `kept` are those of the village."""
        if actor.bound and not kept:
            raise no_ranges()
        parsed = address_ranges.parsed(ranges, self._settings.max_hosts)
        if actor.bound:
            _within(parsed, address_ranges.parsed(kept))
        return parsed

    async def _village_ranges(self, actor: Actor, village_id: int) -> list[str]:
        require_village(actor, village_id, "village")
        async with self._database.read() as session:
            village = await session.get(Village, village_id)
        if village is None:
            raise HubError(Kind.NOT_FOUND, "there is no such village")
        return list(village.ranges)

    def _mine(self, actor: Actor, sweep_id: str) -> _Sweep:
        self._forget_old()
        sweep = self._sweeps.get(sweep_id)
        if sweep is None:
            raise HubError(Kind.NOT_FOUND, "there is no such search; searches are deleted after an hour")
        require_village(actor, sweep.village_id, "search")
        if actor.bound and sweep.user_id != actor.user_id:  # township staff may have searched for several villages
            raise HubError(Kind.NOT_FOUND, "there is no such search")
        return sweep

    def _forget_old(self) -> None:
        now = self._clock.monotonic()
        for sweep in list(self._sweeps.values()):
            if sweep.state != "running" and (now >= sweep.until or len(self._sweeps) >= KEPT):
                del self._sweeps[sweep.id]


def hosts_at_once(wanted: int, ports: int, descriptors: int) -> int:
    """How many hosts are probed side by side: each needs a descriptor per port, and half of them are others' to use.

    A connection that finds no descriptor would look like a closed port, and the device as if it were not there.
    """
    if descriptors < 0:  # no limit
        return wanted
    return max(8, min(wanted, descriptors // 2 // (ports + len(RTSP_PORTS) + 1)))


def _may(check: Check, host: str, port: int) -> bool:
    """Whether the check allows the connection."""
    try:
        check(host, port)
    except HubError:
        return False
    return True


def _registered(known: Sequence[Device], village_id: int, found: Sequence[FoundDevice]) -> list[Device | None]:
    """For each found device the registered device that it is, if any. One that answers at its own place is not at
    another one as well: what has its marks there is a unit of the same make, or a second way to it, and can be chosen.
    """
    near: dict[str, list[Device]] = defaultdict(list)  # so that not every pair has to be compared
    for row in known:
        for key in {row.host, endpoint_key(row.endpoint)}:
            near[key].append(row)

    def candidates(one: FoundDevice) -> list[Device]:
        facts = one.facts(village_id)
        keys = [endpoint_key(one.endpoint), one.host] if one.endpoint else [one.host]
        rows = (row for key in keys for row in near.get(key, ()))
        return [row for row in rows if same(replace(registered_facts(row), maker=""), facts)]

    likely = [candidates(one) for one in found]
    at_home = [
        next((row for row in rows if (row.host, row.asked_port) == (one.host, one.port)), None)
        for one, rows in zip(found, likely, strict=True)
    ]
    taken = {row.id for row in at_home if row is not None}
    return [
        own or next((row for row in rows if row.id not in taken), None)
        for own, rows in zip(at_home, likely, strict=True)
    ]


def _within(asked: Sequence[AddressRange], allowed: Sequence[AddressRange]) -> None:
    """Raise HubError(INVALID, range_outside_village) for a range that the village does not have."""
    for one in asked:
        if not any(own.first <= one.first and one.last <= own.last for own in allowed):
            raise HubError(
                Kind.INVALID,
                f"the range {one.text} does not belong to this village; a township admin can add it",
                reason="range_outside_village",
                range=one.text,
            )
