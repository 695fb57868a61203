"""Settings over ONVIF: one conversation per reading and per item, under the device's lock and its login budget."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.purposes import Purpose
from camera_hub.cameras.device_settings.plan import name_text, time_text
from camera_hub.cameras.device_settings.values import (
    Bounds,
    CameraSettings,
    ClockState,
    Fact,
    Facts,
    OsdText,
    Part,
    PlannedItem,
    SettingsCamera,
    SettingsDevice,
    SettingsProblem,
    SettingsReading,
    SubStream,
)
from camera_hub.cameras.device_settings.way import plain, refused, unproved, unsupported
from camera_hub.cameras.device_settings.zones import local_offset, meant, ways
from camera_hub.cameras.onvif import faults
from camera_hub.cameras.onvif.clock_setting import ToldClock, read_clock, read_ntp, set_clock, set_ntp
from camera_hub.cameras.onvif.device import OnvifDevice
from camera_hub.cameras.onvif.encoders import EncoderOptions, EncoderSetting, WantedEncoder, read_encoder, set_encoder
from camera_hub.cameras.onvif.media2 import MEDIA2, Media2
from camera_hub.cameras.onvif.osd import (
    PLACES,
    ListedOsd,
    OsdOptions,
    OsdService,
    Place,
    WantedText,
    osd_service,
)
from camera_hub.cameras.onvif.targets import OnvifTarget
from camera_hub.cameras.reach import Check
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason

T = TypeVar("T")
Services = Mapping[str, str]

_OWN_WORDS = frozenset({Reason.SOAP_FAULT, Reason.BAD_REPLY, Reason.ONVIF_OFF, Reason.NO_RIGHTS})
"""What concerns one part of a device; all else, its other parts would meet as well."""
_SETTLE_SECONDS = 1.0
"""After which an encoder that tells its old values is read once more: it restarts."""
_LEAST_TRAVEL = timedelta(milliseconds=20)


class OnvifTalking(Protocol):
    """What this needs of cameras.onvif.client."""

    async def talk(
        self,
        target: OnvifTarget,
        seconds: float,
        work: Callable[[OnvifDevice, Services], Awaitable[T]],
        *,
        patience: float | None = None,
    ) -> T: ...


class SettingsLogins(Protocol):
    """What this needs of the register."""

    async def login(self, device_id: int, purpose: Purpose) -> DeviceLogin: ...


class SettingsChecks(Protocol):
    """What this needs of cameras.device_checks."""

    async def of_device(self, device_id: int) -> Check: ...


@dataclass(frozen=True, slots=True)
class _Texts:
    """The texts of a device, and which configurations show which video source."""

    service: OsdService
    listed: list[ListedOsd]
    configurations: Mapping[str, tuple[str, ...]]

    def of(self, camera: SettingsCamera) -> list[ListedOsd]:
        """Those in the camera's picture."""
        known = self.configurations.get(camera.channel, ())
        return [one for one in self.listed if one.configuration in known]


