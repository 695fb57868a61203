"""The machine's own addresses and the hub's own ports: what `reach` must know to keep the hub from calling itself."""

import contextlib
import ipaddress
from collections.abc import Iterable

import ifaddr

from camera_hub.cameras.reach import IpAddress, OwnService, ReachPolicy, canonical
from camera_hub.clock import Clock
from camera_hub.settings import Settings

_FRESH_SECONDS = 5.0


class HubAddresses:
    """Calling it gives the policy of this moment; interfaces are read again after some seconds, since they change."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._clock = clock
        self._local_devices = settings.discovery.local_devices
        self._services = own_services(settings)
        self._announced = frozenset(
            ip for text in settings.media.announced_addresses if (ip := canonical(text)) is not None
        )
        self._policy: ReachPolicy | None = None
        self._until = 0.0

    def __call__(self) -> ReachPolicy:
        now = self._clock.monotonic()
        if self._policy is None or now >= self._until:
            own, broadcasts = _interfaces()
            self._policy = ReachPolicy(own | self._announced, broadcasts, self._services, self._local_devices)
            self._until = now + _FRESH_SECONDS
        return self._policy


def own_services(settings: Settings) -> frozenset[OwnService]:
    """The TCP ports at which this hub listens, or may: its pages, and RTSP out of each relay."""
    server, media = settings.server, settings.media
    places = [(server.host, server.port)]
    if media.rtsp_out and media.rtsp_port:
        places += [(media.rtsp_host, media.rtsp_port + number) for number in range(media.relays)]
    return frozenset(OwnService(_listening(host), port) for host, port in places if port)


def own_address() -> str:
    """An IPv4 address of this machine that devices may reach, of several the first; "" where it has none."""
    found = (canonical(text) for text, _ in _addresses())
    usable = (ip for ip in found if ip is not None and ip.version == 4 and not (ip.is_loopback or ip.is_link_local))
    return next(map(str, usable), "")


def _listening(host: str) -> IpAddress | None:
    """The one address of a listener, None when it listens at every address or under a name."""
    ip = canonical(host)
    return None if ip is None or ip.is_unspecified else ip


def _interfaces() -> tuple[frozenset[IpAddress], frozenset[IpAddress]]:
    """All addresses of all interfaces, and the broadcast addresses of their networks."""
    own: set[IpAddress] = set()
    broadcasts: set[IpAddress] = set()
    for text, prefix in _addresses():
        ip = canonical(text)
        if ip is None:
            continue
        own.add(ip)
        with contextlib.suppress(ValueError):
            network = ipaddress.ip_network(f"{ip}/{prefix}", strict=False)
            if isinstance(network, ipaddress.IPv4Network) and network.prefixlen < 31 and not ip.is_loopback:
                broadcasts.add(network.broadcast_address)
    return frozenset(own), frozenset(broadcasts)


def _addresses() -> Iterable[tuple[str, int]]:
    for adapter in ifaddr.get_adapters():
        for one in adapter.ips:
            yield (one.ip if isinstance(one.ip, str) else one.ip[0]), one.network_prefix
