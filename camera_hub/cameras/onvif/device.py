"""The ONVIF calls that the hub makes, in one conversation. Returns plain values, never zeep's objects."""

import asyncio
import ipaddress
import logging
from collections.abc import Awaitable
from datetime import datetime
from typing import Any, TypeVar

from camera_hub.cameras import urls
from camera_hub.cameras.described import Identity
from camera_hub.cameras.identity import endpoint_key
from camera_hub.cameras.onvif import wsdl
from camera_hub.cameras.onvif.conversation import LARGE, SoapConversation
from camera_hub.cameras.onvif.describe import MAX_PROFILES, MAX_TOKEN, Profile, clean, codec_of, mac_of, scope_values
from camera_hub.cameras.onvif.device_clock import DeviceClock, device_time, moment
from camera_hub.cameras.onvif.media2 import MEDIA2
from camera_hub.cameras.onvif.ptz import PTZ
from camera_hub.errors import HubError, Reason
from camera_hub.peculiarity_kinds import PeculiarityKind

log = logging.getLogger(__name__)

MEDIA1 = "http://www.onvif.org/ver10/media/wsdl"

T = TypeVar("T")


class OnvifDevice:
    """The calls of one `conversation`; `path` is that of the device service."""

    def __init__(self, conversation: SoapConversation, path: str) -> None:
        self.conversation = conversation
        self.path = path

    async def utc(self) -> datetime | None:
        """The device's clock, without a login; None when it gives no usable time, or refuses to (case 21).

        Raises HubError where it does not answer as an ONVIF device does, or asks for a login.
        """
        learnt = self.conversation.device.learnt
        try:
            answer = await self._device("GetSystemDateAndTime")
        except HubError as error:
            if error.reason not in (Reason.SOAP_FAULT, Reason.DEVICE_FULL):
                raise
            learnt[PeculiarityKind.NO_CLOCK] = "refused"
            return None
        said = _clock(getattr(answer, "SystemDateAndTime", None))
        found = device_time(said, self.conversation.now())
        if found is None:
            learnt[PeculiarityKind.NO_CLOCK] = "no usable time"
        elif said.utc is None:
            learnt[PeculiarityKind.NO_CLOCK] = "local time only"
        return found

    async def services(self) -> dict[str, str]:
        """Namespace → path of the services that the device has."""
        answer: Any = await self.tolerant(self._device("GetServices", IncludeCapability=False), None)
        found = {
            str(one.Namespace).strip().rstrip("/"): urls.service_path(one.XAddr, self.path)
            for one in getattr(answer, "Service", None) or ()
            if one is not None and one.Namespace
        }
        if MEDIA1 in found or MEDIA2 in found:
            return found
        answer = await self.tolerant(self._device("GetCapabilities", Category=["All"]), None)
        listed = getattr(answer, "Capabilities", None)
        for space, name in ((MEDIA1, "Media"), (PTZ, "PTZ")):
            if (one := getattr(listed, name, None)) is not None:
                found[space] = urls.service_path(one.XAddr, self.path)
        # Some devices list nothing and still answer media calls at the device's own path.
        return found if MEDIA1 in found else {**found, MEDIA1: self.path}

    async def identity(self) -> Identity:
        """Manufacturer, model, serial number and so on. The first call that needs the login."""
        info = await self._device("GetDeviceInformation")
        return Identity(
            manufacturer=_text(info, "Manufacturer"),
            model=_text(info, "Model"),
            firmware=_text(info, "FirmwareVersion"),
            serial=_serial(_text(info, "SerialNumber")),
            mac=await self.tolerant(self._mac(), ""),
            endpoint=await self.tolerant(self._endpoint(), ""),
        )

    async def open_identity(self, known_endpoint: str = "") -> Identity:
        """What it tells of its identity without a login; empty where it tells nothing. A device that has the known
        endpoint is asked no more.

        Raises HubError where it does not answer as an ONVIF device does.
        """
        endpoint = await self._unasked(self._endpoint(), "")
        if endpoint and endpoint_key(endpoint) == endpoint_key(known_endpoint):
            return Identity(endpoint=endpoint)
        info: Any = await self._unasked(self._device("GetDeviceInformation"), None)
        scopes = scope_values(await self._unasked(self.scopes(), ()))
        mac = "" if info is None else await self._unasked(self._mac(), "")
        said = [*scopes.get("mac", ()), *scopes.get("macaddress", ())]
        return Identity(
            manufacturer=_text(info, "Manufacturer"),
            model=_text(info, "Model"),
            firmware=_text(info, "FirmwareVersion"),
            serial=_text(info, "SerialNumber"),
            mac=mac or next((found for one in said if (found := mac_of(one))), ""),
            endpoint=endpoint,
        )

    async def scopes(self) -> tuple[str, ...]:
        answer = await self._device("GetScopes")
        found = getattr(answer, "Scopes", None) or ()
        return tuple(str(one.ScopeItem) for one in found if one is not None and one.ScopeItem)[:64]

    async def hostname(self) -> str:
        return _text(getattr(await self._device("GetHostname"), "HostnameInformation", None), "Name")

    async def profiles(self, path: str) -> list[Profile]:
        """Media1 profiles that show a video source; of several with one token the first."""
        answer = await self._media(path, "GetProfiles")
        found: dict[str, Profile] = {}
        for one in (getattr(answer, "Profiles", None) or ())[:MAX_PROFILES]:
            source = one.VideoSourceConfiguration if one is not None else None
            token = str(one.token or "").strip()[:MAX_TOKEN] if one is not None else ""
            if source is None or not token or token in found:
                continue
            encoder = one.VideoEncoderConfiguration
            size = getattr(encoder, "Resolution", None)
            found[token] = Profile(
                token=token,
                name=_text(one, "Name"),
                source=(_text(source, "SourceToken", MAX_TOKEN) or str(source.token or "") or token)[:MAX_TOKEN],
                source_name=_text(source, "Name"),
                configuration=str(source.token or ""),
                codec=codec_of(getattr(encoder, "Encoding", None)),
                width=_size(getattr(size, "Width", None)),
                height=_size(getattr(size, "Height", None)),
                ptz=one.PTZConfiguration is not None,
                node=str(getattr(one.PTZConfiguration, "NodeToken", None) or "")[:MAX_TOKEN],
            )
        return list(found.values())

    async def osd(self, path: str) -> dict[str, str]:
        """Source configuration → the longest plain text of its on-screen display."""
        texts: dict[str, str] = {}
        answer = await self._media(path, "GetOSDs")
        for one in getattr(answer, "OSDs", None) or ():
            said = getattr(one, "TextString", None)
            if said is None or str(said.Type) != "Plain" or not (text := clean(said.PlainText)):
                continue
            token = getattr(one.VideoSourceConfigurationToken, "_value_1", one.VideoSourceConfigurationToken)
            if len(text) > len(texts.get(str(token), "")):
                texts[str(token)] = text
        return texts

    async def stream_uri(self, path: str, profile: str) -> str:
        """The profile's RTSP URL as the device answers it."""
        setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
        answer = await self._media(path, "GetStreamUri", StreamSetup=setup, ProfileToken=profile)
        return str(getattr(getattr(answer, "MediaUri", None), "Uri", None) or "")

    async def synchronize(self, path: str, profile: str) -> None:
        """Ask for a key frame."""
        await self._media(path, "SetSynchronizationPoint", ProfileToken=profile)

    async def call(self, kind: tuple[str, str], path: str, operation: str, **values: Any) -> Any:
        """The device's answer to a call that a WSDL describes (`kind`: wsdl.DEVICE and so on), as zeep reads it; None
        for an empty one. `path`: of the service. Raises HubError."""
        envelope = await self.conversation.call(path, *wsdl.message(kind, operation, values))
        if envelope.size > LARGE:
            return await asyncio.to_thread(wsdl.answer, kind, operation, envelope)
        return wsdl.answer(kind, operation, envelope)

    async def tolerant(self, ask: Awaitable[T], default: T) -> T:
        """The answer, or `default` where the device refuses or garbles a call that we can do without.

        A refused login, a closed port and a passed deadline are still raised: the next call would fail as well.
        """
        try:
            return await ask
        except HubError as error:
            if error.reason not in (Reason.SOAP_FAULT, Reason.BAD_REPLY, Reason.ONVIF_OFF):
                raise
            log.debug("an optional call failed: %s", error)
            return default

    async def _unasked(self, ask: Awaitable[T], default: T) -> T:
        """As `tolerant`, also where the device asks for a login."""
        try:
            return await self.tolerant(ask, default)
        except HubError as error:
            if error.reason != Reason.LOGIN_NEEDED:
                raise
            return default

    async def _mac(self) -> str:
        answer = await self._device("GetNetworkInterfaces")
        found = [one for one in getattr(answer, "NetworkInterfaces", None) or () if getattr(one, "Info", None)]
        found.sort(key=lambda one: not one.Enabled)
        return next((mac for one in found if (mac := mac_of(one.Info.HwAddress))), "")

    async def _endpoint(self) -> str:
        return clean(str(getattr(await self._device("GetEndpointReference"), "GUID", None) or ""), 128)

    async def _device(self, operation: str, **values: Any) -> Any:
        return await self.call(wsdl.DEVICE, self.path, operation, **values)

    async def _media(self, path: str, operation: str, **values: Any) -> Any:
        return await self.call(wsdl.MEDIA, path, operation, **values)


def _serial(text: str) -> str:
    """Without one that is only the address under which the device was asked (go2rtc): that identifies nothing."""
    host = text.rpartition(":")[0] if text.count(":") == 1 or "]:" in text else text
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return text
    return ""


def _clock(said: Any) -> DeviceClock:
    zone = _text(getattr(said, "TimeZone", None), "TZ", 80)
    return DeviceClock(
        _moment(getattr(said, "UTCDateTime", None)),
        _moment(getattr(said, "LocalDateTime", None)),
        zone,
        bool(getattr(said, "DaylightSavings", False)),
    )


def _moment(value: Any) -> datetime | None:
    date, time = getattr(value, "Date", None), getattr(value, "Time", None)
    parts = [getattr(date, name, None) for name in ("Year", "Month", "Day")]
    return moment([*parts, *(getattr(time, name, None) for name in ("Hour", "Minute", "Second"))])


def _text(value: Any, name: str, limit: int = 64) -> str:
    found = getattr(value, name, None)
    return clean(found, limit) if isinstance(found, str) else ""


def _size(value: object) -> int | None:
    return value if isinstance(value, int) and 0 < value <= 32768 else None