class OnvifSettingsWay:
    """Implements way.SettingsWay. `seconds`: for all that one reading asks."""

    def __init__(
        self, onvif: OnvifTalking, logins: SettingsLogins, checks: SettingsChecks, clock: Clock, seconds: float
    ) -> None:
        self._onvif = onvif
        self._logins = logins
        self._checks = checks
        self._clock = clock
        self._seconds = seconds

    async def read(self, device: SettingsDevice, parts: Collection[Part]) -> SettingsReading:
        async def work(onvif: OnvifDevice, services: Services) -> SettingsReading:
            return await _Read(device, onvif, services, parts).all()

        return await self._talk(device, work)

    async def clock(self, device: SettingsDevice) -> ClockState:
        async def work(onvif: OnvifDevice, services: Services) -> ClockState:
            return _clock_state(await read_clock(onvif))

        try:
            return await self._talk(device, work, login=False)
        except HubError as error:
            if error.reason != Reason.LOGIN_NEEDED:
                raise
        return await self._talk(device, work)

    async def set(self, device: SettingsDevice, item: PlannedItem) -> Facts:
        async def work(onvif: OnvifDevice, services: Services) -> Facts:
            if item.part == "clock":
                return await self._set_clock(onvif, item)
            if item.part == "ntp":
                return await self._set_ntp(onvif, item)
            camera = device.camera(item.camera_id or 0)
            if camera is None:
                raise HubError(Kind.NOT_FOUND, "there is no such camera", reason=Reason.RETIRED)
            if item.part == "sub":
                return await self._set_sub(onvif, services, camera, item)
            return await _set_osd(onvif, services, camera, item)

        return await self._talk(device, work)

    async def _talk(
        self, device: SettingsDevice, work: Callable[[OnvifDevice, Services], Awaitable[T]], *, login: bool = True
    ) -> T:
        known = await self._logins.login(device.device_id, "onvif") if login else None
        check = await self._checks.of_device(device.device_id)
        target = OnvifTarget(
            device.host, device.port or 0, device.path, known or None, device.clock_offset_s, check=check
        )
        try:
            return await self._onvif.talk(target, self._seconds, work, patience=self._seconds)
        except HubError as error:
            raise plain(error) from error

    async def _set_clock(self, onvif: OnvifDevice, item: PlannedItem) -> Facts:
        told = await read_clock(onvif)
        await _login_proved(onvif)
        travel = max(_LEAST_TRAVEL, timedelta(seconds=told.took_s / 2))
        zone, daylight = told.said.zone, told.said.summer
        candidates = [zone]
        if item.before.get("zone_offset_s") != item.after.get("zone_offset_s") or not zone:
            zone = str(item.after.get("zone") or "")
            candidates = ways(zone, told.said.zone) if zone else [""]
        if item.before.get("daylight") != item.after.get("daylight"):
            daylight = bool(item.after.get("daylight"))
        set_now = item.before.get("offset_s") != item.after.get("offset_s")
        by_hand = told.source != "ntp" or set_now
        # A zone is not set without a time; the device's own, where that is not to change.
        ahead = timedelta() if set_now else timedelta(seconds=told.offset_s or 0.0)
        error: HubError | None = None
        for candidate in candidates:
            moment = await self._moment(travel + ahead) if by_hand else None
            error = await _refusal(
                set_clock(onvif, "manual" if by_hand else "ntp", zone=candidate, daylight=daylight, utc=moment)
            )
            zone = candidate
            if error is None:
                break
        if error is not None:
            raise refused(error)
        return await _clock_proved(onvif, zone, daylight, back_to_ntp=by_hand and told.source == "ntp")

    async def _moment(self, ahead: timedelta) -> datetime:
        """Wait until a clock that is this far ahead is at the beginning of a second; that second."""
        now = self._clock.now() + ahead
        second = now.replace(microsecond=0) + timedelta(seconds=1)
        await self._clock.sleep((second - now).total_seconds())
        return second

    async def _set_ntp(self, onvif: OnvifDevice, item: PlannedItem) -> Facts:
        told = await read_clock(onvif)
        await _login_proved(onvif)
        server = str(item.after.get("ntp_server") or "")
        if (error := await _refusal(set_ntp(onvif, server))) is not None:
            raise refused(error)
        if told.source != "ntp":
            # Refused or not, reading back tells what the device does now.
            await _refusal(set_clock(onvif, "ntp", zone=told.said.zone, daylight=told.said.summer))
        try:
            told = await read_clock(onvif)
            ntp = await read_ntp(onvif)
        except HubError as lost:
            raise unproved(lost) from lost
        return {"ntp_server": ntp.server, "from_dhcp": ntp.from_dhcp, "source": told.source}

    async def _set_sub(
        self, onvif: OnvifDevice, services: Services, camera: SettingsCamera, item: PlannedItem
    ) -> Facts:
        profile = camera.sub_profile or ""
        known = await read_encoder(onvif, services, profile)
        values = {name: value for name, value in item.after.items() if item.before.get(name) != value}
        if (error := await _refusal(set_encoder(onvif, services, known, _wanted_encoder(values)))) is not None:
            raise refused(error)
        try:
            facts = _sub_facts(await read_encoder(onvif, services, profile, options=False))
            if any(facts.get(name) != value for name, value in values.items()):
                await self._clock.sleep(_SETTLE_SECONDS)
                facts = _sub_facts(await read_encoder(onvif, services, profile, options=False))
        except HubError as lost:
            raise unproved(lost) from lost
        return facts


