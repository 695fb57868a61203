"""The pool of eyes: one process each, one picture at a time, killed and replaced when a picture takes too long.

An eye is started when a picture waits and none is free, which takes 0.4 s of CPU time, and ended when there has been
none to decode for a minute and a half: it holds 70 MB.
"""

import asyncio
import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any, Self

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.eye.messages import MAX_PART, Look, Photo, Seen
from camera_hub.media.child_process import Helper, Spawn, helper, spawn_process
from camera_hub.media.decoders.quarantine import Quarantine
from camera_hub.running import Backoff, ended, keep_running, running
from camera_hub.settings import EyeSettings as EyeSettings

log = logging.getLogger(__name__)

_BACKOFF = Backoff(first=0.1, cap=5.0, floor=0.0, reset_after=5.0)
_WAITING = 64
"""Looks that may wait for an eye; beyond that the hub is busy, and answers so at once."""
_WAIT_SECONDS = 10.0
_START_SECONDS = 30.0
_UNUSED_SECONDS = 90.0
"""More than a round's 60 s: where few cameras are looked at, an eye would end just before the next look."""


def command_of(settings: EyeSettings) -> tuple[str, ...]:
    """How an eye process is started."""
    bounds = ("--nice", str(settings.nice), "--address-space", str(settings.address_space_bytes))
    return (sys.executable, "-m", "camera_hub.eye", *bounds)


class _EyeEnded(Exception):
    """A picture took too long, or ended the eye that decoded it."""


