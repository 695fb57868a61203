"""Previews: what a change would do to many devices, read from each now. Kept in memory for an hour, bounded."""

from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from camera_hub.access.policy import Actor
from camera_hub.cameras.device_settings import plan
from camera_hub.cameras.device_settings.reading import SettingsReadings
from camera_hub.cameras.device_settings.store import SettingsStore
from camera_hub.cameras.device_settings.values import Part, PlannedItem, SettingsDevice, WantedChange
from camera_hub.cameras.jobs import JobItem, Jobs, JobVerdict, JobView
from camera_hub.clock import Clock
from camera_hub.errors import DATABASE_REASONS, HubError, Kind

PREVIEW_SETTINGS = "preview_settings"
"""The kind of these jobs."""

KEPT = 32
KEPT_SECONDS = 3600.0
MOST_DEVICES = 2_000
MOST_ITEMS = 10_000
MOST_IN_ALL = 60_000
"""Items of all previews together: some 40 MB."""

PreviewState = Literal["reading", "ready", "cancelled", "failed"]


@dataclass(frozen=True, slots=True)
class PreviewView:
    """A preview so far: `items` of the devices that were read, in the order of the devices."""

    id: str
    state: PreviewState
    created_at: datetime
    devices: int
    read: int
    items: Sequence[PlannedItem]
    change: WantedChange
    names: dict[int, str]
    camera_names: dict[int, str]


@dataclass(slots=True)
class SettingsPreview:
    """One preview: what is wanted of which devices, and what each would get. The devices are those of then."""

    actor: Actor
    change: WantedChange
    devices: dict[int, SettingsDevice]
    created_at: datetime
    until: float
    state: PreviewState = "reading"
    planned: dict[int, list[PlannedItem]] = field(default_factory=dict)
    most: int = 0

    @property
    def villages(self) -> frozenset[int]:
        """Of its devices."""
        return frozenset(one.village_id for one in self.devices.values())

    def items(self) -> list[PlannedItem]:
        """All items so far."""
        return [item for device_id in self.devices for item in self.planned.get(device_id, ())]


class SettingsPreviews:
    """Makes them, each as a job, and keeps them."""

    def __init__(
        self, store: SettingsStore, readings: SettingsReadings, jobs: Jobs, clock: Clock, at_once: int
    ) -> None:
        self._store = store
        self._readings = readings
        self._jobs = jobs
        self._clock = clock
        self._at_once = at_once
        self._kept: OrderedDict[str, SettingsPreview] = OrderedDict()

    async def start(
        self,
        actor: Actor,
        change: WantedChange,
        *,
        device_ids: Collection[int] = (),
        camera_ids: Collection[int] = (),
        village_id: int | None = None,
    ) -> JobView:
        """Read the chosen devices and plan the change. The job's id is the preview's.

        Raises HubError: NOT_FOUND, INVALID (nothing_to_set), TOO_LARGE, BUSY.
        """
        devices = await self._store.chosen(actor, device_ids=device_ids, camera_ids=camera_ids, village_id=village_id)
        most = sum(plan.count(one, change) for one in devices)
        if not most:
            raise nothing_to_set()
        if len(devices) > MOST_DEVICES or most > MOST_ITEMS:
            raise HubError(
                Kind.TOO_LARGE, f"choose at most {MOST_ITEMS} at once", reason="too_many_items", max=MOST_ITEMS
            )
        self._make_room(most)
        now = self._clock.now()
        preview = SettingsPreview(
            actor,
            change,
            {one.device_id: one for one in devices},
            now,
            self._clock.monotonic() + KEPT_SECONDS,
            most=most,
        )
        parts = parts_of(change)

        async def work(item: JobItem) -> JobVerdict:
            return await self._one(preview, preview.devices[int(item.key)], parts)

        async def ended(job: JobView) -> None:
            preview.state = "cancelled" if job.state == "cancelled" else "ready"

        villages = preview.villages
        job = self._jobs.start(
            actor,
            PREVIEW_SETTINGS,
            next(iter(villages)) if len(villages) == 1 else None,
            [JobItem(str(one.device_id), f"{one.name} ({one.host})") for one in spread(devices)],
            work,
            at_once=self._at_once,
            at_end=ended,
        )
        self._kept[job.id] = preview
        return job

    def get(self, actor: Actor, preview_id: str) -> PreviewView:
        """A preview that the actor made, as far as it is. Raises HubError(NOT_FOUND)."""
        preview = self.of(actor, preview_id)
        names = {one.device_id: one.name for one in preview.devices.values()}
        cameras = {camera.camera_id: camera.name for one in preview.devices.values() for camera in one.cameras}
        return PreviewView(
            preview_id,
            preview.state,
            preview.created_at,
            len(preview.devices),
            len(preview.planned),
            preview.items(),
            preview.change,
            names,
            cameras,
        )

    def of(self, actor: Actor, preview_id: str) -> SettingsPreview:
        """Raises HubError(NOT_FOUND): another user's, one with villages that the actor may not see any more."""
        self._forget_old()
        preview = self._kept.get(preview_id)
        if preview is None or preview.actor.user_id != actor.user_id or not all(map(actor.sees, preview.villages)):
            raise HubError(Kind.NOT_FOUND, "there is no such preview; previews are deleted after an hour")
        return preview

    async def _one(self, preview: SettingsPreview, device: SettingsDevice, parts: Collection[Part]) -> JobVerdict:
        error: HubError | None = None
        if device.recorder_id is not None:
            preview.planned[device.device_id] = plan.unread(device, preview.change, _not_asked())
            return JobVerdict(True)
        try:
            reading = await self._readings.read(device, parts)
        except HubError as found:
            if found.reason in DATABASE_REASONS:
                raise
            error = found
            items = plan.unread(device, preview.change, found)
        else:
            items = plan.planned(device, reading, preview.change)
        preview.planned[device.device_id] = items
        if error is not None:
            raise error
        return JobVerdict(True)

    def _make_room(self, most: int) -> None:
        self._forget_old()
        while len(self._kept) >= KEPT or sum(one.most for one in self._kept.values()) + most > MOST_IN_ALL:
            oldest = next((key for key, one in self._kept.items() if one.state != "reading"), None)
            if oldest is None:
                raise HubError(
                    Kind.BUSY, "too many previews are being made already; wait for one of them", reason="jobs_busy"
                )
            del self._kept[oldest]

    def _forget_old(self) -> None:
        now = self._clock.monotonic()
        for key in [key for key, one in self._kept.items() if now >= one.until]:
            del self._kept[key]


def parts_of(change: WantedChange) -> tuple[Part, ...]:
    """Which parts must be read for a change."""
    found: list[Part] = []
    if change.clock is not None:
        found += ["clock", "ntp"]
    if change.osd is not None:
        found += ["osd_name", "osd_time"]
    if change.sub is not None:
        found.append("sub")
    return tuple(found)


def spread(devices: Sequence[SettingsDevice]) -> list[SettingsDevice]:
    """In an order in which neighbours hang on different villages' links, as far as there are any. Pure."""
    turns: dict[int, int] = {}
    places = []
    for one in devices:
        turn = turns[one.village_id] = turns.get(one.village_id, 0) + 1
        places.append((turn, one.village_id, one))
    return [one for _, _, one in sorted(places, key=lambda place: place[:2])]


def nothing_to_set() -> HubError:
    return HubError(Kind.INVALID, "there is nothing to set: choose devices and a change", reason="nothing_to_set")


def _not_asked() -> HubError:
    return HubError(Kind.CONFLICT, "its recorder sets this camera", reason="set_by_recorder")
