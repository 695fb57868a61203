"""Proving pictures: after registration each camera is asked for one key frame, in the background and never all at once.

The picture itself is made and kept by whoever implements `Prover` (the media room); here only its verdict is stored. A
failed picture never undoes a registration: it has a named reason, and health takes over.
"""

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Iterable
from typing import Protocol, Self

from sqlalchemy import select

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import CameraChanged, EventBus
from camera_hub.running import ended
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera

log = logging.getLogger(__name__)

PER_DEVICE = 2
AT_ONCE = 8
LIMIT = 4096


class Prover(Protocol):
    """Gets one key frame of a camera, whatever the camera's state."""

    async def prove(self, camera_id: int) -> str | None:
        """None when a picture came, else the Reason why not. Stores nothing of the register's."""
        ...


class Proofs:
    """An async context manager; leaving ends the running proofs and waits for them. Without a prover all wait."""

    def __init__(self, database: Database, bus: EventBus, clock: Clock, prover: Prover | None = None) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._prover = prover
        self._open = False
        self._waiting: OrderedDict[int, int] = OrderedDict()  # camera → device
        self._running: dict[int, asyncio.Task[None]] = {}
        self._storing: set[int] = set()
        self._of_device: Counter[int] = Counter()
        self.dropped = 0

    async def __aenter__(self) -> Self:
        self._open = True
        self._fill()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._open = False
        self._waiting.clear()
        for camera_id, task in list(self._running.items()):
            if camera_id in self._storing:
                await asyncio.wait([task])  # a verdict that is there is kept
            else:
                await ended(task)

    def use(self, prover: Prover) -> None:
        """Begin with this prover."""
        self._prover = prover
        self._fill()

    def ask(self, cameras: Iterable[tuple[int, int]]) -> None:
        """Prove these (camera, device) soon; one that waits or runs already is not doubled."""
        for camera_id, device_id in cameras:
            if camera_id in self._running or camera_id in self._waiting:
                continue
            if len(self._waiting) >= LIMIT:
                self.dropped += 1
                continue
            self._waiting[camera_id] = device_id
        self._fill()

    def proving(self, camera_id: int) -> bool:
        """Whether the camera's proof waits or runs."""
        return camera_id in self._running or camera_id in self._waiting

    def _fill(self) -> None:
        if not self._open or self._prover is None:
            return
        for camera_id, device_id in list(self._waiting.items()):
            if len(self._running) >= AT_ONCE:
                return
            if self._of_device[device_id] >= PER_DEVICE:
                continue
            del self._waiting[camera_id]
            self._of_device[device_id] += 1
            work = self._prove(self._prover, camera_id, device_id)
            self._running[camera_id] = asyncio.create_task(work, name=f"proof of camera {camera_id}")

    async def _prove(self, prover: Prover, camera_id: int, device_id: int) -> None:
        try:
            reason = await _verdict(prover, camera_id)
            self._storing.add(camera_id)
            async with self._database.write() as session:
                camera = await session.scalar(select(Camera).where(Camera.id == camera_id))
                if camera is not None:
                    camera.proof = reason
        finally:
            del self._running[camera_id]
            self._storing.discard(camera_id)
            self._of_device[device_id] -= 1
            if not self._of_device[device_id]:
                del self._of_device[device_id]
            self._fill()
        if camera is not None:
            self._bus.publish(CameraChanged(camera_id, camera.village_id))


async def _verdict(prover: Prover, camera_id: int) -> str | None:
    try:
        return await prover.prove(camera_id)
    except HubError as error:
        return error.reason
    except Exception:
        log.exception("the proof of camera %d failed unexpectedly", camera_id)
        return Kind.INTERNAL.value
