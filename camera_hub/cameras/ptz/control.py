"""Steering all cameras: opens and closes PTZ sessions, decides who may, and leaves nothing moving.

Before a camera is moved for the first time, its row says that it may move; the row is written when its pad is opened,
so that no press waits for the disk, and cleared once it stands and has returned home. A hub that finds such a row when
it starts stops that camera.
"""

import asyncio
import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Self
from weakref import WeakValueDictionary

from camera_hub.access.policy import Action, Actor, allows, require_village
from camera_hub.cameras.ptz import lock as locks
from camera_hub.cameras.ptz.lock import PtzHolder
from camera_hub.cameras.ptz.opening import PtzOpener
from camera_hub.cameras.ptz.place import place_of
from camera_hub.cameras.ptz.session import PtzSession
from camera_hub.cameras.ptz.state import IDLE, PresetPlace, PtzFigures, PtzState
from camera_hub.cameras.ptz.store import HomePlan, PtzStore
from camera_hub.cameras.ptz.wishes import PresetWish, PtzWish
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import CameraChanged, DeviceChanged, EventBus, PtzChanged
from camera_hub.logs import outside
from camera_hub.running import ended, keep_running, running
from camera_hub.settings import PtzSettings

log = logging.getLogger(__name__)

MOST = 256
"""Cameras that are steered at the same time."""
SWEEP_SECONDS = 5.0
LEAVE_SECONDS = 4.0
"""How long the hub's end waits until everything stands."""


@dataclass(slots=True)
class _Steered:
    session: PtzSession
    task: "asyncio.Task[None]"


