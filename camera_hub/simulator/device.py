"""One running device: its ports, and how faults open and close them."""

import asyncio
from types import TracebackType
from typing import Self

from camera_hub.simulator.certificate import server_context
from camera_hub.simulator.faults import Fault
from camera_hub.simulator.http_port import HttpPort
from camera_hub.simulator.listener import Door, Listener
from camera_hub.simulator.rtsp.server import RtspServer
from camera_hub.simulator.state import DeviceState, Outer

_FORWARDED_HTTP, _FORWARDED_RTSP = 8100, 8500
"""Ports of a village's router, to which the number of the device in its village is added."""
_LOOKS_AT_ITS_CLOCK = 1.0


class Device:
    """An async context manager: entering opens the ports, leaving ends every connection and waits."""

    def __init__(self, state: DeviceState) -> None:
        self.state = state
        self.rtsp = RtspServer(state)
        self.http = HttpPort(state, self.rtsp.streams)
        self._listeners = (
            Listener(state, state.plan.rtsp_port, self.rtsp.serve),
            Listener(state, state.plan.http_port, self.http.serve),
        )
        address, router = state.plan.address, state.village.devices[0].address
        self._secure = Listener(state, 0, self.http.serve_secure, tls=lambda: server_context(address))
        self._secure_rtsp = Listener(state, 0, self.rtsp.converse, tls=lambda: server_context(address))
        number = state.village.devices.index(state.plan) + 1
        self._forwarded = tuple(
            Listener(state, base + number if port else 0, serve, address=router)
            for base, port, serve in (
                (_FORWARDED_RTSP, state.plan.rtsp_port, self.rtsp.serve),
                (_FORWARDED_HTTP, state.plan.http_port, self.http.serve),
            )
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._flapping: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        try:
            for listener in self._listeners:
                await listener.set(Door.OPEN)
            self.state.rtsp_port, self.state.http_port = (listener.port for listener in self._listeners)
            self._tasks.append(asyncio.create_task(self.rtsp.sweep(), name=f"simulator-sweep-{self.state.plan.key}"))
            self._tasks.append(asyncio.create_task(self._sleep(), name=f"simulator-sleep-{self.state.plan.key}"))
            await self.apply()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def _end(self) -> None:
        if self._flapping is not None:
            self._tasks.append(self._flapping)
        for task in self._tasks:
            task.cancel()
        try:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        finally:  # also where whoever ends it is cancelled
            try:
                await self._close_ports()
            finally:
                await self.rtsp.stop()

    async def apply(self) -> None:
        """Make the ports behave according to the faults."""
        self.state.refresh()
        faults = self.state.faults()
        if Fault.FLAPPING in faults and self._flapping is None:
            self._flapping = asyncio.create_task(self._flap(), name=f"simulator-flap-{self.state.plan.key}")
        elif Fault.FLAPPING not in faults and self._flapping is not None:
            self._flapping.cancel()
            await asyncio.gather(self._flapping, return_exceptions=True)
            self._flapping = None
            self.state.flapped_down = False
        await self._set_ports()

    async def _flap(self) -> None:
        while True:
            await self.state.clock.sleep(self.state.faults().get(Fault.FLAPPING, 1.0))
            self.state.flapped_down = not self.state.flapped_down
            await self._set_ports()

    async def _sleep(self) -> None:
        """Fall asleep and wake up when it is time."""
        was = self.state.asleep
        while True:
            await self.state.clock.sleep(_LOOKS_AT_ITS_CLOCK)
            if self.state.asleep != was:
                was = not was
                self.state.refresh()
                await self._set_ports()

    async def _set_ports(self) -> None:
        async with self._turn:
            if self.state.down:
                door = Door.CLOSED
            elif self.state.unplugged:
                door = Door.BLACK_HOLE
            else:
                door = Door.OPEN
            faults = self.state.faults().keys()
            forwarded = Fault.FORWARDED_PORTS in faults
            outside = door if forwarded else Door.CLOSED
            for listener in self._forwarded:
                await listener.set(outside)
            rtsp, http = (listener.port for listener in self._forwarded)
            router = self.state.village.devices[0].address
            self.state.outer = Outer(router, http, rtsp) if forwarded else None
            for listener in self._listeners:
                await listener.set(Door.CLOSED if forwarded else door)
            secure = not faults.isdisjoint((Fault.TLS_ONLY, Fault.TLS_XADDR))
            await self._secure.set(door if secure else Door.CLOSED)
            self.state.https_port = self._secure.port if secure else 0
            await self._secure_rtsp.set(door if Fault.TLS_PORT in faults else Door.CLOSED)
            self.state.rtsps_port = self._secure_rtsp.port if Fault.TLS_PORT in faults else 0

    async def _close_ports(self) -> None:
        for listener in (*self._listeners, *self._forwarded, self._secure, self._secure_rtsp):
            await listener.set(Door.CLOSED)
            await listener.cut()
