"""One relay, kept alive: its process is started, configured, watched, replaced at once when it ends or hangs.

No spare process waits to take over. After kill -9 a new one is configured within 0.6 s (1.0 s beside five busy
processes on two cores), 0.4 s of which are interpreter and imports; four tiles move again after 0.9 s (1.2 s). A spare
would save half a second now and then, and cost 31 MB all the time.
"""

import asyncio
import logging
import sys
from collections.abc import Coroutine, Iterable
from dataclasses import replace
from typing import Any, Protocol, Self

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.media.child_process import Launch
from camera_hub.media.relays.handover import StandbyWarmUp
from camera_hub.media.relays.link import RelayLink
from camera_hub.media.relays.process import RelayProcess
from camera_hub.media.relays.watchdog import RelayWatchdog
from camera_hub.message_decoder import MessageError
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
_REPAIR_BYTES = 2560 * 1024  # 2,048 packets (RelayConfig.history_packets); 2 s of most streams are less
_VIEWER_BYTES = 2 * 1024**2

_WARM_SECONDS = 5.0
_PORT_SECONDS = 2.0


def config_of(settings: Settings, number: int) -> RelayConfig:
    """The settings that relay `number` is configured with. Several relays use ports one after the other."""
    media, ingest = settings.media, settings.ingest
    return RelayConfig(
        udp_host=media.udp_host,
        udp_port=media.udp_port + number if media.udp_port else 0,
        announced_addresses=media.announced_addresses,
        payload_limit=media.payload_limit,
        plain_sending=media.plain_sending,
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


class RelayObserver(Protocol):
    """Who is told what happens to a relay (relays.inbound). All in the loop; none of it may raise."""

    def on_relay_started(self, relay: RelayLink) -> None:
        """A process has taken over: send it the desired state before anything else."""
        ...

    def on_relay_message(self, relay: RelayLink, frame: PipeFrame) -> None:
        """A message of the process in charge that is no reply."""
        ...

    def on_login_message(self, relay: RelayLink, process: RelayProcess, frame: PipeFrame) -> None:
        """login.ask or login.said, of the process in charge or of its standby."""
        ...

    def on_process_ended(self, process: RelayProcess) -> None:
        """A process has ended."""
        ...


class WantedFeeds(Protocol):
    """Which feeds a relay should run (feeds.feeds.FeedPlan)."""

    def playing_on(self, relay: int) -> Iterable[FeedSpec]:
        """Feeds that a standby should open beforehand."""
        ...

    def wanted_on(self, relay: int) -> Iterable[FeedSpec]:
        """All feeds that the relay should run."""
        ...


class RelaySupervisor:
    """An async context manager: entering returns when the relay is configured (or raises HubError UNAVAILABLE).

    `begin` starts it earlier, so that several start side by side; who began must enter or leave.
    """

    def __init__(
        self,
        link: RelayLink,
        config: RelayConfig,
        clock: Clock,
        observer: RelayObserver,
        feeds: WantedFeeds,
        *,
        memory_bytes: int,
        launch: Launch,
    ) -> None:
        self._link = link
        self._name = f"relay {link.number}"
        self._config = config
        self._clock = clock
        self._observer = observer
        self._feeds = feeds
        self._launch = launch
        self._watchdog = RelayWatchdog(self._name, clock, memory_bytes, self._on_grown)
        self._process: RelayProcess | None = None
        self._warming: StandbyWarmUp | None = None
        self._warmed = asyncio.Event()
        self._request: asyncio.Future[None] | None = None
        self._requested = asyncio.Event()
        self._retiring: set[asyncio.Task[None]] = set()
        self._first: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Start the process without waiting for it."""
        self._first = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(
            keep_running(self._name, self._run_once, clock=self._clock, backoff=_BACKOFF, on_failure=self._on_failure),
            name=self._name,
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

    async def replace(self) -> int:
        """Let a fresh process take over, warmed up beside this one; returns the new epoch when it has.

        Raises HubError: UNAVAILABLE (the relay was down, or ended meanwhile), or why the fresh one could not start.
        """
        if self._process is None:
            raise HubError(Kind.UNAVAILABLE, "the relay is being restarted already")
        if self._request is None:
            self._request = asyncio.get_running_loop().create_future()
            self._request.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._requested.set()
        await asyncio.shield(self._request)
        return self._link.epoch

    def _on_failure(self, error: Exception) -> None:
        if self._first is not None and not self._first.done():
            self._first.set_exception(error)

    async def _run_once(self) -> None:
        process = self._new()
        await process.start(self._config)
        over = self._watch(process)
        try:
            self._adopt(process)
            while (successor := await self._until_replaced(process, over)) is not None:
                self._retire(process, over)
                process, over = successor, self._watch(successor)
                self._adopt(process)
                self._finish_request(None)
            status = process.status
        finally:
            self._dismiss()
            self._requested.clear()
            self._finish_request(_ended_meanwhile())
            await self._stop(process, over)
        raise HubError(Kind.UNAVAILABLE, f"the relay process ended (status {status}); restarting it")

    def _new(self) -> RelayProcess:
        return RelayProcess(self._name, self._launch, self._on_message)

    def _adopt(self, process: RelayProcess) -> None:
        # The same port again after a restart, also where the first one was chosen by the system.
        self._config = replace(self._config, udp_port=process.port)
        self._process = process
        self._link.attach(process)
        self._observer.on_relay_started(self._link)
        if self._first is not None and not self._first.done():
            self._first.set_result(None)

    def _dismiss(self) -> None:
        """No process is in charge: what the last one says from here on is of no interest."""
        self._process = None
        self._link.detach()

    def _watch(self, process: RelayProcess) -> "asyncio.Task[None]":
        """Done when the process is over."""
        return asyncio.create_task(self._watchdog.watch(process), name=f"{self._name} watchdog")

    async def _until_replaced(self, process: RelayProcess, over: "asyncio.Task[None]") -> RelayProcess | None:
        """The successor that is to take over; None when the process is over."""
        while True:
            await _either(over, self._requested.wait())
            if over.done():
                over.result()
                return None
            self._requested.clear()
            task = asyncio.create_task(self._succeed(process), name=f"{self._name} hand-over")
            try:
                both: set[asyncio.Future[Any]] = {over, task}
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
                if not task.done():
                    await ended(task)  # its process is stopped with it
            except asyncio.CancelledError:
                await self._give_up(task)
                raise
            if task.cancelled():
                return None
            if (error := task.exception()) is None:
                return task.result()
            log.warning("%s was not replaced: %s", self._name, error)
            self._finish_request(error if isinstance(error, HubError) else _ended_meanwhile())

    async def _succeed(self, before: RelayProcess) -> RelayProcess:
        """Start a standby, let it open what is shown now, and hand the port over."""
        standby = self._new()
        await standby.start(replace(self._config, standby=True))
        try:
            warming = await self._warm_up(standby)
            self._dismiss()  # the viewers of `before` are ended
            try:
                await before.call("port.close", {}, deadline=_PORT_SECONDS)
                await standby.open_port(deadline=_PORT_SECONDS)
            except HubError:
                before.kill()  # it has no port any more; the ordinary restart follows
                raise
            wanted = {spec.feed for spec in self._feeds.wanted_on(self._link.number)}
            for feed in warming.specs.keys() - wanted:
                standby.post("feed.close", {"feed": feed})
        except BaseException:
            await self._stop(standby)
            raise
        return standby

    async def _give_up(self, succeeding: "asyncio.Task[RelayProcess]") -> None:
        """End the hand-over, and the successor of one that was complete a moment ago."""
        await ended(succeeding)
        if not succeeding.cancelled() and succeeding.exception() is None:
            await self._stop(succeeding.result())

    async def _warm_up(self, standby: RelayProcess) -> StandbyWarmUp:
        """Open the feeds that play, so that their GOP caches are filled; for some seconds at most."""
        self._warming = warming = StandbyWarmUp.of(self._feeds.playing_on(self._link.number))
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
                log.info("%s takes over before all its feeds run again", self._name)
        finally:
            self._warming = None
        return warming

    def _on_message(self, process: RelayProcess, frame: PipeFrame) -> None:
        if frame.type in ("login.ask", "login.said"):
            self._observer.on_login_message(self._link, process, frame)
        elif process is self._process:
            self._observer.on_relay_message(self._link, frame)
        elif self._warming is not None and frame.type == "feed.state":
            self._on_standby_state(process, self._warming, frame)

    def _on_standby_state(self, standby: RelayProcess, warming: StandbyWarmUp, frame: PipeFrame) -> None:
        try:
            state = FeedState.of(frame.head)
        except MessageError as error:
            log.error("the standby of %s sent a %s that cannot be read: %s", self._name, frame.type, error)
            return
        for feed in warming.on_feed_state(state):
            standby.post("feed.close", {"feed": feed})
        self._warmed.set()

    def _on_grown(self) -> None:
        """The process holds too much memory: let a fresh one take over, unless that is under way."""
        if self._request is None:
            self._requested.set()

    def _finish_request(self, error: HubError | None) -> None:
        request, self._request = self._request, None
        if request is None or request.done():
            return
        if error is None:
            request.set_result(None)
        else:
            request.set_exception(error)

    def _retire(self, process: RelayProcess, over: "asyncio.Task[None]") -> None:
        """Stop a process that has been succeeded, beside everything else."""
        task = asyncio.create_task(self._stop(process, over), name=f"{self._name} retiring")
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def _stop(self, process: RelayProcess, over: "asyncio.Task[None] | None" = None) -> None:
        try:
            if over is not None and not over.done():
                await ended(over)
            await process.stop()
        finally:
            self._observer.on_process_ended(process)


async def _either(task: "asyncio.Task[None]", work: Coroutine[Any, Any, object]) -> None:
    """Wait for the first of both; `work` is ended."""
    other = asyncio.create_task(work, name="relay replacement request")
    try:
        both: set[asyncio.Future[Any]] = {task, other}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await ended(other)


def _ended_meanwhile() -> HubError:
    return HubError(Kind.UNAVAILABLE, "the relay ended meanwhile, and is restarted")
