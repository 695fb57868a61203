"""A network namespace with a cable (veth) to this machine: a PC whose network can be changed. Linux, as root."""

import asyncio
import os
import secrets
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from camera_hub.errors import HubError, Kind


@dataclass(frozen=True, slots=True)
class Pc:
    """The other end of the cable. `hub` is this machine's address on it, `first` and `second` are those of the PC."""

    name: str
    device: str
    hub: str
    first: str
    second: str

    async def readdress(self, before: str, after: str) -> None:
        """The PC gets another address, as from DHCP: the old one ends, and the way to the hub is by the new one."""
        await self._ip("address", "del", f"{before}/24", "dev", self.device)
        await self._ip("address", "add", f"{after}/24", "dev", self.device)
        await self._ip("route", "replace", "default", "via", self.hub)

    async def cut(self) -> None:
        """No way to the hub any more; addresses stay, and nobody is told by the cable."""
        await self._ip("route", "del", "default")
        await self._ip("route", "replace", "blackhole", f"{self.hub}/32")

    async def mend(self) -> None:
        """The way to the hub is back."""
        await self._ip("route", "del", "blackhole", f"{self.hub}/32")
        await self._ip("route", "replace", "default", "via", self.hub)

    async def unplug(self) -> None:
        """The cable is out."""
        await self._ip("link", "set", self.device, "down")

    async def plug(self) -> None:
        """The cable is in again; the address has stayed."""
        await self._ip("link", "set", self.device, "up")
        await self._ip("route", "replace", "default", "via", self.hub)

    def command(self, folder: Path, program: str) -> Path:
        """A program of that name which runs in the PC: for whoever wants a path alone."""
        path = folder / f"in-{self.name}"
        path.write_text(f'#!/bin/sh\nexec ip netns exec {self.name} {program} "$@"\n')
        path.chmod(0o755)
        return path

    async def _ip(self, *words: str) -> None:
        await ip("-n", self.name, *words)


async def ip(*words: str) -> None:
    """Run iproute2's `ip`. Raises HubError, which says what it said."""
    try:
        process = await asyncio.create_subprocess_exec("ip", *words, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE)
    except FileNotFoundError as error:
        raise HubError(Kind.UNAVAILABLE, "network namespaces need iproute2: apt-get install iproute2") from error
    _, said = await process.communicate()
    if process.returncode:
        words_said = said.decode(errors="replace").strip()
        raise HubError(
            Kind.UNAVAILABLE,
            f"`ip {' '.join(words)}` failed: {words_said}; network namespaces need root (CAP_NET_ADMIN)",
        )


@asynccontextmanager
async def pc() -> AsyncIterator[Pc]:
    """A PC on a cable of its own while the block runs. Raises HubError where namespaces cannot be made."""
    name = f"hub-bench-{os.getpid()}"
    network = f"10.{200 + secrets.randbelow(50)}.{secrets.randbelow(250)}"
    here, there = f"hb{os.getpid()}", f"pc{os.getpid()}"
    made = Pc(name, there, f"{network}.1", f"{network}.2", f"{network}.3")
    await ip("netns", "add", name)
    try:
        await ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
        await ip("address", "add", f"{made.hub}/24", "dev", here)
        await ip("link", "set", here, "up")
        await ip("-n", name, "link", "set", "lo", "up")
        await ip("-n", name, "link", "set", there, "up")
        await ip("-n", name, "address", "add", f"{made.first}/24", "dev", there)
        await ip("-n", name, "route", "add", "default", "via", made.hub)
        yield made
    finally:
        await ip("netns", "del", name)  # its cable goes with it
