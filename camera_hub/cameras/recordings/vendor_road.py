"""Recordings by a vendor's own interface: one conversation for all channels of the device, the newest days first.

A day of a channel is a search. Where the time is over, what was read counts, and the next check goes on from there.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from camera_hub.cameras import addresses
from camera_hub.cameras.described import Disk
from camera_hub.cameras.http.deadline import Deadline
from camera_hub.cameras.http.device_http import DeviceHttp
from camera_hub.cameras.http.messages import HttpPeer
from camera_hub.cameras.http.signed_http import HttpTarget, SignedHttp
from camera_hub.cameras.recordings.onvif_road import RecordingChecksOfPlaces, RecordingLogins
from camera_hub.cameras.recordings.schedule import ALWAYS, RecordingSchedule, day_span
from camera_hub.cameras.recordings.spans import Span
from camera_hub.cameras.recordings.values import RecordedCamera, RecordingDevice, SaidOfCamera, SaidOfDevice, Wanted
from camera_hub.cameras.vendors import dahua_recordings, hikvision_recordings, refusals
from camera_hub.cameras.vendors.interface import VendorInterface
from camera_hub.cameras.vendors.recognition import Vendor, recognised
from camera_hub.cameras.vendors.recordings import DeviceTime, FoundFiles, no_search
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Reason

_GREET_SECONDS = 3.0
_LATE = frozenset({Reason.TIMED_OUT, Reason.DEVICE_FULL, Reason.BAD_REPLY, Reason.REPLY_TOO_LARGE})
"""Why an answer may lack without ending what the others have told."""


class VendorRecordings(Protocol):
    """What one vendor's interface is asked; channels by their number, counted from 1. Each raises HubError."""

    async def disks(self) -> tuple[Disk, ...] | None: ...
    async def schedules(self) -> Mapping[int, RecordingSchedule]: ...
    async def oldest(self, channel: int, now: datetime) -> datetime | None: ...
    async def says_empty(self, channel: int, span: Span) -> bool: ...
    async def files(self, channel: int, span: Span) -> FoundFiles: ...


class VendorRoad:
    """Implements roads.RecordingWay. `seconds`: for all that is asked of one device."""

    def __init__(
        self,
        http: DeviceHttp,
        signed: SignedHttp,
        logins: RecordingLogins,
        checks: RecordingChecksOfPlaces,
        clock: Clock,
        zone: ZoneInfo,
        seconds: float,
    ) -> None:
        self._http = http
        self._signed = signed
        self._logins = logins
        self._checks = checks
        self._clock = clock
        self._zone = zone
        self._seconds = seconds

    async def read(self, device: RecordingDevice, wanted: Wanted) -> SaidOfDevice:
        """Raises HubError: RECORDING_UNKNOWN where no vendor's interface answers there."""
        check = await self._checks.of_device(device.device_id)
        peer = HttpPeer(device.host, await addresses.resolve(device.host), device.port or 0)
        found = await recognised(self._http, peer, check, _GREET_SECONDS)
        vendor = next(iter(found.vendors), None) if found is not None else None
        if vendor is None:
            raise no_search()
        target = HttpTarget(
            peer,
            await self._logins.login(device.device_id, "http") or None,
            check,
            basic=False,
            refusal=lambda reply: refusals.told(reply, vendor, self._clock.now()),
        )
        interface = VendorInterface(self._signed, target, Deadline(self._seconds), vendor, self._clock.now)
        async with _opened(vendor, interface, self._zone) as (asked, time):
            return await _VendorReading(device, wanted, asked, self._clock.now(), self._zone).all(vendor, time)


@asynccontextmanager
async def _opened(
    vendor: Vendor, interface: VendorInterface, zone: ZoneInfo
) -> AsyncIterator[tuple[VendorRecordings, DeviceTime]]:
    if vendor == "hikvision":
        time = await hikvision_recordings.device_time(interface, zone)
        yield hikvision_recordings.HikvisionRecordings(interface, time), time
        return
    time = await dahua_recordings.device_time(interface, zone)
    async with dahua_recordings.DahuaRecordings.finding(interface, time) as found:
        yield found, time


