"""Carrying out a preview: each item is set and read back, and gets a verdict of its own.

Of one device the items are set one after the other, in the order of the parts; where one fails the others are set all
the same, and told. A device that has stopped answering is not asked for the rest.
"""

import logging
from collections.abc import Collection, Sequence

from camera_hub.access.policy import Actor
from camera_hub.cameras.device_settings.links import VillageLinks
from camera_hub.cameras.device_settings.plan import same
from camera_hub.cameras.device_settings.previews import SettingsPreview, SettingsPreviews, spread
from camera_hub.cameras.device_settings.reading import SettingsReadings
from camera_hub.cameras.device_settings.store import SettingsStore
from camera_hub.cameras.device_settings.values import (
    ClockState,
    Facts,
    Part,
    PlannedItem,
    SettingsDevice,
)
from camera_hub.cameras.device_settings.verdicts import read_back_verdict
from camera_hub.cameras.jobs import JobItem, Jobs, JobVerdict, JobView
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.logs import outside

log = logging.getLogger(__name__)

SET_DEVICES = "set_devices"
"""The kind of these jobs."""

_SILENT = frozenset(
    {Reason.UNREACHABLE, Reason.PORT_CLOSED, Reason.TIMED_OUT, Reason.LOGIN_PAUSED, Reason.WRONG_PASSWORD}
)
"""Why a device is not asked for its other items, either."""


class SettingsChanges:
    """Starts the jobs that carry out previews."""

    def __init__(
        self,
        store: SettingsStore,
        readings: SettingsReadings,
        previews: SettingsPreviews,
        links: VillageLinks,
        jobs: Jobs,
        at_once: int,
    ) -> None:
        self._store = store
        self._readings = readings
        self._previews = previews
        self._links = links
        self._jobs = jobs
        self._at_once = at_once

    def start(self, actor: Actor, preview_id: str, only: Collection[str] | None = None) -> JobView:
        """Set what the preview would change; `only`: of its items those with these keys.

        Raises HubError: NOT_FOUND (preview, or a key that it does not have), CONFLICT (preview_reading), INVALID
        (nothing_to_set), BUSY.
        """
        preview = self._previews.of(actor, preview_id)
        if preview.state == "reading":
            raise HubError(
                Kind.CONFLICT, "the preview is not ready yet; wait until all devices are read", reason="preview_reading"
            )
        items = {one.key: one for one in preview.items()}
        if only is not None and not items.keys() >= set(only):
            raise HubError(Kind.NOT_FOUND, "there is no such item in the preview")
        chosen = [one for key, one in items.items() if one.verdict == "change" and (only is None or key in set(only))]
        if not chosen:
            raise HubError(
                Kind.INVALID, "there is nothing to set: choose devices and a change", reason="nothing_to_set"
            )
        run = _SettingsRun(self._store, self._readings, self._links, actor, chosen)
        villages = {preview.devices[one.device_id].village_id for one in chosen}
        return self._jobs.start(
            actor,
            SET_DEVICES,
            villages.pop() if len(villages) == 1 else None,
            [JobItem(one.key, _name(preview, one)) for one in in_turns(chosen, list(preview.devices.values()))],
            run.work,
            at_once=self._at_once,
        )


class _SettingsRun:
    """One job: which items each device still has, and which devices have stopped answering."""

    def __init__(
        self,
        store: SettingsStore,
        readings: SettingsReadings,
        links: VillageLinks,
        actor: Actor,
        items: Sequence[PlannedItem],
    ) -> None:
        self._store = store
        self._readings = readings
        self._links = links
        self._actor = actor
        self._items = {one.key: one for one in items}
        self._left: dict[int, set[str]] = {}
        self._set: dict[int, set[Part]] = {}
        self._silent: dict[int, HubError] = {}
        for one in items:
            self._left.setdefault(one.device_id, set()).add(one.key)

    async def work(self, job_item: JobItem) -> JobVerdict:
        item = self._items[job_item.key]
        try:
            if (error := self._silent.get(item.device_id)) is not None:
                raise error
            return await self._one(item)
        except HubError as error:
            if error.reason in _SILENT:
                self._silent[item.device_id] = error
            raise
        finally:
            self._left[item.device_id].discard(item.key)

    async def _one(self, item: PlannedItem) -> JobVerdict:
        device = await self._store.device(self._actor, item.device_id)  # as it is now: it may have moved
        if device.recorder_id is not None:
            raise HubError(Kind.CONFLICT, "its recorder sets this camera", reason=Reason.SET_BY_RECORDER)
        if item.camera_id is not None and device.camera(item.camera_id) is None:
            raise HubError(Kind.NOT_FOUND, "the camera is not one of this device's any more", reason=Reason.RETIRED)
        async with self._links.device(device.village_id, device.device_id):
            facts = await self._readings.way(device).set(device, item)
            verdict = read_back_verdict(item, facts)
            kept = await self._kept(device, item, facts, verdict)
        self._set.setdefault(device.device_id, set()).add(item.part)
        if kept and self._left[device.device_id] == {item.key} and device.device_id not in self._silent:
            try:
                await self._readings.read_again(device, self._set[device.device_id])
            except HubError as error:
                _not_kept(device, error)
        return verdict

    async def _kept(self, device: SettingsDevice, item: PlannedItem, facts: Facts, verdict: JobVerdict) -> bool:
        """Keep what was set; whether the database took it. The verdict is the device's, whatever the database does."""
        try:
            if item.part == "clock" and verdict.ok and _put_right(item, facts):
                await self._readings.was_set(device, _state(facts))
            if item.part == "sub" and item.camera_id is not None:
                await self._readings.sub_was_set(device, item.camera_id, facts)
        except HubError as error:
            _not_kept(device, error)
            return False
        return True


def in_turns(items: Sequence[PlannedItem], devices: Sequence[SettingsDevice]) -> list[PlannedItem]:
    """In turns of one item per device, so that no device's items wait for each other while other devices are idle; of
    one device in the order in which they were planned. Pure."""
    places = {one.device_id: place for place, one in enumerate(spread(devices))}
    turns: dict[int, int] = {}
    ordered = []
    for place, one in enumerate(items):
        turn = turns[one.device_id] = turns.get(one.device_id, 0) + 1
        ordered.append((turn, places[one.device_id], place, one))
    return [one for *_, one in sorted(ordered, key=lambda found: found[:3])]


def _name(preview: SettingsPreview, item: PlannedItem) -> str:
    device = preview.devices[item.device_id]
    camera = device.camera(item.camera_id) if item.camera_id is not None else None
    return f"{camera.name if camera is not None else device.name} ({device.host})"


def _put_right(item: PlannedItem, facts: Facts) -> bool:
    """Whether the time itself was to be set, and is right: not where only the zone was."""
    return item.after.get("offset_s") != item.before.get("offset_s") and same(
        item.part, "offset_s", facts.get("offset_s"), 0.0
    )


def _not_kept(device: SettingsDevice, error: HubError) -> None:
    log.error("device %d was set, but what it is like now cannot be kept: %s", device.device_id, outside(error))


def _state(facts: Facts) -> ClockState:
    offset, source = facts.get("offset_s"), facts.get("source")
    return ClockState(
        "ntp" if source == "ntp" else "manual", offset_s=float(offset) if isinstance(offset, int | float) else None
    )