class DecoderPool:
    """An async context manager. `on_quarantine` is called with each camera that is quarantined."""

    def __init__(
        self,
        settings: EyeSettings,
        clock: Clock,
        command: Sequence[str] | None = None,
        on_quarantine: Callable[[int], None] = lambda camera_id: None,
        *,
        spawn: Spawn = spawn_process,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._command = tuple(command or command_of(settings))
        self._on_quarantine = on_quarantine
        self._spawn = spawn
        self._quarantine = Quarantine()
        self._idle: asyncio.Queue[Helper] = asyncio.Queue()
        self._waiting = 0
        self._starting = asyncio.Lock()  # one after the other: the first one may be enough
        self._wanted = asyncio.Event()
        self._used = 0.0
        self._stack = AsyncExitStack()
        self.looks = 0
        self.killed = 0
        self.refused = 0

    @property
    def figures(self) -> dict[str, int]:
        """For /api/system."""
        return {"looks": self.looks, "killed": self.killed, "refused": self.refused, "waiting": self._waiting}

    async def __aenter__(self) -> Self:
        for number in range(self._settings.processes):
            name = f"eye {number}"
            work = keep_running(name, self._run_once, clock=self._clock, backoff=_BACKOFF)
            await self._stack.enter_async_context(running(work, name))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def look(self, camera_id: int, request: Look, data: bytes) -> tuple[Seen, bytes]:
        """One key frame → what it shows and its JPEG.

        Raises HubError: UNDECODABLE (also when the picture ended the eye), QUARANTINED, BUSY.
        """
        if self._quarantine.holds(camera_id, self._clock.monotonic()):
            raise HubError(
                Kind.UNAVAILABLE,
                "this camera's pictures ended the decoder three times in five minutes; none is decoded for a while",
                reason=Reason.QUARANTINED,
            )
        try:
            return await self._ask(request.head("look"), data)
        except _EyeEnded as error:
            raise self._strike(camera_id, error) from error

    async def photo(self, request: Photo, data: bytes, seconds: float | None = None) -> tuple[Seen, bytes]:
        """A picture file that somebody uploaded → a JPEG. `seconds`: for decoding it; None: as for any picture.

        Raises HubError: PHOTO_UNREADABLE (also when it ended the eye), BUSY.
        """
        try:
            return await self._ask(request.head("image"), data, seconds)
        except _EyeEnded as error:
            log.warning("an uploaded photo ended an eye: %s", error)
            raise HubError(
                Kind.UNSUPPORTED,
                "decoding the photo took too long or crashed, so it was given up; take it again",
                reason=Reason.PHOTO_UNREADABLE,
            ) from error

    async def _ask(self, head: dict[str, Any], data: bytes, seconds: float | None = None) -> tuple[Seen, bytes]:
        """Have an eye carry out one request. Raises _EyeEnded, or the eye's own HubError."""
        eye = await self._free_eye()
        self.looks += 1
        try:
            while len(data) > MAX_PART:
                await eye.pipe.call({"type": "part"}, data[:MAX_PART], deadline=self._settings.picture_timeout)
                data = data[MAX_PART:]
            reply = await eye.pipe.call(head, data, deadline=seconds or self._settings.picture_timeout)
        except BaseException as error:
            ended_it = isinstance(error, HubError) and error.kind in (Kind.TIMEOUT, Kind.UNAVAILABLE)
            if ended_it or not isinstance(error, HubError):
                eye.kill()  # busy with a picture that nobody waits for any more: a fresh one is ready sooner
                self.killed += 1
            else:
                self._idle.put_nowait(eye)
            if ended_it:
                raise _EyeEnded(str(error)) from error
            raise
        self._idle.put_nowait(eye)
        return Seen.of(reply.head), reply.body

    def _strike(self, camera_id: int, error: BaseException) -> HubError:
        now = self._clock.monotonic()
        self._quarantine.strike(camera_id, now)
        log.warning("a picture of camera %d ended an eye: %s", camera_id, error)
        if self._quarantine.holds(camera_id, now):
            log.warning("camera %d is quarantined: its pictures are not decoded for some minutes", camera_id)
            self._on_quarantine(camera_id)
        return HubError(
            Kind.UNSUPPORTED,
            "decoding the key frame took too long or crashed, so it was given up",
            reason=Reason.UNDECODABLE,
        )

    async def _free_eye(self) -> Helper:
        """An idle eye; one may have died since it was put back. Raises HubError(BUSY)."""
        if self._waiting >= _WAITING:
            self.refused += 1
            raise _busy()
        self._waiting += 1
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                while True:
                    # An idle eye may be meant for one who waits already, and has only not taken it yet.
                    if self._waiting > self._idle.qsize():
                        self._wanted.set()
                    eye = await self._idle.get()
                    if eye.process.returncode is None:
                        return eye
        except TimeoutError as error:
            self.refused += 1
            raise _busy() from error
        finally:
            self._waiting -= 1
            self._used = self._clock.monotonic()

    async def _run_once(self) -> None:
        """Start an eye when one is wanted; returns when it has been ended unused, raises HubError when it has died."""
        async with AsyncExitStack() as stack:
            async with self._starting:
                while self._waiting <= self._idle.qsize():
                    self._wanted.clear()
                    await self._wanted.wait()
                started = await stack.enter_async_context(helper(self._command, self._spawn))
                receiving = _receive(started)
                await stack.enter_async_context(running(receiving, f"eye process {started.process.pid}"))
                # Its imports take a second on a busy machine; they must not count against a picture.
                await started.pipe.call({"type": "ready"}, deadline=_START_SECONDS)
                self._idle.put_nowait(started)
            if await self._ended_unused(started):
                return
        raise HubError(
            Kind.UNAVAILABLE, f"an eye process ended (status {started.process.returncode}); another follows when needed"
        )

    async def _ended_unused(self, eye: Helper) -> bool:
        """Wait until it has died (False), or has been taken out of the pool, unused (True)."""
        async with running(self._unused(eye), "eye unused") as unused:
            died = asyncio.create_task(_wait(eye), name=f"eye process {eye.process.pid} end")
            try:
                await asyncio.wait([unused, died], return_when=asyncio.FIRST_COMPLETED)
                return not died.done()
            finally:
                await ended(died)

    async def _unused(self, eye: Helper) -> None:
        """Returns when no eye has been used for a while and this one has been withdrawn."""
        while True:
            rest = self._used + _UNUSED_SECONDS - self._clock.monotonic()
            if rest <= 0 and self._withdrawn(eye):
                return
            await self._clock.sleep(max(rest, 1.0))

    def _withdrawn(self, eye: Helper) -> bool:
        """Take it out of the pool; False when it is busy."""
        idle = [self._idle.get_nowait() for _ in range(self._idle.qsize())]
        for other in idle:
            if other is not eye:
                self._idle.put_nowait(other)
        return eye in idle


async def _wait(eye: Helper) -> None:
    await eye.process.wait()


async def _receive(started: Helper) -> None:
    """Replies are matched here; an eye sends nothing else."""
    while await started.pipe.receive() is not None:
        continue


def _busy() -> HubError:
    return HubError(Kind.BUSY, "too many pictures are waiting to be decoded; try again in a moment", reason=Reason.BUSY)
