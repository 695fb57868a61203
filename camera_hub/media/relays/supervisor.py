"""One relay, kept alive: its process is started, configured, watched, replaced at once when it ends or hangs.

No spare process waits to take over. After kill -9 a new one is configured within 0.6 s (1.0 s beside five busy
processes on two cores), 0.4 s of which are interpreter and imports; four tiles move again after 0.9 s (1.2 s). A spare
would save half a second now and then, and cost 31 MB all the time.
"""

import asyncio
import logging
import sys
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol, Self

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.media.child_process import Spawn, spawn_process
from camera_hub.media.relays.handover import StandbyWarmUp, memory_verdict
from camera_hub.media.relays.process import Pulse, RelayProcess
from camera_hub.relay.messages import FeedSpec, FeedState, RelayConfig
from camera_hub.running import Backoff, ended, keep_running
from camera_hub.settings import Settings
from camera_hub.wire import PipeFrame

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-m", "camera_hub.relay")

_BACKOFF = Backoff(first=0.1, cap=5.0, floor=0.0, reset_after=2.0)
"""At once after a death; slower only for one that dies again before it can have shown a picture."""

_PLANNED_FEEDS = 200
_EMPTY_BYTES = 128 * 1024**2
_REPAIR_BYTES = 2560 * 1024  # 2,048 packets (RelayConfig.history_packets)
_VIEWER_BYTES = 2 * 1024**2

_WARM_SECONDS = 5.0
_PORT_SECONDS = 2.0


