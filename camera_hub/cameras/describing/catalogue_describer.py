"""Describing a device by the RTSP paths that it answers, where it lists its cameras nowhere."""

from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Literal, Protocol

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.described import Channel, Described, DescribedStream, Identity
from camera_hub.cameras.describing.channel_count import Counted, counted
from camera_hub.cameras.describing.rtsp_describe import LoginTry, RtspDescriber, RtspPeer
from camera_hub.cameras.http.deadline import Deadline
from camera_hub.cameras.onvif.targets import PATH
from camera_hub.cameras.reach import Check
from camera_hub.cameras.vendors import paths
from camera_hub.cameras.vendors.paths import Role

SECONDS = 45.0


class LoginTries(Protocol):
    """What this needs of the login budget."""

    def account(self, login: DeviceLogin, address: str, port: int) -> Any: ...
    def trying(self, account: Any, service: Literal["rtsp"]) -> AbstractAsyncContextManager[LoginTry]: ...


class CatalogueDescriber:
    """Counts channels under one try of the login budget."""

    def __init__(self, logins: LoginTries) -> None:
        self._logins = logins

    async def describe(self, peer: RtspPeer, login: DeviceLogin | None, check: Check, maker: str) -> Described | None:
        """The device with the cameras that answer by the catalogue's paths; None where none does. `maker`: as it is
        known by other signs. Raises HubError with the Reason."""
        async with AsyncExitStack() as held:
            attempt: LoginTry | None = None
            if login:
                account = self._logins.account(login, peer.address, peer.port)
                attempt = await held.enter_async_context(self._logins.trying(account, "rtsp"))
            device = await held.enter_async_context(
                RtspDescriber(peer, check, Deadline(SECONDS), login or None, attempt)
            )
            found = await counted(device, maker)
            return _described(found, peer) if found is not None else None


def _described(found: Counted, peer: RtspPeer) -> Described:
    def stream(number: int, role: Role, codec: str | None) -> DescribedStream:
        url = paths.address(found.pattern.name, number, role, peer.host, peer.port)
        return DescribedStream(found.pattern.name, codec, None, None, url)

    channels = tuple(
        Channel(
            str(number),
            "",
            stream(number, "main", codec),
            stream(number, "sub", found.sub_codec) if found.sub else None,
            number,
        )
        for number, codec in sorted(found.channels.items())
    )
    recorder = len(channels) > 1 or min(found.channels) > 1
    return Described(
        peer.host,
        None,
        PATH,
        "recorder" if recorder else "camera",
        "",
        Identity(),
        channels,
        None,
        peer.port,
        via="catalogue",
    )
