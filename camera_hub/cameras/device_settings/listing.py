"""Which cameras hang on a recorder, by its own list of them (Hikvision's InputProxy, Dahua's LogicDeviceManager).

ONVIF has no word for it. It is asked beside the settings, with the login of the recorder's own interface; a recorder
without one lists nothing.
"""

from collections.abc import Mapping
from typing import Protocol

from camera_hub.cameras import addresses
from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.purposes import Purpose
from camera_hub.cameras.device_settings.values import BehindRecorder, SettingsDevice
from camera_hub.cameras.http.deadline import Deadline
from camera_hub.cameras.http.device_http import DeviceHttp
from camera_hub.cameras.http.messages import HttpPeer
from camera_hub.cameras.http.signed_http import HttpTarget, SignedHttp
from camera_hub.cameras.onvif.describe import clean, mac_of
from camera_hub.cameras.onvif.envelopes import text_of
from camera_hub.cameras.reach import Check
from camera_hub.cameras.vendors import refusals
from camera_hub.cameras.vendors.answers import listed, pairs_of, rows_of, xml_of
from camera_hub.cameras.vendors.interface import VendorInterface
from camera_hub.cameras.vendors.recognition import recognised
from camera_hub.clock import Clock

MOST = 256
_PROXIES = "/ISAPI/ContentMgmt/InputProxy/channels"
_REMOTE = "/cgi-bin/LogicDeviceManager.cgi?action=getCameraAll"
_GREET_SECONDS = 3.0
_SECONDS = 10.0


class ListingLogins(Protocol):
    """What this needs of the register."""

    async def login(self, device_id: int, purpose: Purpose) -> DeviceLogin: ...


class ListingChecks(Protocol):
    """What this needs of cameras.device_checks."""

    async def of_device(self, device_id: int) -> Check: ...


class RecorderLists:
    """Asks recorders for their cameras."""

    def __init__(
        self, http: DeviceHttp, signed: SignedHttp, logins: ListingLogins, checks: ListingChecks, clock: Clock
    ) -> None:
        self._http = http
        self._signed = signed
        self._logins = logins
        self._checks = checks
        self._clock = clock

    async def of(self, device: SettingsDevice) -> tuple[BehindRecorder, ...]:
        """Raises HubError."""
        check = await self._checks.of_device(device.device_id)
        address = await addresses.resolve(device.host)
        peer = HttpPeer(device.host, address, device.port or 0)
        found = await recognised(self._http, peer, check, _GREET_SECONDS)
        vendor = next(iter(found.vendors), None) if found is not None else None
        if vendor is None:
            return ()
        login = await self._logins.login(device.device_id, "http")
        target = HttpTarget(
            peer,
            login or None,
            check,
            basic=False,
            refusal=lambda reply: refusals.told(reply, vendor, self._clock.now()),
        )
        interface = VendorInterface(self._signed, target, Deadline(_SECONDS), vendor, self._clock.now)
        if vendor == "hikvision":
            node = await xml_of(await interface.tolerant(_PROXIES), "InputProxyChannelList")
            nodes = listed(node, "InputProxyChannel") if node is not None else []
            return tuple(
                BehindRecorder(
                    clean(text_of(one, "sourceInputPortDescriptor", "ipAddress"), 255),
                    clean(text_of(one, "sourceInputPortDescriptor", "serialNumber"), 128),
                    mac_of(text_of(one, "sourceInputPortDescriptor", "macAddress")),
                )
                for one in list(nodes)[:MOST]
            )
        rows = rows_of(await pairs_of(await interface.tolerant(_REMOTE)), "camera")
        return tuple(_of_dahua(row) for _, row in sorted(rows.items())[:MOST])


def _of_dahua(row: Mapping[str, str]) -> BehindRecorder:
    return BehindRecorder(
        clean(row.get("DeviceInfo.Address", ""), 255),
        clean(row.get("DeviceInfo.SerialNo", ""), 128),
        mac_of(row.get("DeviceInfo.Mac", "")),
    )
