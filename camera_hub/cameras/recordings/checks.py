"""Checks of recordings: each device some times a day at its own minute, or now because a person asks.

One conversation for all cameras of a device. Whom to ask is read from the database, so that a hub that was down goes on
where it was. What is certain is told to health as `AspectFound`.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol, Self
from zoneinfo import ZoneInfo

from camera_hub.access.policy import Actor
from camera_hub.cameras.jobs import JobItem, Jobs, JobVerdict, JobView
from camera_hub.cameras.recordings import days as calendar
from camera_hub.cameras.recordings.days import RecordingDay, wanted_days
from camera_hub.cameras.recordings.judging import RecordingLimits, judged, unanswered
from camera_hub.cameras.recordings.schedule import ALWAYS
from camera_hub.cameras.recordings.store import RecordingStore
from camera_hub.cameras.recordings.timetable import is_due
from camera_hub.cameras.recordings.values import (
    KnownRecording,
    RecordingDevice,
    RecordingStatus,
    SaidOfCamera,
    SaidOfDevice,
    Wanted,
)
from camera_hub.clock import Clock
from camera_hub.errors import DATABASE_REASONS, HubError, Kind, Reason
from camera_hub.events import AspectFound, EventBus
from camera_hub.logs import outside
from camera_hub.running import keep_running, running

log = logging.getLogger(__name__)

CHECK_RECORDINGS = "check_recordings"
"""The kind of these jobs."""
PAUSE = 60.0
"""Seconds between two looks at whose turn it is."""
SPARE_DAYS = 1
"""Beyond those that must be kept, to see that they are."""
THRIFTY_EVERY = 86_400.0
THRIFTY_BACK = 3
"""Days asked for at once over a metered link, beside today."""
_MOST_KNOWN = 45
"""Days that are read back for one judgement."""


class Roads(Protocol):
    """What this needs of roads."""

    async def read(self, device: RecordingDevice, wanted: Wanted) -> SaidOfDevice: ...


class Links(Protocol):
    """What this needs of device_settings.links: how much goes over one village's link at a time."""

    def device(self, village_id: int, device_id: int) -> AbstractAsyncContextManager[None]: ...


@dataclass(frozen=True, slots=True)
class RecordingPlan:
    """`every_s`: between two checks of a device; `at_once`: devices."""

    every_s: float
    at_once: int
    limits: RecordingLimits
    zone: ZoneInfo