class _Read:
    """One reading: part after part; what concerns a part alone is its problem, what concerns all ends the reading."""

    def __init__(self, device: SettingsDevice, onvif: OnvifDevice, services: Services, parts: Collection[Part]) -> None:
        self._device = device
        self._onvif = onvif
        self._services = services
        self._parts = set(parts)
        self._problems: list[SettingsProblem] = []
        self._can: list[Part] = []
        self._late: HubError | None = None

    async def all(self) -> SettingsReading:
        """Raises HubError where nothing can be read."""
        clock = await self._clock() if self._parts & {"clock", "ntp"} else None
        cameras = {one.camera_id: CameraSettings(one.camera_id) for one in self._device.cameras}
        if self._parts & {"osd_name", "osd_time"}:
            await self._osds(cameras)
        if "sub" in self._parts:
            await self._subs(cameras)
        return SettingsReading(clock, tuple(cameras.values()), tuple(self._can), tuple(self._problems))

    async def _clock(self) -> ClockState:
        state = _clock_state(await read_clock(self._onvif))
        self._can.append("clock")
        ntp = await self._tried("ntp", None, read_ntp(self._onvif))
        if ntp is None:
            return state
        self._can.append("ntp")
        return replace(state, ntp_server=ntp.server, from_dhcp=ntp.from_dhcp)

    async def _osds(self, cameras: dict[int, CameraSettings]) -> None:
        texts = await self._tried("osd_name", None, _texts(self._onvif, self._services))
        if texts is None:
            return
        for camera in self._device.cameras:
            if camera.channel in texts.configurations:
                cameras[camera.camera_id] = replace(
                    cameras[camera.camera_id],
                    osd=_osd_texts(texts.of(camera)),
                    can=(*cameras[camera.camera_id].can, "osd_name", "osd_time"),
                )

    async def _subs(self, cameras: dict[int, CameraSettings]) -> None:
        for camera in self._device.cameras:
            if camera.sub_profile is None:
                continue
            reading = read_encoder(self._onvif, self._services, camera.sub_profile)
            found = await self._tried("sub", camera.camera_id, reading)
            if found is not None:
                known = cameras[camera.camera_id]
                cameras[camera.camera_id] = replace(known, sub=_sub_state(found), can=(*known.can, "sub"))

    async def _tried(self, part: Part, camera_id: int | None, reading: Awaitable[T]) -> T | None:
        """What is read, None with a problem noted. Once the time is over nothing more is asked."""
        try:
            if self._late is not None:
                _unused(reading)
                raise self._late
            return await reading
        except HubError as error:
            if error.reason == Reason.TIMED_OUT:
                self._late = error
            elif error.reason not in _OWN_WORDS:
                raise
            why = (unsupported() if faults.unknown_call(error) else plain(error)).explanation
            parts: tuple[Part, ...] = ("osd_name", "osd_time") if part == "osd_name" else (part,)
            cameras = [one.camera_id for one in self._device.cameras] if part == "osd_name" else [camera_id]
            self._problems += [
                SettingsProblem(one, place, why.reason, why.detail, why.params) for place in cameras for one in parts
            ]
            return None


def _unused(reading: Awaitable[object]) -> None:
    if asyncio.iscoroutine(reading):
        reading.close()


async def _refusal(change: Awaitable[None]) -> HubError | None:
    """Why the device refuses the change, None where it accepts it. Raises HubError where it could not be asked."""
    try:
        await change
    except HubError as error:
        if error.reason not in _OWN_WORDS:
            raise
        return error
    return None


async def _login_proved(onvif: OnvifDevice) -> None:
    """A call that needs the login, so that the next one goes out signed at once, without a second round trip."""
    try:
        await read_ntp(onvif)
    except HubError as error:
        if error.reason not in _OWN_WORDS:
            raise


async def _clock_proved(onvif: OnvifDevice, zone: str, daylight: bool, *, back_to_ntp: bool) -> Facts:
    """The clock after it was set. A device that followed NTP goes on with it."""
    try:
        told = await read_clock(onvif)
        if back_to_ntp:
            if (error := await _refusal(set_clock(onvif, "ntp", zone=zone, daylight=daylight))) is not None:
                raise HubError(
                    Kind.UNREACHABLE,
                    "the clock was set, but the device refuses to follow NTP again; switch NTP on at the device",
                    reason=Reason.CHANGED_PARTLY,
                    set="offset_s",
                    lacks="source",
                ) from error
            told = await read_clock(onvif)
    except HubError as error:
        if error.reason == Reason.CHANGED_PARTLY:
            raise
        raise unproved(error) from error
    state = _clock_state(told)
    return {
        "offset_s": state.offset_s,
        "source": state.source,
        "zone": state.zone,
        "zone_offset_s": state.zone_offset_s,
        "daylight": state.daylight,
    }


