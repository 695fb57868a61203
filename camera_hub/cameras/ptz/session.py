"""A PTZ session: what the hub keeps of one camera while it is steered, and the one place where it is sent something.

Of several wishes that come while the device is still answering, only the last one is carried out. A stop waits for
nothing but the answer that is under way, and for that only a moment.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any, Literal

from camera_hub.cameras.onvif.ptz import PtzStatus
from camera_hub.cameras.ptz import capabilities, watchdog
from camera_hub.cameras.ptz import lock as locks
from camera_hub.cameras.ptz.driver import FAULTS
from camera_hub.cameras.ptz.home import HomeReturn
from camera_hub.cameras.ptz.lock import PtzHolder, PtzLock
from camera_hub.cameras.ptz.opening import OpenedPtz, PtzFacts
from camera_hub.cameras.ptz.place import SentTo
from camera_hub.cameras.ptz.state import (
    BY_ITSELF,
    IDLE,
    Commanded,
    PtzFigures,
    PtzState,
    locked,
    no_rights,
    stop_failed,
    to_second,
    unsupported,
)
from camera_hub.cameras.ptz.store import HomePlan, SteeredCamera
from camera_hub.cameras.ptz.watchdog import Motion
from camera_hub.cameras.ptz.wishes import HomeWish, MoveWish, PointWish, PresetWish, PtzWish, StepWish, StopWish
from camera_hub.clock import Clock
from camera_hub.errors import Explanation, HubError, Kind, Reason
from camera_hub.settings import PtzSettings

log = logging.getLogger(__name__)

GRACE = 0.3
"""Seconds that a stop waits for the answer to the move before it."""
WATCHED_SECONDS = 60.0
"""How long after a command, or a look at its pad, a camera is watched."""
BARRED_SECONDS = 900.0
"""How long nothing is sent to a device that refuses this user the call: it may count that as a wrong password."""


class PtzSession:
    """`work` runs for as long as it is open. `changed` is called with every change of its state. `ending`: nobody may
    steer in it any more."""

    def __init__(
        self,
        camera: SteeredCamera,
        opener: Callable[[PtzFacts | None], Awaitable[OpenedPtz]],
        plan: HomePlan,
        settings: PtzSettings,
        clock: Clock,
        figures: PtzFigures,
        changed: Callable[[], None],
    ) -> None:
        self.camera = camera
        self.home = HomeReturn(plan, settings.return_home_seconds, clock.monotonic(), self._replanned)
        self.ending = False
        self._opener = opener
        self._settings = settings
        self._clock = clock
        self._figures = figures
        self._changed = changed
        self._open: OpenedPtz | None = None
        self.facts: PtzFacts | None = None
        self.motion = Motion()
        self.lock: PtzLock | None = None
        self._wish: PtzWish | None = None
        self._asked = 0.0
        self._speeds = (0.0, 0.0, 0.0)
        self._client = ""
        self._wake, self._urgent = asyncio.Event(), asyncio.Event()
        self._opening = asyncio.Lock()
        self._error: Explanation | None = None
        self._failure: Explanation | None = None  # of what was to be done, while the stop after it fails, too
        self._stopping_error = False
        self._unanswered = False  # the error is over as soon as the device answers again
        self.sent = SentTo()
        self._touched = clock.monotonic()
        self._barred = float("-inf")
        self._shown = IDLE

    # What others ask and say

    async def open(self) -> PtzFacts:
        """Have a conversation with the device; at once where there is one. Raises HubError."""
        self._touched = self._clock.monotonic()
        self._wake.set()
        return (await self._ready()).facts

    def claim(self, asking: PtzHolder) -> PtzHolder | None:
        """Take or prolong the lock; returns who has lost it by that. Raises HubError(PTZ_LOCKED)."""
        now = self._clock.monotonic()
        found = locks.claim(self.lock, asking, now, self._settings.lock_seconds)
        if not found.granted:
            raise locked(found.lock, now, self._settings.lock_seconds)
        self.lock = found.lock
        return found.taken_from

    def release(self, holder: PtzHolder, *, home: bool = False) -> None:
        """The holder gives the lock back; the camera stops if it moves. `home`: it returns home now."""
        self.home.let_go(holder)
        if self.lock is None or not self.lock.holder.same(holder):
            self._wake.set()
            self._tell()
            return
        self.lock = None
        if self.motion.phase == "moving" or isinstance(self._wish, MoveWish):
            self._submit(StopWish(), "")
        if home:
            self.home.at_once()
        self._wake.set()
        self._tell()

    def command(self, holder: PtzHolder, wish: PtzWish, client: str) -> Commanded:
        """Carry out the wish, in place of one that still waits. `client`: who must go on existing for a move to go on.
        A stop by somebody else than the holder says nothing. Raises HubError(PTZ_LOCKED)."""
        held = locks.held(self.lock, self._clock.monotonic())
        if isinstance(wish, StopWish) and held is not None and not held.holder.same(holder):
            return Commanded()
        lost = self.claim(holder)
        self.home.stays_for = holder if holder.kind == "tour" else None
        return Commanded(self._submit(wish, client), lost)

    def stop(self) -> None:
        """Whoever steers it, it stops; then it returns home when its time has come."""
        self._submit(StopWish(), "")

    def end(self) -> None:
        """It stops where it is, and the session ends: the camera is none of ours any more."""
        self._submit(StopWish(), "")
        self.ending = True
        self.lock, self._touched = None, float("-inf")
        self.home.forget()

    def left_moving(self) -> None:
        """A hub that died may have left it moving, and away from home: it stops, unless somebody has told it to do
        something since, which ends that move, too; it returns home when its time has come."""
        self.home.away = True
        if self._wish is None and locks.held(self.lock, self._clock.monotonic()) is None:
            self.stop()

    def gone(self, client: str) -> bool:
        """The page is gone, or shows the camera no more: what it moves stops. Returns whether it moved it."""
        moving = self.motion.phase == "moving" or isinstance(self._wish, MoveWish | StepWish)
        if not client or self._client != client or not moving:
            return False
        self._submit(StopWish(), "")
        return True

    def renew(self) -> None:
        """End the conversation: the next call begins a new one, with the device's address and login of then."""
        self._barred = float("-inf")
        self._shut()
        self._wake.set()

    @property
    def standing(self) -> Literal["moves", "away", "watched", "idle"]:
        """Whether it may move because of this hub, has not returned home yet, is looked at, or is needed no more."""
        now = self._clock.monotonic()
        if self.motion.ours or self._wish is not None:
            return "moves"
        if self._home_due(now) is not None or self.home.stays_for is not None:
            return "away"
        return "watched" if self._watched(now) or locks.held(self.lock, now) is not None else "idle"

    def state(self) -> PtzState:
        now, wall = self._clock.monotonic(), self._clock.now()
        held = locks.held(self.lock, now)
        home = self._home_due(now)
        if home is not None and held is not None:
            home = max(home, held.until)  # not while somebody holds it
        return PtzState(
            self.motion.shown,
            held.holder if held is not None else None,
            to_second(wall + timedelta(seconds=held.until - now)) if held is not None else None,
            to_second(wall + timedelta(seconds=home - now)) if home is not None else None,
            self.home.suspended_until(wall),
            self._told(),
        )

    def _submit(self, wish: PtzWish, client: str) -> bool:
        """Whether it begins something new."""
        now = self._clock.monotonic()
        self._touched = now
        if isinstance(wish, MoveWish) and not (wish.pan or wish.tilt or wish.zoom):
            wish = StopWish()
        if not isinstance(wish, StopWish):
            self.home.commanded(now)
        goes_on = isinstance(wish, MoveWish) and self.motion.phase == "moving" and client == self._client
        same = isinstance(wish, MoveWish) and (wish.pan, wish.tilt, wish.zoom) == self._speeds
        if isinstance(wish, MoveWish) and goes_on and same and self._wish is None:
            self.motion = watchdog.kept(self.motion, now + wish.seconds)
            return False
        self._wish, self._asked, self._client = wish, now, client
        self.sent = SentTo(wish.token if isinstance(wish, PresetWish) else None)
        if isinstance(wish, StopWish):
            self._urgent.set()
        self._wake.set()
        return not goes_on

    # The work

    async def work(self) -> None:
        """Do what is due, one thing after another, for ever."""
        while True:
            what, seconds = self._due()
            if what is None:
                await self._rest(seconds)
            else:
                await self._turn(what)
            self._tell()

    def _due(self) -> tuple[str | None, float]:
        now = self._clock.monotonic()
        stop_first = self.motion.phase == "stopping" and self.motion.tries == 0
        if self._wish is not None and not stop_first:
            return "wish", 0.0
        told = self._open is not None and self._open.driver.timeout_told
        watched = self._open is not None and self._watched(now)
        what, wait = watchdog.due(self.motion, now, timeout_told=told, watched=watched)
        if what is not None:
            return what, 0.0
        held = locks.held(self.lock, now)
        if held is not None:
            wait = min(wait, held.until - now)
        home = self._home_due(now)
        if home is not None and held is None:
            if now < home:
                wait = min(wait, home - now)
            elif self.motion.phase == "still":
                return "home", 0.0
            elif self.motion.phase in ("by_itself", "unstoppable"):
                self.home.away = False  # it is not fought
        return None, wait

    async def _turn(self, what: str) -> None:
        """One thing; its failure becomes the state's error."""
        self._wake.clear()
        try:
            match what:
                case "wish":
                    await self._carry_out()
                case "stop":
                    await self._stop()
                case "refresh":
                    await self._refresh()
                case "home":
                    await self._go_home()
                case _:
                    await self._look()
        except HubError as error:
            self._failed(error, what)

    async def _carry_out(self) -> None:
        wish, asked = self._wish, self._asked
        self._wish = None
        now = self._clock.monotonic()
        if wish is None:
            return
        if isinstance(wish, StopWish):
            self._urgent.clear()
            self.motion = watchdog.to_stop(self.motion, now)
            return
        if now < self._barred:
            raise no_rights()
        opened = await self._ready()
        if self._wish is not None:  # a newer one came meanwhile
            return
        self._urgent.clear()
        now = self._clock.monotonic()
        if isinstance(wish, MoveWish):
            if now >= asked + wish.seconds:  # too old: who wanted it has let go long ago
                return
            await self._move(opened, wish, asked + wish.seconds)
        else:
            await self._travel(opened, wish)
        self._error = self._failure = None
        self._stopping_error = False

    async def _move(self, opened: OpenedPtz, wish: MoveWish, deadline: float) -> None:
        speed = capabilities.velocity(opened.facts.node, wish.pan, wish.tilt, wish.zoom)
        if speed is None:
            raise unsupported()
        # Before it is sent: if it gets lost, it may have been obeyed.
        self.motion = watchdog.moved(self._clock.monotonic(), deadline)
        self._speeds = wish.pan, wish.tilt, wish.zoom
        self.home.sent()
        self._tell()
        await self._until_stopped(opened.driver.drive(speed))

    async def _refresh(self) -> None:
        opened = await self._ready()
        speed = capabilities.velocity(opened.facts.node, *self._speeds)
        if speed is not None and self._wish is None:
            self.motion = watchdog.moved(self._clock.monotonic(), self.motion.deadline)
            self._urgent.clear()
            await self._until_stopped(opened.driver.drive(speed))

    async def _travel(self, opened: OpenedPtz, wish: PtzWish) -> None:
        driver = opened.driver
        match wish:
            case PresetWish():
                going: Coroutine[Any, Any, None] = driver.go_to(wish.token)
            case HomeWish():
                going = self._homewards(opened)
            case _:
                move = await self._move_of(opened, wish)
                if move is None:
                    raise unsupported()
                if move.kind == "continuous":
                    step = wish if isinstance(wish, StepWish) else StepWish(0, 0, 0, 1)
                    share = capabilities.STEP_SPEED
                    timed = MoveWish(step.pan * share, step.tilt * share, step.zoom * share, move.seconds or 0.0)
                    await self._move(opened, timed, self._clock.monotonic() + timed.seconds)
                    return
                going = driver.go(move)
        self.motion = watchdog.sent_off(self._clock.monotonic(), tells=opened.facts.tells)
        self.home.sent(home=isinstance(wish, HomeWish))
        self._tell()
        await self._until_stopped(going)
        if isinstance(wish, HomeWish):
            self.home.obeyed()
        if isinstance(wish, PresetWish) and self.sent.token == wish.token:
            self.sent = SentTo(wish.token, taken=True)

    async def _move_of(self, opened: OpenedPtz, wish: PtzWish) -> capabilities.DeviceMove | None:
        node = opened.facts.node
        if isinstance(wish, StepWish):
            return capabilities.step(node, wish.pan, wish.tilt, wish.zoom, wish.size)
        if isinstance(wish, PointWish):
            status = PtzStatus() if node.fov is not None else await opened.driver.status()
            return capabilities.centred(node, wish.x, wish.y, status)
        return None

    async def _homewards(self, opened: OpenedPtz) -> None:
        if (token := self.home.plan.token) is not None:
            await opened.driver.go_to(token)
        elif opened.facts.capabilities.home:
            await opened.driver.go_home()
        else:
            raise unsupported()

    async def _go_home(self) -> None:
        """The time without a command is over."""
        self.home.tried()
        self.sent = SentTo()
        opened = await self._ready()
        self.motion = watchdog.sent_off(self._clock.monotonic(), tells=opened.facts.tells)
        log.info("camera %d returns home", self.camera.camera_id)
        await self._until_stopped(self._homewards(opened))
        self.home.obeyed()

    async def _stop(self) -> None:
        now = self._clock.monotonic()
        if self.motion.phase == "moving":
            self._figures.deadline_stops += 1
            log.info("camera %d is stopped: nobody has gone on steering it", self.camera.camera_id)
            self.motion = watchdog.to_stop(self.motion, now)
        answered = False
        try:
            opened = await self._ready()
            otherwise = await opened.driver.halt()
            answered = True
        except HubError as error:
            if await self._stands(error):
                self.motion = watchdog.looked(self.motion, self._clock.monotonic(), moving=False)
                self._stopping_error = False
                self._error = self._failure
                return
            self._figures.failed_stops += 1
            self._note_stop_failure(error)
        else:
            if self.motion.tries == (0 if otherwise else 1):
                self._figures.stubborn_stops += 1
            if self._stopping_error:
                self._stopping_error, self._error = False, None
        tells = self.facts is not None and self.facts.tells
        self.motion = watchdog.stopped(self.motion, self._clock.monotonic(), answered=answered, tells=tells)

    async def _stands(self, refusal: HubError) -> bool:
        """Whether a device that refuses to be stopped says that it stands: it has refused the move as well; or has
        nothing that moves. One that lacks only the right to be told is not asked to stop again, since each refusal
        counts against its login."""
        opened = self._open
        if refusal.reason == Reason.PTZ_NONE and self.facts is None:  # nothing was ever sent to it
            self._failure, self.home.away = refusal.explanation, False
            return True
        if opened is None or not opened.facts.tells:
            return False
        if not opened.conversation.refused and (refusal.reason not in FAULTS or self.motion.tries + 1 < watchdog.LOOKS):
            return False
        with suppress(HubError):
            return (await opened.driver.status()).moving is False
        return False

    async def _look(self) -> None:
        moving: bool | None = None
        try:
            opened = await self._ready()
            moving = (await opened.driver.status()).moving if opened.facts.tells else None
            if moving is not None and self._unanswered:
                self._unanswered, self._error = False, None
        finally:
            self.motion = watchdog.looked(self.motion, self._clock.monotonic(), moving)

    async def _ready(self) -> OpenedPtz:
        async with self._opening:
            if self._open is None:
                self._open = await self._opener(self.facts)
                self.facts = self._open.facts
                if not self.motion.ours:
                    self.motion = watchdog.looked(self.motion, self._clock.monotonic(), self._open.status.moving)
                self._tell()
            return self._open

    async def _until_stopped(self, call: Coroutine[Any, Any, None]) -> None:
        """The call; given up a moment after a stop is wanted that cannot wait for a slow answer."""
        task = asyncio.create_task(call, name=f"steering camera {self.camera.camera_id}")
        urgent: asyncio.Task[Any] = asyncio.create_task(self._urgent.wait())
        try:
            while not task.done() and not urgent.done() and (left := self._left()) > 0:
                await asyncio.wait({task, urgent}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                await asyncio.wait({task}, timeout=GRACE)
            if not task.done():
                raise HubError(Kind.TIMEOUT, "the device did not answer in time", reason=Reason.TIMED_OUT)
            task.result()
        finally:
            for one in (task, urgent):
                one.cancel()
            await asyncio.wait({task, urgent})

    def _left(self) -> float:
        return max(0.0, self.motion.deadline - self._clock.monotonic())

    def _failed(self, error: HubError, what: str) -> None:
        log.info("camera %d: steering failed: %s", self.camera.camera_id, error)
        now = self._clock.monotonic()
        if self._open is not None and self._open.conversation.refused:
            self._shut(refused=what == "look")
            if what != "look":
                self._barred = now + BARRED_SECONDS
                error = no_rights()
        self._error = self._failure = error.explanation
        if what == "wish" and self._wish is None:  # else it was told to do something else meanwhile
            self.sent = SentTo(failure=error.explanation)
        self._unanswered = error.kind in (Kind.UNREACHABLE, Kind.TIMEOUT) and error.reason != Reason.PTZ_NO_RIGHTS
        if self.motion.phase in ("moving", "travelling"):  # what was sent before may go on
            self.motion = watchdog.to_stop(self.motion, now)

    def _note_stop_failure(self, error: HubError) -> None:
        if self.motion.tries == 0:
            log.warning("camera %d could not be stopped, it is tried again: %s", self.camera.camera_id, error)
        if self._open is not None and self._open.conversation.refused:
            self._shut(refused=True)
        self._stopping_error = True
        self._error = stop_failed(error)

    def _told(self) -> Explanation | None:
        if self.motion.phase == "by_itself":
            return BY_ITSELF
        return self._error

    def _watched(self, now: float) -> bool:
        return now - self._touched < WATCHED_SECONDS

    def _home_due(self, now: float) -> float | None:
        """When it returns home; None: it does not."""
        able = self.facts is None or self.facts.capabilities.home
        return self.home.due(now, self._clock.now(), able=able)

    def _replanned(self) -> None:
        self._wake.set()
        self._tell()

    def _shut(self, *, refused: bool = False) -> None:
        if self._open is not None:
            self._open.conversation.close(refused=refused)
            self._open = None

    def _tell(self) -> None:
        if (state := self.state()) != self._shown:
            self._shown = state
            self._changed()

    async def _rest(self, seconds: float) -> None:
        """Until something is asked, or so long."""
        if self._wake.is_set():
            self._wake.clear()
            return
        waits: list[asyncio.Task[Any]] = [asyncio.create_task(self._wake.wait())]
        if seconds != float("inf"):
            waits.append(asyncio.create_task(self._clock.sleep(max(seconds, 0.0))))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
            await asyncio.wait(waits)
        self._wake.clear()
