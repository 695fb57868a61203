"""zeep as an ONVIF client, with the WSDLs that onvif-zeep ships."""

import asyncio
from functools import cache
from pathlib import Path
from typing import Any

import onvif
import requests
import zeep
import zeep.wsse.username
from requests.auth import HTTPDigestAuth

from camera_hub.simulator.device import Device

WSDL = Path(onvif.__file__).parent.parent / "wsdl"
ZEEP: Any = zeep
"""zeep is annotated in part only."""
LOGIN = ("admin", "village-2024")
SERVICES = {
    "device": ("devicemgmt.wsdl", "http://www.onvif.org/ver10/device/wsdl", "DeviceBinding", "device_service"),
    "media": ("media.wsdl", "http://www.onvif.org/ver10/media/wsdl", "MediaBinding", "Media"),
    "ptz": ("ptz.wsdl", "http://www.onvif.org/ver20/ptz/wsdl", "PTZBinding", "PTZ"),
    "imaging": ("imaging.wsdl", "http://www.onvif.org/ver20/imaging/wsdl", "ImagingBinding", "Imaging"),
    "events": ("events.wsdl", "http://www.onvif.org/ver10/events/wsdl", "EventBinding", "Events"),
    "pullpoint": ("events.wsdl", "http://www.onvif.org/ver10/events/wsdl", "PullPointSubscriptionBinding", "Events"),
    "subscription": ("events.wsdl", "http://www.onvif.org/ver10/events/wsdl", "SubscriptionManagerBinding", "Events"),
}


@cache
def document(file: str) -> Any:
    return ZEEP.Client(str(WSDL / file), settings=ZEEP.Settings(strict=True)).wsdl


class Onvif:
    """A zeep client of one device. Calls block, so they are made in a thread."""

    def __init__(self, device: Device, *, token: tuple[str, str] | None = LOGIN, digest: tuple[str, str] | None = None):
        self.device = device
        self._token = token
        self._digest = digest

    async def call(self, service: str, operation: str, /, *, at: str = "", **values: Any) -> Any:
        return await asyncio.to_thread(self._call, service, operation, at, values)

    def _call(self, service: str, operation: str, at: str, values: dict[str, Any]) -> Any:
        file, namespace, binding, path = SERVICES[service]
        with requests.Session() as session:
            session.trust_env = False
            if self._digest:
                session.auth = HTTPDigestAuth(*self._digest)
            wsse = ZEEP.wsse.username.UsernameToken(*self._token, use_digest=True) if self._token else None
            client = ZEEP.Client(
                document(file), transport=ZEEP.Transport(session=session, operation_timeout=60), wsse=wsse
            )
            address = at or self.device.state.http_url(f"/onvif/{path}")
            return getattr(client.create_service(f"{{{namespace}}}{binding}", address), operation)(**values)
