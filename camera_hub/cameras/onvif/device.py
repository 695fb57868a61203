"""The ONVIF calls that the hub makes, in one conversation. Blocking; returns plain values, never zeep's objects."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from camera_hub.cameras import urls
from camera_hub.cameras.onvif import faults, wsdl
from camera_hub.cameras.onvif.describe import MAX_PROFILES, MAX_TOKEN, Identity, Profile, clean, codec_of, mac_of
from camera_hub.cameras.onvif.media2 import MEDIA2, Media2
from camera_hub.cameras.onvif.transport import SoapConversation
from camera_hub.errors import HubError, Reason

log = logging.getLogger(__name__)

MEDIA1 = "http://www.onvif.org/ver10/media/wsdl"

T = TypeVar("T")


class OnvifDevice:
    """The calls of one conversation; `path` is that of the device service."""

    def __init__(self, conversation: SoapConversation, path: str) -> None:
        self._conversation = conversation
        self._path = path

    def utc(self) -> datetime | None:
        """The device's clock, without a login; None when its answer contains no usable time."""
        answer = self._device("GetSystemDateAndTime")
        utc: Any = getattr(answer, "UTCDateTime", None)
        try:
            date, time = utc.Date, utc.Time
            return datetime(date.Year, date.Month, date.Day, time.Hour, time.Minute, min(time.Second, 59), tzinfo=UTC)
        except (AttributeError, TypeError, ValueError):
            return None

    def services(self) -> dict[str, str]:
        """Namespace → path of the services that the device has."""
        services: Any = self.tolerant(lambda: self._device("GetServices", IncludeCapability=False), None)
        found = {
            str(one.Namespace): urls.service_path(one.XAddr, self._path) for one in services or () if one.Namespace
        }
        if MEDIA1 in found or MEDIA2 in found:
            return found
        capabilities = self.tolerant(lambda: self._device("GetCapabilities", Category=["All"]), None)
        media = getattr(capabilities, "Media", None)
        if media is not None:
            found[MEDIA1] = urls.service_path(media.XAddr, self._path)
        # Some devices list nothing and still answer media calls at the device's own path.
        return found if found.keys() & {MEDIA1, MEDIA2} else {MEDIA1: self._path}

    def identity(self) -> Identity:
        """Manufacturer, model, serial number and so on. The first call that needs the login."""
        info = self._device("GetDeviceInformation")
        return Identity(
            manufacturer=clean(info.Manufacturer),
            model=clean(info.Model),
            firmware=clean(info.FirmwareVersion),
            serial=clean(info.SerialNumber),
            mac=self.tolerant(self._mac, ""),
            endpoint=self.tolerant(self._endpoint, ""),
        )

    def scopes(self) -> tuple[str, ...]:
        return tuple(str(one.ScopeItem) for one in self._device("GetScopes") or () if one.ScopeItem)[:64]

    def hostname(self) -> str:
        return clean(getattr(self._device("GetHostname"), "Name", ""))

    def profiles(self, path: str) -> list[Profile]:
        """Media1 profiles that show a video source."""
        found = []
        for one in (self._media(path, "GetProfiles") or ())[:MAX_PROFILES]:
            source = one.VideoSourceConfiguration
            encoder = one.VideoEncoderConfiguration
            if source is None or not one.token:
                continue
            size = getattr(encoder, "Resolution", None)
            found.append(
                Profile(
                    token=str(one.token)[:MAX_TOKEN],
                    name=clean(one.Name),
                    source=str(source.SourceToken or source.token or one.token)[:MAX_TOKEN],
                    source_name=clean(source.Name),
                    configuration=str(source.token or ""),
                    codec=codec_of(getattr(encoder, "Encoding", None)),
                    width=_size(getattr(size, "Width", None)),
                    height=_size(getattr(size, "Height", None)),
                )
            )
        return found

    def osd(self, path: str) -> dict[str, str]:
        """Source configuration → the longest plain text of its on-screen display."""
        texts: dict[str, str] = {}
        for one in self._media(path, "GetOSDs") or ():
            said = one.TextString
            if said is None or str(said.Type) != "Plain" or not (text := clean(said.PlainText)):
                continue
            token = getattr(one.VideoSourceConfigurationToken, "_value_1", one.VideoSourceConfigurationToken)
            if len(text) > len(texts.get(str(token), "")):
                texts[str(token)] = text
        return texts

    def stream_uri(self, path: str, profile: str) -> str:
        """The profile's RTSP URL as the device answers it."""
        setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
        answer = self._media(path, "GetStreamUri", StreamSetup=setup, ProfileToken=profile)
        return str(getattr(answer, "Uri", None) or "")

    def synchronize(self, path: str, profile: str) -> None:
        """Ask for a key frame."""
        self._media(path, "SetSynchronizationPoint", ProfileToken=profile)

    def media2(self, path: str) -> Media2:
        return Media2(self._conversation, path)

    def tolerant(self, ask: Callable[[], T], default: T) -> T:
        """The answer, or `default` where the device refuses or garbles a call that we can do without.

        A refused login, a closed port and a passed deadline are still raised: the next call would fail as well.
        """
        try:
            return readable(ask)
        except HubError as error:
            self._conversation.deadline.check()
            if error.reason not in (Reason.SOAP_FAULT, Reason.BAD_REPLY, Reason.ONVIF_OFF):
                raise
            log.debug("an optional call failed: %s", error)
            return default

    def _mac(self) -> str:
        interfaces = [one for one in self._device("GetNetworkInterfaces") or () if one.Info is not None]
        interfaces.sort(key=lambda one: not one.Enabled)
        return next((mac for one in interfaces if (mac := mac_of(one.Info.HwAddress))), "")

    def _endpoint(self) -> str:
        answer = self._device("GetEndpointReference")
        return clean(str(getattr(answer, "GUID", None) or (answer if isinstance(answer, str) else "")), 128)

    def _device(self, operation: str, **values: Any) -> Any:
        return self._call(wsdl.DEVICE, self._path, operation, values)

    def _media(self, path: str, operation: str, **values: Any) -> Any:
        return self._call(wsdl.MEDIA, path, operation, values)

    def _call(self, kind: tuple[str, str], path: str, operation: str, values: dict[str, Any]) -> Any:
        from zeep.exceptions import Fault  # as in `wsdl`: with the first call

        service = wsdl.service(kind, self._conversation, self._conversation.peer.url(path))
        try:
            return service[operation](**values)
        except Fault as fault:
            subcodes = " ".join(str(code) for code in fault.subcodes or ())
            raise faults.of_fault(f"{fault.code or ''} {subcodes} {fault.message or ''}") from fault


def readable(ask: Callable[[], T]) -> T:
    """The result of `ask`; any failure of zeep or ours to read the device's answer becomes HubError(BAD_REPLY)."""
    try:
        return ask()
    except HubError:
        raise
    except Exception as error:
        log.debug("an answer could not be parsed", exc_info=error)
        raise faults.bad_reply(type(error).__name__) from error


def _size(value: object) -> int | None:
    return value if isinstance(value, int) and 0 < value <= 32768 else None
