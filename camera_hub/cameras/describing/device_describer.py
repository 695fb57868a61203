"""Describing a device: over ONVIF first, since that tells most; else over its vendor's interface, else over RTSP alone.

One login goes from one service to the next, and the one login budget counts for all of them. A service that refuses it
ends the chain, with one exception: ONVIF has users of its own at many devices, so what it refuses is tried once more
with the device's ordinary users. No login is tried that nobody gave, none is sent in the clear over HTTP.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from camera_hub.cameras import addresses, urls
from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.described import Channel, Described, DescribedStream
from camera_hub.cameras.describing.rtsp_describe import RtspPeer
from camera_hub.cameras.http.messages import HttpPeer
from camera_hub.cameras.onvif.targets import PATH
from camera_hub.cameras.reach import Check, nowhere_local
from camera_hub.cameras.vendors import paths
from camera_hub.cameras.vendors.recognition import Recognised, Vendor, maker_of
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.peculiarity_kinds import PeculiarityKind

RTSP_PORT = 554
RTSP_PORTS = (RTSP_PORT, 8554)

_GOES_ON = frozenset(
    {
        Reason.ONVIF_OFF,
        Reason.PORT_CLOSED,
        Reason.UNREACHABLE,
        Reason.TIMED_OUT,
        Reason.TLS_FAILED,
        Reason.REDIRECTED,
        Reason.BAD_REPLY,
        Reason.REPLY_TOO_LARGE,
        Reason.SOAP_FAULT,
        Reason.NO_MEDIA,
        Reason.NO_RIGHTS,
        Reason.DEVICE_FULL,
        Reason.LOGIN_NEEDED,
    }
)
"""Failures of one service that say nothing about the next one."""
_ONVIF_USERS = frozenset({Reason.WRONG_PASSWORD, Reason.CLOCK_REFUSED})
"""What ONVIF says to the device's ordinary user where it has users of its own."""
_SAYS_LITTLE = (
    Reason.PORT_CLOSED,
    Reason.UNREACHABLE,
    Reason.TIMED_OUT,
    Reason.BAD_REPLY,
    Reason.NOT_RTSP,
    Reason.ONVIF_OFF,
)
"""Of several failures any other one is told, and of these the last in this list."""


class OnvifDescriber(Protocol):
    """What describing needs of onvif.client."""

    async def describe(
        self,
        host: str,
        port: int | None = None,
        login: DeviceLogin | None = None,
        path: str = ...,
        *,
        check: Check | None = None,
    ) -> Described:
        """What the device is and which cameras it has. Raises HubError with the Reason."""
        ...


class VendorInterfaces(Protocol):
    """What describing needs of describing.vendor_describer."""

    async def recognise(self, host: str, address: str, ports: Sequence[int], check: Check) -> list[Recognised]: ...

    async def describe(
        self, vendor: Vendor, peer: HttpPeer, login: DeviceLogin | None, check: Check, rtsp_port: int | None
    ) -> Described | None: ...


class RtspPaths(Protocol):
    """What describing needs of describing.catalogue_describer."""

    async def describe(
        self, peer: RtspPeer, login: DeviceLogin | None, check: Check, maker: str
    ) -> Described | None: ...


