"""Describing a device over its vendor's HTTP interface, with its ordinary login."""

from collections.abc import Sequence
from datetime import tzinfo

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.described import Channel, Described, DescribedStream
from camera_hub.cameras.http.deadline import Deadline
from camera_hub.cameras.http.device_http import DeviceHttp
from camera_hub.cameras.http.messages import HttpPeer
from camera_hub.cameras.http.signed_http import HttpTarget, SignedHttp
from camera_hub.cameras.onvif.describe import clean, generic
from camera_hub.cameras.onvif.targets import PATH
from camera_hub.cameras.reach import Check
from camera_hub.cameras.vendors import dahua, hikvision, paths, refusals
from camera_hub.cameras.vendors.answers import Encoding, VendorChannel, VendorSaid
from camera_hub.cameras.vendors.interface import VendorInterface
from camera_hub.cameras.vendors.paths import Role
from camera_hub.cameras.vendors.recognition import Recognised, Vendor, recognised
from camera_hub.clock import Clock

RTSP_PORT = 554
SECONDS = 40.0
"""For all calls to one device: a dozen, each under a deadline of its own."""
_GREET_SECONDS = 3.0
_ADAPTERS = {"hikvision": hikvision.described, "dahua": dahua.described}


class VendorDescriber:
    """`zone`: that in which devices without a time zone tell their time."""

    def __init__(self, http: DeviceHttp, signed: SignedHttp, clock: Clock, zone: tzinfo) -> None:
        self._http = http
        self._signed = signed
        self._clock = clock
        self._zone = zone

    async def recognise(self, host: str, address: str, ports: Sequence[int], check: Check) -> list[Recognised]:
        """What answers HTTP at these ports, those with a vendor's interface first. Nothing is signed."""
        found = []
        for port in ports:
            one = await recognised(self._http, HttpPeer(host, address, port), check, _GREET_SECONDS)
            if one is not None:
                found.append(one)
                if one.vendors:
                    break
        return sorted(found, key=lambda one: not one.vendors)

    async def describe(
        self, vendor: Vendor, peer: HttpPeer, login: DeviceLogin | None, check: Check, rtsp_port: int | None
    ) -> Described | None:
        """What the device is and which cameras it has; None where that is not its interface.

        `rtsp_port`: where a person says that its RTSP is reached. Raises HubError with the Reason.
        """
        target = HttpTarget(
            peer, login, check, basic=False, refusal=lambda reply: refusals.told(reply, vendor, self._clock.now())
        )
        interface = VendorInterface(self._signed, target, Deadline(SECONDS), vendor, self._clock.now)
        said = await _ADAPTERS[vendor](interface, self._zone)
        if said is None:
            return None
        return described(said, vendor, peer.host, peer.port, rtsp_port or said.rtsp_port or RTSP_PORT)


def described(said: VendorSaid, vendor: Vendor, host: str, port: int, rtsp_port: int) -> Described:
    """The device that these answers describe. Pure."""
    return Described(
        host,
        port,
        PATH,
        "recorder" if said.recorder else "camera",
        _name(said),
        said.identity,
        tuple(_channel(one, vendor, host, rtsp_port, said) for one in said.channels),
        said.clock_offset_s,
        rtsp_port,
        via=vendor,
        disks=said.disks,
    )


def _name(said: VendorSaid) -> str:
    maker = clean(f"{said.identity.manufacturer} {said.identity.model}")
    return said.name if said.name and not generic(said.name) else maker or "Camera"


def _channel(one: VendorChannel, vendor: Vendor, host: str, rtsp_port: int, said: VendorSaid) -> Channel:
    def stream(role: Role, encoding: Encoding) -> DescribedStream:
        url = paths.address(vendor, one.number, role, host, rtsp_port)
        return DescribedStream(vendor, encoding.codec, encoding.width, encoding.height, url)

    name = one.name if not generic(one.name) else ""
    if not name and not said.recorder:
        name = _name(said)
    return Channel(
        str(one.number),
        name,
        stream("main", one.main),
        stream("sub", one.sub) if one.sub is not None else None,
        one.number,
        one.online,
    )
