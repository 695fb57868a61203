"""The farm: all devices of all villages in one event loop, and switching their faults on and off."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from camera_hub.simulator.canary import Canary
from camera_hub.simulator.clock import Clock, SystemClock
from camera_hub.simulator.device import Device
from camera_hub.simulator.discovery import PORT, Announcement, Responder
from camera_hub.simulator.faults import Fault, Switchboard
from camera_hub.simulator.model import FarmPlan, KeyFrames
from camera_hub.simulator.picture.live import LiveViews
from camera_hub.simulator.picture.loop_cache import LoopCache
from camera_hub.simulator.state import DeviceState
from camera_hub.simulator.vendors.paths import stream_path

_CLOCKS_EVERY = 60.0


@dataclass(frozen=True, slots=True)
class Discovery:
    """How devices are found. Port 0 lets the system choose one for each device; None switches discovery off."""

    port: int | None = PORT
    multicast: bool = True


class UnknownTarget(ValueError):
    """The target of a switch is not in the farm."""


class Farm:
    """An async context manager: entering starts every device, leaving stops them all and waits."""

    def __init__(
        self,
        plan: FarmPlan,
        *,
        clock: Clock | None = None,
        discovery: Discovery | None = None,
        cache: Path | None = None,
        warm: bool = False,
    ) -> None:
        """`cache`: a directory for encoded loops. `warm`: encode sub streams and H.265 in advance."""
        self.plan = plan
        self.devices: dict[str, Device] = {}
        """By key, e.g. "donggou-1"."""
        self.canary = Canary(plan.villages[0].devices[0].address)
        self._clock: Clock = clock or SystemClock()
        self._board = Switchboard()
        self._loops = LoopCache(cache)
        self._live = LiveViews()
        self._warm = warm
        self._discovery = discovery or Discovery()
        self._responder: Responder | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._loops)
            await stack.enter_async_context(self._live)
            await stack.enter_async_context(self.canary)
            for target, fault in self.plan.faults:
                self._board.switch(self._resolve(target), Fault(fault), on=True)
            canary = f"{self.canary.address}:{self.canary.port}"
            for village, plan in self.plan.devices():
                state = DeviceState(village, plan, self._board, self._clock, self._loops, self._live, canary)
                self.devices[plan.key] = await stack.enter_async_context(Device(state))
            if self._discovery.port is not None:
                states = [device.state for device in self.devices.values()]
                self._responder = await stack.enter_async_context(
                    Responder(states, port=self._discovery.port, multicast=self._discovery.multicast)
                )
            if any(device.state.plan.recorder for device in self.devices.values()):
                setting = asyncio.create_task(self._recorders_set_clocks(), name="simulator-recorders")
                stack.push_async_callback(_end, setting)
            if self._warm:
                warming = asyncio.create_task(self._warm_up(), name="simulator-warm-up")
                stack.push_async_callback(_end, warming)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def set_fault(self, target: str, fault: Fault | str, on: bool = True, value: float | None = None) -> None:
        """Switch a fault of a village, device or channel, given by its key or by a unique name.

        `value`: seconds, for clock_skew (default -6 months) and flapping. Raises UnknownTarget, ValueError.
        """
        self._board.switch(self._resolve(target), Fault(fault), on=on, value=value)
        await asyncio.gather(*(device.apply() for device in self.devices.values()))
        if self._responder is not None:
            self._responder.refresh()

    async def announce(
        self,
        target: str,
        kind: Announcement | str,
        *,
        to: tuple[str, int] | None = None,
        count: int = 1,
        forged: bool = False,
    ) -> None:
        """Say Hello or Bye for a device, to the group or to one address; see `Responder.announce`.

        Raises UnknownTarget, ValueError.
        """
        if self._responder is None:
            raise ValueError("discovery is switched off")
        await self._responder.announce(self._device(target), Announcement(kind), to=to, count=count, forged=forged)

    def report(self, target: str, topic: str, *, active: bool, name: str = "State") -> int:
        """Have a channel's device report an event through its pull points. Returns how many there are.

        Raises UnknownTarget, ValueError.
        """
        key = self._resolve(target)
        for device in self.devices.values():
            for channel in device.state.plan.channels:
                if channel.key == key:
                    source = f"VideoSource_{channel.number}"
                    device.http.onvif.events.publish(topic, source, name, str(active).lower())
                    return device.state.stats.pull_points
        raise UnknownTarget(f"{target!r} is no channel")

    async def move(self, target: str, address: str, *, bye: bool = True) -> None:
        """Give a device another address, as a restart with a new DHCP lease does; its ports and marks stay.

        `bye`: it says Bye before. Raises UnknownTarget, OSError.
        """
        key = self._device(target)
        old = self.devices[key]
        if bye and self._responder is not None and self._discovery.multicast:
            await self._responder.announce(key, Announcement.BYE)
        plan = replace(old.state.plan, address=address, http_port=old.state.http_port, rtsp_port=old.state.rtsp_port)
        village = old.state.village
        village = replace(village, devices=tuple(plan if one.key == key else one for one in village.devices))
        await old.__aexit__(None, None, None)
        state = DeviceState(village, plan, self._board, self._clock, self._loops, self._live, old.state.canary)
        state.stay(old.state)
        self.devices[key] = await self._stack.enter_async_context(Device(state))
        if self._responder is not None:
            await self._responder.move(state)

    def set_key_frames(self, target: str, key_frames: KeyFrames | str | None) -> None:
        """Switch whom a village, device or channel gives a key frame at once; None: as planned again.

        Raises UnknownTarget, ValueError.
        """
        self._board.set_key_frames(self._resolve(target), None if key_frames is None else KeyFrames(key_frames))

    def discovery_port(self, device: str) -> int:
        """UDP port on which a device receives unicast probes. Raises KeyError when discovery is off."""
        if self._responder is None:
            raise KeyError(device)
        return self._responder.ports[device]

    def describe(self) -> dict[str, Any]:
        """The farm with its addresses and logins, as JSON values."""
        return {
            "villages": [
                {
                    "key": village.key,
                    "name": village.name,
                    "cameras": sum(len(device.channels) for device in village.devices),
                    "devices": [self._describe_device(self.devices[device.key]) for device in village.devices],
                }
                for village in self.plan.villages
            ],
            "faults": self._board.all_on(),
        }

    def stats(self) -> dict[str, Any]:
        """The counters of every device, and the number of connections to the canary."""
        return {
            "canary_connections": self.canary.connections,
            "live_views": self._live.running,
            "live_views_refused": self._live.refused,
            "devices": {key: device.state.stats.as_json() for key, device in self.devices.items()},
        }

    def ptz(self, target: str = "") -> dict[str, Any]:
        """The domes of a village, device or channel (of all without a target), by the key of their channel.

        `now` and each command's `at` are moments of the clock that never steps, which all processes share.
        Raises UnknownTarget.
        """
        key, now = self._resolve(target) if target else "", self._clock.monotonic()
        found = {
            channel.key: state.domes[channel.number]
            for state in (device.state for device in self.devices.values())
            for channel in state.plan.channels
            if channel.ptz and key in ("", state.village.key, state.plan.key, channel.key)
        }
        return {
            "now": now,
            "domes": {
                name: {
                    "position": dome.at(now),
                    "moving": dome.moving(now),
                    "home": dome.home,
                    "presets": {token: asdict(preset) for token, preset in dome.presets.items()},
                    "commanded": dome.commanded,
                    "commands": [command.as_json() for command in dome.commands],
                }
                for name, dome in found.items()
            },
        }

    async def _recorders_set_clocks(self) -> None:
        """Every minute a recorder gives its own time to the cameras that hang on it."""
        while True:
            await self._clock.sleep(_CLOCKS_EVERY)
            for device in self.devices.values():
                if recorder := self.devices.get(device.state.plan.recorder):
                    device.state.set_clock(recorder.state.now())

    async def _warm_up(self) -> None:
        """Encode in the background: sub streams first, then the loops that are not shared."""
        streams = [stream for device in self.devices.values() for stream in device.rtsp.streams.values()]
        waiting = [stream for stream in streams if not stream.main]
        waiting += [stream for stream in streams if stream.spec.codec == "h265"]
        queue = iter(waiting)

        async def lane() -> None:
            for stream in queue:
                await stream.loop()

        await asyncio.gather(lane(), lane())  # leaves one worker free for what a client is waiting for

    @staticmethod
    def _describe_device(device: Device) -> dict[str, Any]:
        state = device.state
        plan = state.plan
        base = f"rtsp://{plan.address}:{state.rtsp_port}"
        return {
            "key": plan.key,
            "kind": plan.kind.value,
            "vendor": plan.vendor.value,
            "name": plan.name,
            "host": plan.address,
            "onvif_port": state.http_port,
            "http_port": state.http_port,
            "rtsp_port": state.rtsp_port,
            "https_port": state.https_port or None,
            "forwarded": asdict(state.outer) if state.outer else None,
            "username": plan.username,
            "password": plan.password,
            "kept_days": plan.kept_days,
            "uuid": state.uuid,
            "mac": state.mac,
            "serial": state.serial,
            "channels": [
                {
                    "key": channel.key,
                    "number": channel.number,
                    "name": channel.name,
                    "label": channel.label,
                    "codec": state.settings.spec(channel.number, 1).codec,
                    "sound": channel.sound.value,
                    "key_frames": state.key_frames(channel).value,
                    "main_url": base + stream_path(plan.vendor, channel, 1),
                    "sub_url": base + stream_path(plan.vendor, channel, 2),
                }
                for channel in plan.channels
            ],
        }

    def _device(self, target: str) -> str:
        """The key of the device. Raises UnknownTarget."""
        key = self._resolve(target)
        if key not in self.devices:
            raise UnknownTarget(f"{target!r} is no device")
        return key

    def _resolve(self, target: str) -> str:
        """The key of the target. Raises UnknownTarget."""
        named: dict[str, set[str]] = {}
        for village, device in self.plan.devices():
            for key, name in (
                (village.key, village.name),
                (device.key, device.name),
                *((channel.key, f"{village.name}{channel.name}") for channel in device.channels),
            ):
                named.setdefault(key, set()).add(key)
                named.setdefault(name, set()).add(key)
        keys = named.get(target, set())
        if len(keys) > 1 and (wider := {key for key in keys if all(other.startswith(key) for other in keys)}):
            keys = wider
        if len(keys) != 1:
            raise UnknownTarget(f"there is no village, device or channel {target!r}")
        return next(iter(keys))


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