class _VendorReading:
    """One conversation: first what each channel keeps at all, then day after day."""

    def __init__(
        self, device: RecordingDevice, wanted: Wanted, asked: VendorRecordings, now: datetime, zone: ZoneInfo
    ) -> None:
        self._cameras = [one for one in device.cameras if _channel(device, one) is not None]
        self._device = device
        self._wanted = wanted
        self._asked = asked
        self._now = now
        self._zone = zone
        self._late: str | None = None
        self._ends: dict[int, datetime | None] = {}
        self._spans: dict[int, list[Span]] = {one.camera_id: [] for one in device.cameras}
        self._read: dict[int, list[Span]] = {one.camera_id: [] for one in device.cameras}

    async def all(self, vendor: Vendor, time: DeviceTime) -> SaidOfDevice:
        """Raises HubError where nothing could be read."""
        disks = await self._asked.disks()
        schedules = await self._asked.schedules()
        first: HubError | None = None
        for camera in self._cameras:
            try:
                self._ends[camera.camera_id] = await self._asked.oldest(self._channel(camera), self._now)
            except HubError as error:
                if error.reason not in _LATE:
                    raise
                first = first or error
                self._late = error.reason
                if error.reason == Reason.TIMED_OUT:
                    break
        if not self._ends:
            raise first or no_search()
        if self._late != Reason.TIMED_OUT:
            await self._each_day()
        return SaidOfDevice(
            vendor,
            time.error_s,
            {one.camera_id: self._said(one, schedules) for one in self._cameras if one.camera_id in self._ends},
            disks,
            self._late,
        )

    async def _each_day(self) -> None:
        """The newest day of all channels first, so that a reading that ends early knows what counts most."""
        days = sorted({day for found in self._wanted.values() for day in found}, reverse=True)
        for day in days:
            for camera in self._cameras:
                oldest = self._ends.get(camera.camera_id)
                if oldest is None or day not in self._wanted.get(camera.camera_id, ()):
                    continue
                if day_span(day, self._zone).end <= oldest:
                    continue
                try:
                    await self._one_day(camera, day, days)
                except HubError as error:
                    if error.reason not in _LATE:
                        raise
                    self._late = error.reason
                    if error.reason == Reason.TIMED_OUT:
                        return

    async def _one_day(self, camera: RecordedCamera, day: date, days: Sequence[date]) -> None:
        whole = day_span(day, self._zone)
        past = Span(whole.begin, min(whole.end, self._now))
        if past.begin >= past.end:
            return
        # Of today and yesterday a device that counts its days late may say nothing yet.
        if day < days[0] - timedelta(days=1) and await self._asked.says_empty(self._channel(camera), past):
            self._read[camera.camera_id].append(past)
            return
        found = await self._asked.files(self._channel(camera), past)
        self._spans[camera.camera_id] += [Span(begin, end) for begin, end in found.files]
        if found.whole:
            self._read[camera.camera_id].append(past)
        else:
            self._late = Reason.BAD_REPLY

    def _said(self, camera: RecordedCamera, schedules: Mapping[int, RecordingSchedule]) -> SaidOfCamera:
        spans = self._spans[camera.camera_id]
        latest = max((one.end for one in spans if one.begin <= self._now), default=None)
        oldest = self._ends[camera.camera_id]
        return SaidOfCamera(
            camera.camera_id,
            ends_told=True,
            oldest=oldest if oldest is None or oldest <= self._now else None,
            latest=min(latest, self._now) if latest is not None else None,
            spans=tuple(spans),
            read=tuple(self._read[camera.camera_id]),
            schedule=schedules.get(self._channel(camera), ALWAYS),
        )

    def _channel(self, camera: RecordedCamera) -> int:
        return _channel(self._device, camera) or 1


def _channel(device: RecordingDevice, camera: RecordedCamera) -> int | None:
    """A channel's number; the one camera of a device is the first one, whatever it is called."""
    if camera.number is not None:
        return camera.number
    return 1 if device.kind != "recorder" and len(device.cameras) == 1 else None