def _clock_state(told: ToldClock) -> ClockState:
    said = told.said
    offset = local_offset(said.utc, said.local)
    if offset is not None and said.summer:
        offset -= 3600
    return ClockState(
        told.source,
        told.time,
        told.offset_s,
        said.zone,
        offset if offset is not None else meant(said.zone),
        said.summer,
    )


async def _texts(onvif: OnvifDevice, services: Services) -> _Texts:
    service, listed = await osd_service(onvif, services)
    if service.space == MEDIA2:
        profiles = await Media2(onvif.conversation, service.path).profiles()
    else:
        profiles = await onvif.profiles(service.path)
    configurations: dict[str, dict[str, None]] = {}
    for one in profiles:
        configurations.setdefault(one.source, {})[one.configuration] = None
    return _Texts(service, listed, {source: tuple(found) for source, found in configurations.items()})


def _osd_texts(listed: Collection[ListedOsd]) -> tuple[OsdText, ...]:
    return tuple(OsdText(one.token, "time" if one.clock else "name", one.text, one.place) for one in list(listed)[:16])


async def _set_osd(onvif: OnvifDevice, services: Services, camera: SettingsCamera, item: PlannedItem) -> Facts:
    texts = await _texts(onvif, services)
    configurations = texts.configurations.get(camera.channel, ())
    if not configurations:
        raise HubError(
            Kind.UNREACHABLE,
            "the device does not tell which text belongs to this camera; set it on the device's own page",
            reason=Reason.SETTING_UNSUPPORTED,
        )
    known = _the_text(texts, camera, item.part)
    if not item.after.get("shown"):
        change = texts.service.remove(known.token) if known is not None else None
    else:
        configuration = known.configuration if known is not None else configurations[0]
        options = await onvif.tolerant(texts.service.options(configuration), OsdOptions())
        text = str(item.after["text"]) if item.part == "osd_name" else None
        change = texts.service.write(known, configuration, WantedText(text, _place(item.after)), options)
    if change is not None and (error := await _refusal(change)) is not None:
        raise refused(error)
    try:
        found = _the_text(replace(texts, listed=await texts.service.listed()), camera, item.part)
    except HubError as error:
        raise unproved(error) from error
    if found is None:
        return {"text": "", "shown": False, "position": None}
    return {"text": found.text, "shown": True, "position": found.place}


def _the_text(texts: _Texts, camera: SettingsCamera, part: Part) -> ListedOsd | None:
    """The text that the plan means, by the same rule."""
    mine = texts.of(camera)
    chosen = name_text(_osd_texts(mine)) if part == "osd_name" else time_text(_osd_texts(mine))
    return next((one for one in mine if chosen is not None and one.token == chosen.token), None)


def _place(after: Facts) -> Place:
    found = after.get("position")
    return next((one for one in PLACES if one == found), "custom")


def _sub_state(found: EncoderSetting) -> SubStream:
    mine = found.options.get(found.codec or "", EncoderOptions())
    return SubStream(
        found.token,
        found.codec,
        found.width,
        found.height,
        found.fps,
        found.gov_length,
        found.bitrate_kbit,
        tuple(found.options),
        Bounds(*mine.gov) if mine.gov is not None else None,
        Bounds(*mine.fps) if mine.fps is not None else None,
        Bounds(*mine.bitrate) if mine.bitrate is not None else None,
        mine.sizes,
    )


def _sub_facts(found: EncoderSetting) -> dict[str, Fact]:
    return {
        "codec": found.codec,
        "width": found.width,
        "height": found.height,
        "fps": found.fps,
        "gov_length": found.gov_length,
        "bitrate_kbit": found.bitrate_kbit,
    }


def _wanted_encoder(values: Mapping[str, Fact]) -> WantedEncoder:
    def number(name: str) -> int | None:
        value = values.get(name)
        return value if isinstance(value, int) else None

    codec = values.get("codec")
    return WantedEncoder(
        codec if isinstance(codec, str) else None,
        number("width"),
        number("height"),
        number("fps"),
        number("gov_length"),
        number("bitrate_kbit"),
    )