class RecordingChecks:
    """An async context manager; it checks while it is entered."""

    def __init__(
        self,
        store: RecordingStore,
        roads: Roads,
        links: Links,
        jobs: Jobs,
        bus: EventBus,
        clock: Clock,
        plan: RecordingPlan,
    ) -> None:
        self._store = store
        self._roads = roads
        self._links = links
        self._jobs = jobs
        self._bus = bus
        self._clock = clock
        self._plan = plan
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        work = keep_running("checks of recordings", self._turn, clock=self._clock, rest=self._clock.sleep)
        await self._stack.enter_async_context(running(work, "checks of recordings"))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def check_due(self) -> int:
        """Check every device whose turn has come; how many these were. Raises HubError where the database fails."""
        now, plan = self._clock.now(), self._plan
        checked = await self._store.checked()
        due = [
            one
            for one in await self._store.devices()
            if is_due(
                one.device_id,
                *checked.get(one.device_id, (None, None)),
                now,
                every_s=THRIFTY_EVERY if one.thrifty else plan.every_s,
                confirm_s=plan.limits.confirm_s,
            )
        ]
        waiting = iter(_spread(due))
        failed: list[HubError] = []

        async def worker() -> None:
            for device in waiting:
                try:
                    await self.check(device)
                except HubError as error:  # the database: the others would fail as well
                    failed.append(error)
                if failed:
                    return

        async with asyncio.TaskGroup() as group:
            for _ in range(min(plan.at_once, len(due))):
                group.create_task(worker())
        if failed:
            raise failed[0]
        return len(due)

    async def start(self, actor: Actor, camera_ids: Collection[int]) -> JobView:
        """Check these cameras now, and whatever else hangs on their devices. Raises HubError: NOT_FOUND, BUSY, INVALID
        (nothing_chosen)."""
        devices = {str(one.device_id): one for one in await self._store.chosen(actor, camera_ids)}
        if not devices:
            raise HubError(Kind.INVALID, "choose at least one camera", reason="nothing_chosen")
        villages = {one.village_id for one in devices.values()}

        async def work(item: JobItem) -> JobVerdict:
            error = await self.check(devices[item.key])
            if error is not None and error.reason != Reason.RECORDING_UNKNOWN:
                raise error
            return JobVerdict(True, error.reason if error is not None else None)

        return self._jobs.start(
            actor,
            CHECK_RECORDINGS,
            villages.pop() if len(villages) == 1 else None,
            [JobItem(key, f"{one.name} ({one.host})") for key, one in devices.items()],
            work,
            at_once=self._plan.at_once,
        )

    async def check(self, device: RecordingDevice) -> HubError | None:
        """Check one device now; why it did not answer, None where it did. Raises HubError where the database fails."""
        today = self._clock.now().astimezone(self._plan.zone).date()
        ids = [one.camera_id for one in device.cameras]
        known = await self._store.known(ids, today - timedelta(days=_MOST_KNOWN))
        wanted = self._wanted(device, known)
        try:
            async with self._links.device(device.village_id, device.device_id):
                said = await self._roads.read(device, wanted)
        except HubError as error:
            if error.reason in DATABASE_REASONS:
                raise
            log.info("device %d does not tell its recordings: %s", device.device_id, outside(error))
            at = self._clock.now()
            await self._store.keep([unanswered(known[one].status, error.reason, at) for one in ids])
            return error
        # In a thread: a recorder on events has tens of thousands of files in a month.
        statuses, days = await asyncio.to_thread(self._judged, device, known, said, wanted)
        await self._store.keep(statuses, days)
        self._published(statuses)
        return None

    def _wanted(self, device: RecordingDevice, known: Mapping[int, KnownRecording]) -> Wanted:
        now, plan = self._clock.now(), self._plan
        back = plan.limits.days + SPARE_DAYS
        found: dict[int, Sequence[date]] = {}
        for one in device.cameras:
            oldest = known[one.camera_id].status.oldest
            first = oldest.astimezone(plan.zone).date() if oldest is not None else None
            days = wanted_days(known[one.camera_id].days, first, now, plan.zone, back)
            found[one.camera_id] = days[: THRIFTY_BACK + 1] if device.thrifty else days
        return found

    def _judged(
        self, device: RecordingDevice, known: Mapping[int, KnownRecording], said: SaidOfDevice, wanted: Wanted
    ) -> tuple[list[RecordingStatus], dict[int, list[RecordingDay]]]:
        at, plan = self._clock.now(), self._plan
        statuses, days = [], {}
        for one in device.cameras:
            mine = said.cameras.get(one.camera_id)
            new = self._new_days(mine, at) if mine is not None else []
            merged = {day.date: day for day in known[one.camera_id].days} | {day.date: day for day in new}
            status = judged(
                known[one.camera_id],
                mine,
                said,
                [merged[day] for day in sorted(merged)],
                at,
                since=one.since,
                recorder=device.kind == "recorder",
                limits=plan.limits,
                zone=plan.zone,
            )
            statuses.append(status)
            days[one.camera_id] = new or self._empty_days(
                status, one.since, known[one.camera_id].days, wanted[one.camera_id]
            )
        return statuses, days

    def _new_days(self, said: SaidOfCamera, at: datetime) -> list[RecordingDay]:
        """The days that the device told, from its oldest recording on."""
        if said.oldest is None:
            return []
        zone = self._plan.zone
        found = calendar.measured(said.spans, said.read, said.schedule, said.oldest, at, zone)
        return found or calendar.present(said.recorded, said.absent, said.schedule, at, zone)

    def _empty_days(
        self, status: RecordingStatus, since: datetime, known: Collection[RecordingDay], wanted: Sequence[date]
    ) -> list[RecordingDay]:
        """Where something should be recorded and nothing is kept at all, the days since the hub has the camera lack
        whole, and today; what is known of the others was so at its time."""
        if status.oldest is not None or Reason.NO_RECORDING not in (status.reason, status.unconfirmed):
            return []
        at, zone = self._clock.now(), self._plan.zone
        first, today = since.astimezone(zone).date(), at.astimezone(zone).date()
        there = {one.date for one in known}
        lacking = [day for day in wanted if (day > first and day not in there) or (day == today and day in there)]
        return calendar.present((), lacking, ALWAYS, at, zone)

    def _published(self, statuses: Sequence[RecordingStatus]) -> None:
        for one in statuses:
            if one.state != "unknown":
                params = {name: value for name, value in one.params.items() if value is not None}
                self._bus.publish(AspectFound(one.camera_id, "recording", one.reason, "", params))

    async def _turn(self) -> None:
        await self._clock.sleep(PAUSE)  # first: a hub that starts has better to do
        await self.check_due()


def _spread(devices: Sequence[RecordingDevice]) -> list[RecordingDevice]:
    """In an order in which neighbours hang on different villages' links, as far as there are any."""
    turns: dict[int, int] = {}
    placed = []
    for one in devices:
        turn = turns[one.village_id] = turns.get(one.village_id, 0) + 1
        placed.append((turn, one.village_id, one.device_id, one))
    return [one for *_, one in sorted(placed, key=lambda place: place[:3])]
