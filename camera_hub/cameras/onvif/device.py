"""The ONVIF calls that the hub makes, in one conversation. Blocking; returns plain values, never parts of an answer."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar

from camera_hub.cameras import urls
from camera_hub.cameras.onvif import faults, soap
from camera_hub.cameras.onvif.describe import MAX_PROFILES, Identity, Profile, clean, mac_of
from camera_hub.cameras.onvif.media2 import MEDIA2, Media2
from camera_hub.cameras.onvif.transport import SoapConversation
from camera_hub.errors import HubError, Reason

log = logging.getLogger(__name__)

DEVICE = "http://www.onvif.org/ver10/device/wsdl"
MEDIA1 = "http://www.onvif.org/ver10/media/wsdl"

T = TypeVar("T")


class OnvifDevice:
    """The calls of one conversation; `path` is that of the device service."""

    def __init__(self, conversation: SoapConversation, path: str) -> None:
        self._conversation = conversation
        self._path = path

    def utc(self) -> datetime | None:
        """The device's clock, without a login; None when its answer contains no usable time."""
        utc = next(self._device("GetSystemDateAndTime").iter("{*}UTCDateTime"), None)
        parts = [
            soap.number(utc, path)
            for path in ("Date/Year", "Date/Month", "Date/Day", "Time/Hour", "Time/Minute", "Time/Second")
        ]
        year, month, day, hour, minute, second = parts
        if year is None or month is None or day is None or hour is None or minute is None or second is None:
            return None
        try:
            return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
        except ValueError:
            return None

    def services(self) -> dict[str, str]:
        """Namespace → path of the services that the device has."""
        answer = self.tolerant(lambda: self._device("GetServices", ("IncludeCapability", "false")), None)
        services = answer.iter("{*}Service") if answer is not None else ()
        found = {
            namespace: urls.service_path(soap.text(one, "XAddr"), self._path)
            for one in services
            if (namespace := soap.text(one, "Namespace"))
        }
        if MEDIA1 in found or MEDIA2 in found:
            return found
        capabilities = self.tolerant(lambda: self._device("GetCapabilities", ("Category", "All")), None)
        if capabilities is not None and (address := soap.text(capabilities, "Capabilities/Media/XAddr")):
            found[MEDIA1] = urls.service_path(address, self._path)
        # Some devices list nothing and still answer media calls at the device's own path.
        return found if found.keys() & {MEDIA1, MEDIA2} else {MEDIA1: self._path}

    def identity(self) -> Identity:
        """Manufacturer, model, serial number and so on. The first call that needs the login."""
        info = self._device("GetDeviceInformation")
        return Identity(
            manufacturer=clean(soap.text(info, "Manufacturer")),
            model=clean(soap.text(info, "Model")),
            firmware=clean(soap.text(info, "FirmwareVersion")),
            serial=clean(soap.text(info, "SerialNumber")),
            mac=self.tolerant(self._mac, ""),
            endpoint=self.tolerant(self._endpoint, ""),
        )

    def scopes(self) -> tuple[str, ...]:
        found = (soap.text(one, "ScopeItem") for one in self._device("GetScopes").iter("{*}Scopes"))
        return tuple(islice(filter(None, found), 64))

    def hostname(self) -> str:
        return clean(soap.text(self._device("GetHostname"), "HostnameInformation/Name"))

    def profiles(self, path: str) -> list[Profile]:
        """Media1 profiles that show a video source."""
        found = (
            soap.profile(node, node.find("{*}VideoSourceConfiguration"), node.find("{*}VideoEncoderConfiguration"))
            for node in islice(self._media(path, "GetProfiles").iter("{*}Profiles"), MAX_PROFILES)
        )
        return [one for one in found if one is not None]

    def osd(self, path: str) -> dict[str, str]:
        """Source configuration → the longest plain text of its on-screen display."""
        texts: dict[str, str] = {}
        for one in self._media(path, "GetOSDs").iter("{*}OSDs"):
            said = clean(soap.text(one, "TextString/PlainText"))
            if not said or soap.text(one, "TextString/Type") != "Plain":
                continue
            token = soap.text(one, "VideoSourceConfigurationToken")
            if len(said) > len(texts.get(token, "")):
                texts[token] = said
        return texts

    def stream_uri(self, path: str, profile: str) -> str:
        """The profile's RTSP URL as the device answers it."""
        setup = (("Stream", "RTP-Unicast"), ("Transport", (("Protocol", "RTSP"),)))
        answer = self._media(path, "GetStreamUri", ("StreamSetup", setup), ("ProfileToken", profile))
        return soap.text(answer, "MediaUri/Uri")

    def synchronize(self, path: str, profile: str) -> None:
        """Ask for a key frame."""
        self._media(path, "SetSynchronizationPoint", ("ProfileToken", profile))

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
        interfaces = list(self._device("GetNetworkInterfaces").iter("{*}NetworkInterfaces"))
        interfaces.sort(key=lambda one: soap.text(one, "Enabled") not in ("true", "1"))
        return next((mac for one in interfaces if (mac := mac_of(soap.text(one, "Info/HwAddress")))), "")

    def _endpoint(self) -> str:
        return clean(soap.text(self._device("GetEndpointReference"), "GUID"), 128)

    def _device(self, operation: str, *values: soap.Value) -> Any:
        return soap.call(self._conversation, self._path, DEVICE, operation, *values)

    def _media(self, path: str, operation: str, *values: soap.Value) -> Any:
        return soap.call(self._conversation, path, MEDIA1, operation, *values)


def readable(ask: Callable[[], T]) -> T:
    """The result of `ask`; any failure to read the device's answer becomes HubError(BAD_REPLY)."""
    try:
        return ask()
    except HubError:
        raise
    except Exception as error:
        log.debug("an answer could not be parsed", exc_info=error)
        raise faults.bad_reply(type(error).__name__) from error
