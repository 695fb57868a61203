"""Stand-ins at the register's seams: a vault that only looks sealed, a describer without a network, a prover."""

import asyncio
from dataclasses import dataclass, field

from camera_hub.access.policy import Actor, Role
from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.described import Channel, Described, DescribedStream, Identity
from camera_hub.cameras.onvif.client import Onvif
from camera_hub.cameras.onvif.targets import PATH
from camera_hub.cameras.reach import Check
from camera_hub.errors import HubError, Kind, Reason

ADMIN = Actor(1, "admin", "管理员", Role.TOWNSHIP_ADMIN)
OPERATOR = Actor(2, "operator", "值班员", Role.OPERATOR)


def village_admin(village_id: int) -> Actor:
    return Actor(3, "village", "村管理员", Role.VILLAGE_ADMIN, frozenset({village_id}))


class FakeVault:
    """Reverses the text and binds it to the device; enough to see what is stored and what is mixed up."""

    def seal(self, text: str, owner: int | str, /) -> bytes:
        return f"{owner}|{text[::-1]}".encode()

    def open(self, sealed: bytes, owner: int | str, /) -> str:
        sealed_for, _, text = sealed.decode().partition("|")
        if sealed_for != str(owner):
            raise HubError(Kind.UNAVAILABLE, "not of this device", reason="credential_locked")
        return text[::-1]


def described(
    host: str = "192.168.1.64",
    *,
    channels: int = 1,
    serial: str = "SN20240001",
    mac: str = "02:00:00:00:00:01",
    endpoint: str = "",
    model: str = "VC-1",
    names: tuple[str, ...] = (),
    port: int = 80,
) -> Described:
    """A device as describing would find it."""
    return Described(
        host,
        port,
        "/onvif/device_service",
        "recorder" if channels > 1 else "camera",
        "录像机" if channels > 1 else "村口",
        Identity("Virtual", model, "1.0", serial, mac, endpoint),
        tuple(
            Channel(
                f"source{n}",
                names[n - 1] if n <= len(names) else f"通道 {n}",
                DescribedStream(f"p{n}m", "h265", 2560, 1440, f"rtsp://{host}:554/{n}/main"),
                DescribedStream(f"p{n}s", "h264", 640, 360, f"rtsp://{host}:554/{n}/sub"),
            )
            for n in range(1, channels + 1)
        ),
        0.4,
        554,
    )


@dataclass
class FakeDescriber:
    """Answers by host; an unknown host is unreachable."""

    devices: dict[str, Described] = field(default_factory=dict)
    logins: list[DeviceLogin | None] = field(default_factory=list)

    async def describe(
        self,
        host: str,
        port: int | None = None,
        login: DeviceLogin | None = None,
        path: str = "",
        *,
        check: Check | None = None,
        rtsp_port: int | None = None,
        ordinary: DeviceLogin | None = None,
    ) -> Described:
        if check is not None:
            check(host, port or 80)
        self.logins.append(login)
        if host not in self.devices:
            raise HubError(Kind.UNREACHABLE, "the device cannot be reached", reason=Reason.UNREACHABLE)
        return self.devices[host]


@dataclass
class OnvifOnly:
    """Describes over ONVIF, and over nothing else."""

    onvif: Onvif

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
        return await self.onvif.describe(host, port, login, path, check=check)


class FakeProver:
    """Gives the verdicts it is told, once `gate` is open; remembers how many ran at once."""

    def __init__(self, verdicts: dict[int, str | None] | None = None) -> None:
        self.verdicts = verdicts or {}
        self.default: str | None = None
        self.verdicts_in_order: list[str | None] = []
        self.started = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked: list[int] = []
        self.running = 0
        self.most = 0

    async def prove(self, camera_id: int) -> str | None:
        self.asked.append(camera_id)
        self.started.set()
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.gate.wait()
        finally:
            self.running -= 1
        if self.verdicts_in_order:
            return self.verdicts_in_order.pop(0)
        return self.verdicts.get(camera_id, self.default)
