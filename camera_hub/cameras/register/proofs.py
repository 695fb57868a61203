"""Proofs: after registration one key frame is fetched from each camera, in the background, a few at a time.

Which camera waits is stored in its row, so that a restart loses nothing. The picture itself is fetched and kept by the
`Prover` (in media); here only the outcome is stored. A failed proof never undoes a registration: it has a named reason,
and health takes over.
"""

import asyncio
import logging
from collections import Counter
from datetime import datetime
from typing import Protocol, Self

from sqlalchemy import func, select

from camera_hub.cameras.register.proof_state import after_attempt, apply
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import CameraChanged, EventBus, ProofRequested, Subscription
from camera_hub.running import Backoff, ended, keep_running, running
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera

log = logging.getLogger(__name__)

PER_DEVICE = 2
AT_ONCE = 8
_READ = 4096
"""The number of due cameras that are read at once; the others follow."""
_CHECK_EVERY = 60.0
"""Seconds after which the rows are checked again without a request, should one have been missed."""


class Prover(Protocol):
    """Fetches one key frame of a camera, whatever the camera's state."""

    async def prove(self, camera_id: int) -> str | None:
        """None when a picture came, else the Reason why not. Stores nothing in the register's tables."""
        ...


class Proofs:
    """An async context manager: while entered, due cameras are proved; leaving waits for outcomes being stored."""

    def __init__(self, database: Database, bus: EventBus, clock: Clock, prover: Prover) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._prover = prover
        self._wake = asyncio.Event()
        self._running: dict[int, asyncio.Task[None]] = {}  # by camera
        self._storing: set[int] = set()
        self._of_device: Counter[int] = Counter()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        work = keep_running("proofs", self._run, clock=self._clock, backoff=Backoff(first=1.0, cap=30.0))
        self._task = asyncio.create_task(work, name="proofs")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            await ended(self._task)
        for camera_id, task in list(self._running.items()):
            if camera_id in self._storing:
                await asyncio.wait([task])  # an outcome that is known is stored
            else:
                await ended(task)

    async def _run(self) -> None:
        with self._bus.subscribe(ProofRequested, limit=1) as requests:
            async with running(self._listen(requests), "proof requests"):
                while True:
                    self._wake.clear()
                    seconds = await self._start_due()
                    async with running(self._wake_after(seconds), "next proof"):
                        await self._wake.wait()

    async def _listen(self, requests: Subscription) -> None:
        async for _ in requests:
            self._wake.set()

    async def _wake_after(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._wake.set()

    async def _start_due(self) -> float:
        """Start what is due, as far as the limits allow; returns the seconds until the next is due."""
        now = self._clock.now()
        busy = set(self._running)  # one that ends while the rows are read may still be in them as pending
        pending = (Camera.proof_state == "pending", Camera.state != "retired")
        due = (
            select(Camera.id, Camera.device_id, Camera.proof_due_at)
            .where(*pending, Camera.proof_due_at <= now)
            .order_by(Camera.proof_due_at, Camera.id)
            .limit(_READ)
        )
        async with self._database.read() as session:
            rows = (await session.execute(due)).all()
            later = await session.scalar(
                select(func.min(Camera.proof_due_at)).where(*pending, Camera.proof_due_at > now)
            )
        for camera_id, device_id, due_at in rows:
            if len(self._running) >= AT_ONCE:
                break
            if camera_id in busy or self._of_device[device_id] >= PER_DEVICE or due_at is None:
                continue
            self._of_device[device_id] += 1
            work = self._prove(camera_id, device_id, due_at)
            self._running[camera_id] = asyncio.create_task(work, name=f"proof of camera {camera_id}")
        seconds = (later - now).total_seconds() if later is not None else _CHECK_EVERY
        return min(max(seconds, 0.1), _CHECK_EVERY)

    async def _prove(self, camera_id: int, device_id: int, due_at: datetime) -> None:
        try:
            reason = await _verdict(self._prover, camera_id)
            self._storing.add(camera_id)
            village_id = await self._store(camera_id, due_at, reason)
        except Exception:
            log.exception("the proof of camera %d could not be stored; it is tried again", camera_id)
            return
        finally:
            del self._running[camera_id]
            self._storing.discard(camera_id)
            self._of_device[device_id] -= 1
            if not self._of_device[device_id]:
                del self._of_device[device_id]
        self._wake.set()
        if village_id is not None:
            self._bus.publish(CameraChanged(camera_id, village_id))

    async def _store(self, camera_id: int, due_at: datetime, reason: str | None) -> int | None:
        """Store the outcome of an attempt; returns the camera's village, None when the attempt no longer counts."""
        async with self._database.write() as session:
            camera = await session.scalar(select(Camera).where(Camera.id == camera_id).with_for_update())
            # Requested again meanwhile (another login or address), or retired: this attempt is obsolete.
            if camera is None or camera.proof_state != "pending" or camera.proof_due_at != due_at:
                return None
            apply(camera, after_attempt(reason, camera.proof_attempts, self._clock.now()))
            return camera.village_id


async def _verdict(prover: Prover, camera_id: int) -> str | None:
    try:
        return await prover.prove(camera_id)
    except HubError as error:
        return error.reason
    except Exception:
        log.exception("the proof of camera %d failed unexpectedly", camera_id)
        return Kind.INTERNAL.value