class PtzControl:
    """An async context manager: entering stops what a former hub left moving, leaving stops what this one moves."""

    def __init__(self, settings: PtzSettings, clock: Clock, bus: EventBus, store: PtzStore, opener: PtzOpener) -> None:
        self._settings = settings
        self._clock = clock
        self._bus = bus
        self._store = store
        self._opener = opener
        self._steered: dict[int, _Steered] = {}
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._changes = asyncio.Event()
        self._left: list[int] = []
        self._homes: dict[int, bool | None] = {}  # of cameras whose session has ended
        self._stack = AsyncExitStack()
        self.figures = PtzFigures()

    async def __aenter__(self) -> Self:
        self._left = await self._store.left_steered()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._end)
            subscription = stack.enter_context(self._bus.subscribe(DeviceChanged, CameraChanged, limit=4096))

            async def follow() -> None:
                async for event in subscription:
                    await self._on_event(event)

            for name, work in (
                ("cameras left moving", self._stop_left),
                ("PTZ sessions", self._sweep),
                ("PTZ changes", follow),
            ):
                await stack.enter_async_context(running(keep_running(name, work, clock=self._clock), name))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def session(self, actor: Actor, camera_id: int) -> PtzSession:
        """The camera's session, for who may steer it; a new one asks nothing of the device yet.

        Raises HubError: NOT_FOUND, FORBIDDEN, RETIRED, PTZ_NONE, BUSY.
        """
        known = self._steered.get(camera_id)
        village = known.session.camera.village_id if known is not None else await self._store.village_of(camera_id)
        if village is None:
            raise HubError(Kind.NOT_FOUND, "there is no such camera")
        require_village(actor, village, "camera")
        if not allows(actor, Action.STEER, village):
            raise HubError(Kind.FORBIDDEN, f"the role {actor.role.value} may not do this ({Action.STEER.value})")
        return await self._begun(camera_id)

    async def command(self, actor: Actor, camera_id: int, wish: PtzWish, client: str) -> None:
        """Carry out a person's wish as soon as the device has answered what came before. `client`: the page whose end
        ends a move. Raises HubError: as `session`, and PTZ_LOCKED. A stop by somebody else than the holder is none.
        """
        session = await self.session(actor, camera_id)
        self._command(session, locks.person(actor), wish, client)

    async def release(self, actor: Actor, camera_id: int) -> None:
        """Give back the lock; the camera stops. Raises HubError."""
        if camera_id in self._steered:
            (await self.session(actor, camera_id)).release(locks.person(actor))

    def leave(self, client: str, camera_id: int | None = None) -> None:
        """The page has ended, or shows that camera no more: what it moves stops."""
        for one in self._steered.values():
            if camera_id in (None, one.session.camera.camera_id) and one.session.gone(client):
                log.info("camera %d is stopped: its page is gone", one.session.camera.camera_id)

    def state(self, actor: Actor, camera_id: int) -> PtzState:
        """As it may be told to that person; of a camera out of their scope as if nobody steered it."""
        known = self._steered.get(camera_id)
        return known.session.state() if known is not None and actor.sees(known.session.camera.village_id) else IDLE

    def steered_by_person(self, camera_id: int) -> bool:
        """Whether a person holds the camera's lock now."""
        known = self._steered.get(camera_id)
        held = None if known is None else locks.held(known.session.lock, self._clock.monotonic())
        return held is not None and held.holder.kind == "person"

    def at_home(self, camera_id: int) -> bool | None:
        """Whether the camera stands at home, as far as this hub has steered it; None: nobody knows."""
        known = self._steered.get(camera_id)
        return _at_home(known.session) if known is not None else self._homes.get(camera_id)

    async def replan(self, session: PtzSession, plan: HomePlan) -> None:
        """Store when and to where the camera returns, and what its presets are called. Raises HubError."""
        await self._store.keep_plan(session.camera.camera_id, plan)
        session.home.replan(plan)

    async def bring(self, run_id: int, name: str, camera_id: int, token: str) -> None:
        """A running tour wants the camera at a preset. Raises HubError: PTZ_LOCKED while a person steers it."""
        self._command(await self._begun(camera_id), locks.tour(run_id, name), PresetWish(token), "")

    def placed(self, run_id: int, camera_id: int, token: str) -> PresetPlace | None:
        """Whether the camera is at the preset to which the tour has sent it; None: nobody knows."""
        known = self._steered.get(camera_id)
        if known is None:
            return None
        session = known.session
        return place_of(
            session.sent,
            session.motion,
            session.lock,
            holder=locks.tour(run_id, ""),
            token=token,
            now=self._clock.monotonic(),
            lock_seconds=self._settings.lock_seconds,
        )

    async def let_go(self, run_id: int, name: str, camera_id: int) -> None:
        """The tour needs the camera no more: it returns home, unless a person steers it."""
        if (known := self._steered.get(camera_id)) is not None:
            known.session.release(locks.tour(run_id, name), home=True)

    def _command(self, session: PtzSession, holder: PtzHolder, wish: PtzWish, client: str) -> None:
        done = session.command(holder, wish, client)
        camera_id = session.camera.camera_id
        if done.lost is not None:
            log.info("camera %d: %s takes over from %s", camera_id, _who(holder), _who(done.lost))
        if done.begins:
            self.figures.commands += 1
            log.info("camera %d is steered by %s: %s", camera_id, _who(holder), type(wish).__name__.lower()[:-4])

    async def _begun(self, camera_id: int) -> PtzSession:
        """Its session; one that ends makes way for a new one once a stop was sent."""
        if (known := self._steered.get(camera_id)) is not None and not known.session.ending:
            return known.session
        lock = self._locks.setdefault(camera_id, asyncio.Lock())
        async with lock:
            known = self._steered.get(camera_id)
            if known is not None and not known.session.ending:
                return known.session
            camera = await self._store.camera(camera_id)
            if known is not None and known.session.standing == "moves" and known.session.motion.tries == 0:
                raise HubError(Kind.BUSY, "this camera is being stopped; try again in a moment", reason=Reason.BUSY)
            if known is not None:
                await self._closed(camera_id, known)
            if len(self._steered) >= MOST:
                await self._close_idle()
            if len(self._steered) >= MOST:
                raise HubError(
                    Kind.BUSY, f"{MOST} cameras are being steered; try again in a minute", reason=Reason.BUSY
                )
            plan = await self._store.plan(camera_id)
            await self._store.steered(camera_id, self._clock.now())
            changed = partial(self._changed, camera_id, camera.village_id)
            session = PtzSession(
                camera,
                partial(self._opener.open, camera),
                plan,
                self._settings,
                self._clock,
                self.figures,
                changed,
            )
            name = f"steering camera {camera_id}"
            task = asyncio.create_task(keep_running(name, session.work, clock=self._clock), name=name)
            self._steered[camera_id] = _Steered(session, task)
            self.figures.sessions = len(self._steered)
            return session

    def _changed(self, camera_id: int, village_id: int) -> None:
        self._changes.set()
        self._bus.publish(PtzChanged(camera_id, village_id))

    async def _on_event(self, event: object) -> None:
        if isinstance(event, DeviceChanged) and event.credentials:
            for session in self._sessions_of(event):
                session.renew()
        for session in self._sessions_of(event):
            await self._follow_camera(session)

    def _sessions_of(self, event: object) -> list[PtzSession]:
        sessions = [one.session for one in self._steered.values()]
        match event:
            case DeviceChanged():
                return [one for one in sessions if one.camera.device_id == event.device_id]
            case CameraChanged():
                return [one for one in sessions if one.camera.camera_id == event.camera_id]
        return sessions  # changes were missed

    async def _follow_camera(self, session: PtzSession) -> None:
        """A device at another address is called there; a camera that is retired, or has become that of another device
        or channel, is stopped where it was, and its session ends."""
        try:
            now = await self._store.camera(session.camera.camera_id)
        except HubError as error:
            if error.reason not in (Reason.RETIRED, Reason.PTZ_NONE, Kind.NOT_FOUND.value):
                raise
            session.end()
            return
        if replace(now, address=session.camera.address) != session.camera:
            session.end()
        elif now != session.camera:
            session.camera = now
            session.renew()

    async def _sweep(self) -> None:
        while True:
            await self._clock.sleep(SWEEP_SECONDS)
            await self._close_idle()

    async def _close_idle(self) -> None:
        for camera_id, one in list(self._steered.items()):
            if one.session.standing == "idle":
                await self._close(camera_id, idle=True)

    async def _close(self, camera_id: int, *, idle: bool = False) -> None:
        """`idle`: unless somebody wants it again meanwhile."""
        lock = self._locks.setdefault(camera_id, asyncio.Lock())
        async with lock:
            one = self._steered.get(camera_id)
            if one is not None:
                await self._closed(camera_id, one, idle=idle)

    async def _closed(self, camera_id: int, one: _Steered, *, idle: bool = False) -> None:
        if one.session.standing not in ("moves", "away"):
            await self._store.steered(camera_id, None)
        if idle and one.session.standing != "idle":
            await self._store.steered(camera_id, self._clock.now())
            return
        del self._steered[camera_id]
        self._homes[camera_id] = _at_home(one.session)
        self.figures.sessions = len(self._steered)
        await ended(one.task)
        one.session.renew()

    async def _stop_left(self) -> None:
        while self._left:
            camera_id = self._left[-1]
            try:
                session = await self._begun(camera_id)
            except HubError as error:
                if error.reason not in (Reason.RETIRED, Reason.PTZ_NONE, Kind.NOT_FOUND.value):
                    raise
                await self._store.steered(camera_id, None)
            else:
                log.warning("camera %d may have been left moving by a hub that died; it is stopped", camera_id)
                session.left_moving()
            self._left.pop()
        await asyncio.Event().wait()

    async def _end(self) -> None:
        """Stop everything that moves, then close."""
        for one in self._moving():
            one.session.stop()
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                while self._moving():
                    self._changes.clear()
                    await self._changes.wait()
        except TimeoutError:
            moving = [one.session.camera.camera_id for one in self._moving()]
            log.warning("the hub ends and these cameras may still move; the next start stops them: %s", moving)
        for camera_id in list(self._steered):
            await self._close(camera_id)
        await self._opener.close()

    def _moving(self) -> list[_Steered]:
        return [one for one in self._steered.values() if one.session.standing == "moves"]


def _at_home(session: PtzSession) -> bool | None:
    """Whether its camera stands where it was sent as its home; None: nobody knows."""
    return session.home.there and session.motion.phase == "still" and session.standing != "moves"


def _who(holder: PtzHolder) -> str:
    what = "user" if holder.kind == "person" else "tour run"
    return f"{outside(holder.name)} ({what} {holder.id})"