class DeviceDescriber:
    """Implements register.devices.Describer. `ports`: where devices are asked over HTTP if nobody names a port."""

    def __init__(
        self,
        onvif: OnvifDescriber,
        vendors: VendorInterfaces,
        rtsp: RtspPaths,
        ports: Sequence[int],
        *,
        check: Check = nowhere_local,
    ) -> None:
        self._onvif = onvif
        self._vendors = vendors
        self._rtsp = rtsp
        self._ports = ports
        self._check = check

    async def describe(
        self,
        host: str,
        port: int | None = None,
        login: DeviceLogin | None = None,
        path: str = PATH,
        *,
        check: Check | None = None,
        rtsp_port: int | None = None,
        ordinary: DeviceLogin | None = None,
    ) -> Described:
        """What the device is and which cameras it has; `check` is asked before each connect.

        `port`: of ONVIF and HTTP, `rtsp_port`: of RTSP, as a person gave them: they count for more than what the device
        says, since a router may map its ports to others. `ordinary`: the login for all but ONVIF, None: the same one.
        Raises HubError with the Reason.
        """
        if port in RTSP_PORTS and rtsp_port is None:  # that is where it was seen, or what was typed behind the address
            port, rtsp_port = None, port
        try:
            return _at(await self._onvif.describe(host, port, login, path, check=check), rtsp_port)
        except HubError as error:
            own_users = error.reason in _ONVIF_USERS and "retry_in" not in error.params
            if error.reason not in _GOES_ON and not own_users:
                raise
            refused = error
        check = check or self._check
        ordinary = ordinary or login
        try:
            found = await self._otherwise(host, port, ordinary, check, rtsp_port)
        except HubError as error:
            raise _telling(refused, error) from error
        untried = refused.reason == Reason.LOGIN_NEEDED and login is None and ordinary is not None
        why = "own_user" if untried else _why(refused)
        return replace(found, peculiarities={PeculiarityKind.ONVIF_UNUSED: why, **found.peculiarities})

    async def _otherwise(
        self, host: str, port: int | None, login: DeviceLogin | None, check: Check, rtsp_port: int | None
    ) -> Described:
        """Over the vendor's interface, else by RTSP paths. Raises HubError."""
        address = await addresses.resolve(host)
        answering = await self._vendors.recognise(host, address, self._ports if port is None else (port,), check)
        maker = maker_of(*(one.signs for one in answering))
        failed: HubError | None = None
        for one in answering[:1]:
            for vendor in one.vendors:
                peer = HttpPeer(host, address, one.port)
                try:
                    found = await self._vendors.describe(vendor, peer, login, check, rtsp_port)
                except HubError as error:
                    if error.reason not in _GOES_ON or error.reason == Reason.LOGIN_NEEDED:
                        error.params.setdefault("cause", vendor)
                        raise
                    failed, maker = error, vendor
                    continue
                if found is not None:
                    return found
        if rtsp_port is None and port is not None and port not in self._ports:
            # A port that a router maps: behind its usual RTSP port may be another device.
            raise failed or _no_rtsp_port()
        try:
            found = await self._rtsp.describe(RtspPeer(host, address, rtsp_port or RTSP_PORT), login, check, maker)
        except HubError as error:
            raise _telling(failed, error) if failed is not None else _of_maker(error, maker) from error
        if found is None:
            raise failed or _of_maker(_onvif_off(), maker)
        return found


def _at(found: Described, rtsp_port: int | None) -> Described:
    """With the channels' numbers, and all streams at the RTSP port that a person gave."""

    def moved(stream: DescribedStream) -> DescribedStream:
        if rtsp_port is None or not stream.url:
            return stream
        return replace(stream, url=urls.at_port(stream.url, rtsp_port))

    def numbered(channel: Channel) -> Channel:
        number = next(
            (
                number
                for stream in (channel.main, channel.sub)
                if stream is not None and (number := paths.number_of(stream.url)) is not None
            ),
            None,
        )
        sub = moved(channel.sub) if channel.sub is not None else None
        return replace(channel, main=moved(channel.main), sub=sub, number=number)

    return replace(
        found, channels=tuple(numbered(one) for one in found.channels), rtsp_port=rtsp_port or found.rtsp_port
    )


def _telling(first: HubError, second: HubError) -> HubError:
    """Of two failures the one that tells more: the later one, unless it only says that something else is not there."""
    if first.reason in _ONVIF_USERS and "retry_in" in second.params:  # it was not tried, for what the first one has met
        return first
    ranks: dict[str, int] = {reason: rank for rank, reason in enumerate(_SAYS_LITTLE)}
    most = len(_SAYS_LITTLE)
    if first.reason in _ONVIF_USERS and second.reason in ranks:
        first.params.setdefault("cause", "onvif")
        return first
    if ranks.get(second.reason, most) < ranks.get(first.reason, most):
        return first
    return second


def _why(error: HubError) -> str:
    return "own_user" if error.reason == Reason.WRONG_PASSWORD else error.reason


def _of_maker(error: HubError, maker: str) -> HubError:
    if maker:
        error.params.setdefault("cause", maker)
    return error


def _onvif_off() -> HubError:
    return HubError(
        Kind.UNREACHABLE,
        "the device speaks neither ONVIF nor an interface that the hub knows, and shows no stream by any usual path; "
        "switch ONVIF on in its settings, or register its RTSP URL",
        reason=Reason.ONVIF_OFF,
    )


def _no_rtsp_port() -> HubError:
    return HubError(
        Kind.UNREACHABLE,
        "the device does not speak ONVIF there; switch it on, or give the outside port of its RTSP as well",
        reason=Reason.ONVIF_OFF,
    )