def config_of(settings: Settings, number: int) -> RelayConfig:
    """What relay `number` is told of the settings. Several relays take ports one after the other."""
    media, ingest = settings.media, settings.ingest
    return RelayConfig(
        udp_host=media.udp_host,
        udp_port=media.udp_port + number if media.udp_port else 0,
        announced_addresses=media.announced_addresses,
        payload_limit=media.payload_limit,
        pacer_rate=media.pacer_rate,
        gop_cache_bytes=media.gop_cache_bytes,
        gop_cache_seconds=media.gop_cache_seconds,
        max_viewers=media.viewers,
        connect_timeout=media.connect_timeout,
        open_timeout=ingest.open_timeout,
        media_timeout=ingest.media_timeout,
        key_frame_timeout=ingest.key_frame_timeout,
        late_seconds=ingest.late_seconds,
        late_for=ingest.late_for,
        opens_per_village=ingest.opens_per_village,
        opens_at_once=max(1, ingest.opens_at_once // media.relays),
        rtsp_host=media.rtsp_host,
        rtsp_port=media.rtsp_port + number if media.rtsp_port else 0,
        asks_logins=True,
    )


def memory_limit(settings: Settings) -> int:
    """Bytes that a relay may hold before a fresh one takes over; by default what its caches may come to.

    Planned: so many feeds, each with the packets that it keeps for repair and a quarter of the cache that it may fill.
    """
    media = settings.media
    feeds = _PLANNED_FEEDS * (_REPAIR_BYTES + media.gop_cache_bytes // 4)
    return media.relay_memory_bytes or _EMPTY_BYTES + feeds + media.viewers * _VIEWER_BYTES


class RelayOwner(Protocol):
    """Who is told what happens to relays (media.engine)."""

    def relay_started(self, relay: "RelaySupervisor") -> None:
        """A process has taken over: send it the wanted state before anything else."""
        ...

    def relay_said(self, relay: "RelaySupervisor", frame: PipeFrame) -> None:
        """An unasked message of the process in charge."""
        ...

    def login_said(self, relay: "RelaySupervisor", process: RelayProcess, frame: PipeFrame) -> None:
        """login.ask or login.said, of the process in charge or of its standby."""
        ...

    def relay_gone(self, process: RelayProcess) -> None:
        """A process has ended."""
        ...

    def playing_of(self, relay: "RelaySupervisor") -> Iterable[FeedSpec]:
        """Feeds that a standby should open beforehand."""
        ...

    def wanted_of(self, relay: "RelaySupervisor") -> Iterable[FeedSpec]:
        """All feeds that the relay should run."""
        ...


class RelaySupervisor:
    """An async context manager: entering returns when the relay is configured (or raises HubError UNAVAILABLE).
    `begin` starts it earlier, so that several start side by side; who began must enter or leave.

    Its owner is told by `RelayOwner`, all in the loop; none of it may raise.
    """

    def __init__(
        self,
        number: int,
        config: RelayConfig,
        clock: Clock,
        owner: RelayOwner,
        *,
        memory_bytes: int,
        command: Sequence[str] = COMMAND,
        spawn: Spawn = spawn_process,
    ) -> None:
        self.number = number
        self.epoch = 0  # grows with every process that took over
        self.port = config.udp_port
        self._config = config
        self._clock = clock
        self._owner = owner
        self._memory_bytes = memory_bytes
        self._command = command
        self._spawn = spawn
        self._process: RelayProcess | None = None
        self._warming: StandbyWarmUp | None = None
        self._warmed = asyncio.Event()
        self._request: asyncio.Future[None] | None = None
        self._requested = asyncio.Event()
        self._replaced_at = float("-inf")
        self._retiring: set[asyncio.Task[None]] = set()
        self._first: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def up(self) -> bool:
        """Whether a configured process is there."""
        return self._process is not None

    @property
    def pid(self) -> int | None:
        """Of the running process."""
        return self._process.pid if self._process is not None else None

    @property
    def figures(self) -> dict[str, Any]:
        """What the running process last told of itself; empty while there is none."""
        return self._process.figures if self._process is not None else {}

    def begin(self) -> None:
        """Start the process without waiting for it."""
        self._first = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(
            keep_running(
                f"relay {self.number}",
                self._run_once,
                clock=self._clock,
                backoff=_BACKOFF,
                on_failure=self._failed,
            ),
            name=f"relay {self.number}",
        )

    async def __aenter__(self) -> Self:
        if self._task is None:
            self.begin()
        assert self._first is not None
        try:
            await asyncio.shield(self._first)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            task, self._task = self._task, None
            await ended(task)
        if self._retiring:
            await asyncio.wait(self._retiring)

    async def call(self, type_: str, values: dict[str, Any], *, deadline: float = 10.0) -> dict[str, Any]:
        """A request to the relay; its reply's values. Raises HubError, UNAVAILABLE while it is being restarted."""
        if self._process is None:
            raise HubError(Kind.UNAVAILABLE, "the relay is being restarted; try again in a second")
        return await self._process.call(type_, values, deadline=deadline)

    def post(self, type_: str, values: dict[str, Any]) -> bool:
        """A message to the relay. False when none is up: the wanted state is sent to the next one anyway."""
        if self._process is None:
            return False
        self._process.post(type_, values)
        return True

    async def replace(self) -> None:
        """Let a fresh process take over, warmed up beside this one; returns when it has.

        Raises HubError: UNAVAILABLE (the relay was down, or ended meanwhile), or why the fresh one could not start.
        """
        if self._process is None:
            raise HubError(Kind.UNAVAILABLE, "the relay is being restarted already")
        if self._request is None:
            self._request = asyncio.get_running_loop().create_future()
            self._request.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._requested.set()
        await asyncio.shield(self._request)

    async def reply(self, epoch: int, request: PipeFrame, answer: dict[str, Any] | HubError) -> None:
        """Answer a request of the process of that epoch; one that took over has not asked. Raises HubError."""
        if self._process is not None and self.epoch == epoch:
            await self._process.reply(request, answer)

    def _failed(self, error: Exception) -> None:
        if self._first is not None and not self._first.done():
            self._first.set_exception(error)

    async def _run_once(self) -> None:
        process = self._new()
        await process.start(self._config)
        try:
            self._adopt(process)
            while (successor := await self._until_replaced(process)) is not None:
                before, process = process, successor
                self._adopt(process)
                self._retire(before)
            status = process.status
        finally:
            self._process = None
            self._requested.clear()
            self._answer(_ended_meanwhile())
            await self._stop(process)
        raise HubError(Kind.UNAVAILABLE, f"the relay process ended (status {status}); restarting it")

    def _new(self) -> RelayProcess:
        name = f"relay {self.number}"
        return RelayProcess(
            name, self._command, self._clock, on_message=self._said, on_pulse=self._pulsed, spawn=self._spawn
        )

    def _adopt(self, process: RelayProcess) -> None:
        self.port = process.port
        # The same port again after a restart, also where the first one was chosen by the system.
        self._config = replace(self._config, udp_port=self.port)
        self.epoch += 1
        self._process = process
        self._owner.relay_started(self)
        if self._first is not None and not self._first.done():
            self._first.set_result(None)

    async def _until_replaced(self, process: RelayProcess) -> RelayProcess | None:
        """The successor that took over; None when the process has ended."""
        while True:
            await _either(process.gone, self._requested.wait())
            if process.gone.done():
                return None
            self._requested.clear()
            task = asyncio.create_task(self._succeed(process), name=f"relay {self.number} succession")
            try:
                both: set[asyncio.Future[Any]] = {process.gone, task}
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not task.done():
                    await ended(task)  # its process is stopped with it
            if task.cancelled():
                return None
            if (error := task.exception()) is None:
                self._replaced_at = self._clock.monotonic()
                self._answer(None)
                return task.result()
            log.warning("relay %d was not replaced: %s", self.number, error)
            self._answer(error if isinstance(error, HubError) else _ended_meanwhile())

    async def _succeed(self, before: RelayProcess) -> RelayProcess:
        """Start a standby, let it open what is shown now, and hand the port over."""
        standby = self._new()
        await standby.start(replace(self._config, standby=True))
        try:
            warming = await self._warm(standby)
            self._process = None  # what `before` says from here on is of no interest: its viewers are ended
            try:
                await before.call("port.close", {}, deadline=_PORT_SECONDS)
                await standby.open_port(deadline=_PORT_SECONDS)
            except HubError:
                before.kill()  # it has no port any more; the ordinary restart follows
                raise
            wanted = {spec.feed for spec in self._owner.wanted_of(self)}
            for feed in warming.specs.keys() - wanted:
                standby.post("feed.close", {"feed": feed})
        except BaseException:
            await self._stop(standby)
            raise
        return standby

    async def _warm(self, standby: RelayProcess) -> StandbyWarmUp:
        """Open the feeds that run, so that their picture groups are there; for some seconds at most."""
        self._warming = warming = StandbyWarmUp.of(self._owner.playing_of(self))
        self._warmed.clear()
        try:
            for spec in list(warming.specs.values()):
                standby.post("feed.open", spec.head("feed.open"))
            try:
                async with asyncio.timeout(_WARM_SECONDS):
                    while not warming.settled:
                        await self._warmed.wait()
                        self._warmed.clear()
            except TimeoutError:
                log.info("relay %d takes over before all its feeds run again", self.number)
        finally:
            self._warming = None
        return warming

    def _said(self, process: RelayProcess, frame: PipeFrame) -> None:
        if frame.type in ("login.ask", "login.said"):
            self._owner.login_said(self, process, frame)
        elif process is self._process:
            self._owner.relay_said(self, frame)
        elif self._warming is not None and frame.type == "feed.state":
            for feed in self._warming.heard(FeedState.of(frame.head)):
                process.post("feed.close", {"feed": feed})
            self._warmed.set()

    def _pulsed(self, process: RelayProcess, pulse: Pulse) -> None:
        if process is not self._process:
            return
        since = self._clock.monotonic() - self._replaced_at
        verdict = memory_verdict(pulse.rss_bytes, self._memory_bytes, since)
        if verdict == "kill":
            log.error("relay %d has grown to %d MB; replacing it at once", self.number, pulse.rss_bytes >> 20)
            process.kill()
        elif verdict == "replace" and self._request is None:
            log.warning("relay %d has grown to %d MB; a fresh one takes over", self.number, pulse.rss_bytes >> 20)
            self._replaced_at = self._clock.monotonic()
            self._requested.set()

    def _answer(self, error: HubError | None) -> None:
        request, self._request = self._request, None
        if request is None or request.done():
            return
        if error is None:
            request.set_result(None)
        else:
            request.set_exception(error)

    def _retire(self, process: RelayProcess) -> None:
        """Stop a process that has been succeeded, beside everything else."""
        task = asyncio.create_task(self._stop(process), name=f"relay {self.number} retiring")
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def _stop(self, process: RelayProcess) -> None:
        try:
            await process.stop()
        finally:
            self._owner.relay_gone(process)


async def _either(future: "asyncio.Future[None]", work: Coroutine[Any, Any, object]) -> None:
    """Wait for the first of both; `work` is ended."""
    task = asyncio.create_task(work, name="relay wish")
    try:
        both: set[asyncio.Future[Any]] = {future, task}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await ended(task)


def _ended_meanwhile() -> HubError:
    return HubError(Kind.UNAVAILABLE, "the relay ended meanwhile, and is restarted")
