"""Recordings by ONVIF's search service: one conversation for all cameras of the device, some ten calls.

How much is missing is told by the history of its tracks, which not every device keeps; of the others the oldest and the
latest recording are known alone.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.purposes import Purpose
from camera_hub.cameras.onvif import recording_search
from camera_hub.cameras.onvif.clock_setting import read_clock
from camera_hub.cameras.onvif.device import OnvifDevice
from camera_hub.cameras.onvif.recording_search import SEARCH, PresenceHistory, StoredRecording
from camera_hub.cameras.onvif.targets import OnvifTarget
from camera_hub.cameras.reach import Check
from camera_hub.cameras.recordings.matching import matched
from camera_hub.cameras.recordings.presence import recorded_spans
from camera_hub.cameras.recordings.schedule import day_span
from camera_hub.cameras.recordings.spans import Span
from camera_hub.cameras.recordings.values import RecordingDevice, SaidOfCamera, SaidOfDevice, Wanted
from camera_hub.cameras.vendors.recordings import no_search
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason

T = TypeVar("T")
Services = Mapping[str, str]
_FUTURE = timedelta(minutes=5)
_MOST_OFFSET = 100 * 366 * 86400.0
"""Seconds by which a clock can be off, be it never so wrong: times are counted back and forth with it."""
_BEFORE = timedelta(minutes=1)
"""How much earlier the history is asked for, since clocks are compared to the second only."""
_NOT_TOLD = frozenset({Reason.SOAP_FAULT, Reason.BAD_REPLY, Reason.ONVIF_OFF, Reason.REPLY_TOO_LARGE})


class RecordingTalks(Protocol):
    """What this needs of cameras.onvif.client."""

    async def talk(
        self,
        target: OnvifTarget,
        seconds: float,
        work: Callable[[OnvifDevice, Services], Awaitable[T]],
        *,
        patience: float | None = None,
    ) -> T: ...


class RecordingLogins(Protocol):
    """What roads need of the register."""

    async def login(self, device_id: int, purpose: Purpose) -> DeviceLogin: ...


class RecordingChecksOfPlaces(Protocol):
    """What roads need of cameras.device_checks."""

    async def of_device(self, device_id: int) -> Check: ...


@dataclass(frozen=True, slots=True)
class _Told:
    """What the device said, by its own clock, which is `offset` ahead. `asked`: the stretch of the history."""

    recordings: Sequence[StoredRecording]
    offset: timedelta
    asked: Span | None = None
    history: PresenceHistory | None = None


class OnvifRecordings:
    """Implements roads.RecordingWay. `seconds`: for all that is asked; the device's other calls wait meanwhile."""

    def __init__(
        self,
        onvif: RecordingTalks,
        logins: RecordingLogins,
        checks: RecordingChecksOfPlaces,
        clock: Clock,
        zone: ZoneInfo,
        seconds: float,
    ) -> None:
        self._onvif = onvif
        self._logins = logins
        self._checks = checks
        self._clock = clock
        self._zone = zone
        self._seconds = seconds

    async def read(self, device: RecordingDevice, wanted: Wanted) -> SaidOfDevice:
        """Raises HubError: RECORDING_UNKNOWN where the device has no search service, or knows no recordings of these
        cameras."""
        login = await self._logins.login(device.device_id, "onvif")
        check = await self._checks.of_device(device.device_id)
        target = OnvifTarget(
            device.host, device.port or 0, device.path, login or None, device.clock_offset_s, check=check
        )
        first = min((day for days in wanted.values() for day in days), default=None)
        begins = day_span(first, self._zone).begin - _BEFORE if first is not None else None

        async def work(onvif: OnvifDevice, services: Services) -> _Told:
            return await self._ask(onvif, services, begins)

        told = await self._onvif.talk(target, self._seconds, work, patience=self._seconds)
        return self._said(device, told)

    async def _ask(self, onvif: OnvifDevice, services: Services, begins: datetime | None) -> _Told:
        path = services.get(SEARCH)
        if path is None:
            raise no_search()
        clock = await onvif.tolerant(read_clock(onvif), None)
        if clock is not None and (clock.offset_s is None or abs(clock.offset_s) > _MOST_OFFSET):
            raise HubError(
                Kind.UNREACHABLE,
                "the device's time cannot be read, so that its recordings belong to no day",
                reason=Reason.CLOCK_UNREADABLE,
            )
        offset = timedelta(seconds=(clock.offset_s if clock is not None else None) or 0.0)
        found = await onvif.tolerant(recording_search.summary(onvif, path), None)
        if found is not None and found.number == 0:
            return _Told((), offset)
        recordings = await recording_search.recordings(onvif, path)
        held = [one for one in recordings if one.begins is not None]
        if not held or begins is None:
            return _Told(recordings, offset)
        now = onvif.conversation.now()
        asked = Span(begins + offset, now + offset)
        try:
            history = await recording_search.history(onvif, path, [one.token for one in held], asked.begin, asked.end)
        except HubError as error:
            if error.reason not in _NOT_TOLD:
                raise
            return _Told(recordings, offset)
        return _Told(recordings, offset, asked, history)

    def _said(self, device: RecordingDevice, told: _Told) -> SaidOfDevice:
        found = matched(told.recordings, device.cameras)
        if told.recordings and not found:
            raise no_search()
        spare = len(told.recordings) > sum(len(mine) for mine in found.values())
        cameras = {}
        for one in device.cameras:
            mine = found.get(one.camera_id, [])
            if mine or not spare:  # one of those that nobody could match may be this camera's
                cameras[one.camera_id] = self._of_camera(one.camera_id, mine, told)
        return SaidOfDevice("onvif", told.offset.total_seconds(), cameras)

    def _of_camera(self, camera_id: int, mine: Sequence[StoredRecording], told: _Told) -> SaidOfCamera:
        now = self._clock.now()
        oldest = min((one.begins - told.offset for one in mine if one.begins is not None), default=None)
        latest = max((one.ends - told.offset for one in mine if one.ends is not None), default=None)
        if oldest is not None and oldest > now + _FUTURE:
            oldest = None
        running = [one.running for one in mine if one.begins is not None and one.running is not None]
        said = SaidOfCamera(
            camera_id,
            ends_told=True,
            oldest=oldest,
            latest=min(latest, now) if latest is not None else None,
            running=None if latest is not None or not running else any(running),
        )
        return self._with_history(said, mine, told, now)

    def _with_history(
        self, said: SaidOfCamera, mine: Sequence[StoredRecording], told: _Told, now: datetime
    ) -> SaidOfCamera:
        if told.history is None or told.asked is None:
            return said
        tracks = {one.token: one.tracks for one in mine if one.begins is not None}
        until = min(told.history.until or told.asked.end, told.asked.end)
        asked = Span(told.asked.begin, until)
        if asked.begin >= asked.end:
            return said
        found = recorded_spans(told.history.changes, tracks, asked)
        if set(tracks) - set(found):  # of one of its recordings nothing is told: what lacks is not known
            return said
        spans = tuple(Span(one.begin - told.offset, one.end - told.offset) for spans in found.values() for one in spans)
        read = Span(asked.begin - told.offset, min(asked.end - told.offset, now))
        return SaidOfCamera(
            said.camera_id, True, said.oldest, said.latest, said.running, spans, (read,) if read.seconds > 0 else ()
        )
