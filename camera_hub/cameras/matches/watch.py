"""Devices that are seen at another place than the registered one: by their Hello, or by a search.

Nothing of an announcement is believed. Where it names a known endpoint or MAC, the hub looks there itself, without any
login, and at the registered place. Only if nothing of the device answers there any more is a person asked whether it
has moved. A Bye, and a Hello from the registered place, have the device looked at soon, and are no alarm.
"""

import asyncio
import contextlib
import logging
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Self

from sqlalchemy import select

from camera_hub.cameras.described import Identity
from camera_hub.cameras.device_checks import DeviceChecks
from camera_hub.cameras.identity import (
    DeviceFacts,
    Likeness,
    changed,
    compared,
    endpoint_key,
    found_facts,
    marks,
    registered_facts,
)
from camera_hub.cameras.matches.questions import (
    Doubt,
    MatchSource,
    OtherSide,
    ask,
    known_devices,
    shared_marks,
)
from camera_hub.cameras.matches.trust import IdentityAsker
from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.events import DeviceMissed, DeviceSeen, EventBus, MatchChanged, Subscription
from camera_hub.running import Backoff, keep_running, running
from camera_hub.store.database import Database
from camera_hub.store.tables import Device, DeviceMatch

log = logging.getLogger(__name__)

ASK_SECONDS = 2.5
AT_ONCE = 8
REST_SECONDS = 20.0
"""How long a place and a device that were looked at are left alone."""
_REMEMBERED = 2048
_CANDIDATES = 4
"""A mark that more devices have says nothing about which one has moved."""


@dataclass(slots=True)
class WatchFigures:
    """What became of what was seen: `unknown` names no registered device, `rested` came again too soon, `unconfirmed`
    was not found at that address, `elsewhere_too` still answers at its registered place, `asked` is a question."""

    unknown: int = 0
    rested: int = 0
    unconfirmed: int = 0
    elsewhere_too: int = 0
    asked: int = 0
    missed: int = 0


class MoveWatch:
    """An async context manager: while entered, it follows DeviceSeen."""

    def __init__(
        self, database: Database, bus: EventBus, clock: Clock, onvif: IdentityAsker, checks: DeviceChecks
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._onvif = onvif
        self._checks = checks
        self._rests: OrderedDict[object, float] = OrderedDict()
        self._stack = contextlib.AsyncExitStack()
        self.figures = WatchFigures()

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            events = stack.enter_context(self._bus.subscribe(DeviceSeen, limit=256))
            work = keep_running(
                "moved devices", lambda: self._follow(events), clock=self._clock, backoff=Backoff(cap=5.0)
            )
            await stack.enter_async_context(running(work, "moved devices"))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _follow(self, events: Subscription) -> None:
        slots = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as group:

            async def one(seen: DeviceSeen) -> None:
                try:
                    await self.look(seen)
                except HubError as error:
                    log.warning("what was announced from %s could not be followed: %s", seen.host, error)
                finally:
                    slots.release()

            async for event in events:
                if isinstance(event, DeviceSeen):
                    await slots.acquire()
                    group.create_task(one(event), name=f"look at {event.host}")

    async def look(self, seen: DeviceSeen) -> None:
        """Follow what was seen. Raises HubError when the database fails."""
        announced = DeviceFacts("", "", seen.mac, seen.endpoint, (0, seen.host, seen.port))
        async with self._database.read() as session:
            known = [one for one in await known_devices(session, announced) if _names(one, announced)]
        if not known or len(known) > _CANDIDATES:
            self.figures.unknown += 1
            return
        here = [one for one in known if one.host == seen.host and (seen.kind == "bye" or _at(one, seen))]
        if here or seen.kind == "bye":
            for device in here if seen.kind != "found" else ():
                if not self._rested(("missed", device.id)):
                    self.figures.missed += 1
                    self._bus.publish(DeviceMissed(device.id))
            return
        if self._rested((seen.host, seen.port, endpoint_key(seen.endpoint))):
            self.figures.rested += 1
            return
        for device in known:
            await self._compare(device, seen, announced)

    async def _compare(self, device: Device, seen: DeviceSeen, announced: DeviceFacts) -> None:
        said = await self._identity_there(device, seen)
        if said is None:
            self.figures.unconfirmed += 1
            return
        place = (device.village_id, seen.host, seen.port)
        found = found_facts(said, *place)
        if not marks(found):  # it speaks ONVIF and tells nothing without a login; what it is will be proved with one
            found = replace(announced, place=place)
        known = registered_facts(device)
        if changed(known, found) or compared(known, found).likeness is Likeness.DIFFERENT:
            self.figures.unconfirmed += 1
            return
        if await self._answers_at_its_place(device):
            self.figures.elsewhere_too += 1
            return
        source: MatchSource = "hello" if seen.kind == "hello" else "search"
        async with self._database.write() as session:
            row = await session.get(Device, device.id)
            if row is None or row.retired_at is not None or row.host != device.host:
                return
            doubt = Doubt(row, compared(known, found, shared=await shared_marks(session, found)))
            name = f"{said.manufacturer} {said.model}".strip()
            match = await ask(session, "moved", doubt, OtherSide(found, seen.path, name), source, self._clock.now())
            if match is None:
                return
            before = list(
                await session.scalars(
                    select(DeviceMatch).where(
                        DeviceMatch.device_id == row.id,
                        DeviceMatch.kind == "moved",
                        DeviceMatch.state == "open",
                        DeviceMatch.id != match.id,
                    )
                )
            )
            for old in before:  # it has moved on
                old.state, old.decided_at = "gone", self._clock.now()
        self.figures.asked += 1
        for one in (match, *before):
            self._bus.publish(MatchChanged(one.id, one.village_id, one.other_village_id))

    async def _identity_there(self, device: Device, seen: DeviceSeen) -> Identity | None:
        try:
            check = await self._checks.of_announcement(device.village_id, searched=seen.kind == "found")
            return await self._onvif.identity(
                seen.host, seen.port, seen.path, known_endpoint=device.endpoint, timeout=ASK_SECONDS, check=check
            )
        except HubError:
            return None

    async def _answers_at_its_place(self, device: Device) -> bool:
        """Whether the device, or what does not tell who it is, speaks ONVIF where it is registered."""
        if device.onvif_port is None:
            return False
        try:
            check = await self._checks.of_device(device.id, whoever=True)
            said = await self._onvif.identity(
                device.host,
                device.onvif_port,
                device.onvif_path,
                known_endpoint=device.endpoint,
                timeout=ASK_SECONDS,
                check=check,
            )
        except HubError:
            return False
        found = found_facts(said, device.village_id, device.host, device.onvif_port)
        return not marks(found) or bool(compared(registered_facts(device), found).agree)

    def _rested(self, what: object) -> bool:
        """Whether it was looked at a moment ago; else it is noted."""
        now = self._clock.monotonic()
        if now - self._rests.get(what, float("-inf")) < REST_SECONDS:
            return True
        self._rests[what] = now
        self._rests.move_to_end(what)
        while len(self._rests) > _REMEMBERED:
            self._rests.popitem(last=False)
        return False


def _names(device: Device, announced: DeviceFacts) -> bool:
    """Whether the announcement has a mark of the device: an address alone names none."""
    return bool(marks(registered_facts(device)) & marks(announced))


def _at(device: Device, seen: DeviceSeen) -> bool:
    return device.onvif_port in (None, seen.port)
