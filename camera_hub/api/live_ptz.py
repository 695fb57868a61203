"""Steering over the page's WebSocket: one page's commands, and what it is told of cameras that it steers or shows.

Of several commands to one camera only the last one waits. What a page moves stops when the page ends, shows something
else, or loses its rights.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from camera_hub.access.policy import Action, Actor, allows
from camera_hub.api.schemas.ptz import (
    PtzMessage,
    PtzMoveMessage,
    PtzPointMessage,
    PtzPresetMessage,
    PtzStateMessage,
    PtzStepMessage,
    state_answer,
)
from camera_hub.cameras.ptz.lock import PtzHolder
from camera_hub.cameras.ptz.state import PtzState
from camera_hub.cameras.ptz.wishes import HomeWish, MoveWish, PointWish, PresetWish, PtzWish, StepWish, StopWish
from camera_hub.errors import Explanation, HubError, Kind, Reason
from camera_hub.events import EventBus, Lagged, PtzChanged

STEERED = 16
"""Cameras that one page steers; of more the one steered longest ago is forgotten."""


class PtzSteering(Protocol):
    """What is needed of ptz.control."""

    async def command(self, actor: Actor, camera_id: int, wish: PtzWish, client: str) -> None: ...
    async def release(self, actor: Actor, camera_id: int) -> None: ...
    def leave(self, client: str, camera_id: int | None = None) -> None: ...
    def state(self, actor: Actor, camera_id: int) -> PtzState: ...


@dataclass(frozen=True, slots=True)
class PageSteering:
    """What all pages share."""

    control: PtzSteering
    bus: EventBus

    def of_page(self, page: str, actor: Actor, send: Callable[[PtzStateMessage], Awaitable[None]]) -> "LivePtz":
        return LivePtz(self.control, self.bus, page, actor, send)


@dataclass(slots=True)
class _SteeredHere:
    """A camera that this page has steered. `waiting`: its command that has not been passed on yet."""

    serial: int = 0
    waiting: PtzMessage | None = None
    error: Explanation | None = None
    was_ours: bool = False


class LivePtz:
    """Of one page; `work` and `tell` run for as long as it is connected. `actor` is who it is now."""

    def __init__(
        self,
        control: PtzSteering,
        bus: EventBus,
        page: str,
        actor: Actor,
        send: Callable[[PtzStateMessage], Awaitable[None]],
    ) -> None:
        self._control = control
        self._bus = bus
        self._page = page
        self._actor = actor
        self._send = send
        self._steered: OrderedDict[int, _SteeredHere] = OrderedDict()
        self._tiles: dict[tuple[str, int], int] = {}
        self._asked, self._untold = asyncio.Event(), asyncio.Event()
        self._changed: set[int] = set()

    def take(self, message: PtzMessage) -> None:
        """A command of the page."""
        one = self._steered.setdefault(message.camera, _SteeredHere())
        self._steered.move_to_end(message.camera)
        one.serial, one.waiting = message.serial, message
        while len(self._steered) > STEERED:
            forgotten, _ = self._steered.popitem(last=False)
            self._control.leave(self._page, forgotten)
        self._asked.set()

    def shows(self, viewer: str, track: int, camera_id: int | None) -> None:
        """What a tile of the page shows now."""
        before = self._tiles.pop((viewer, track), None)
        if camera_id is not None:
            self._tiles[viewer, track] = camera_id
        if before is not None and before != camera_id and before not in self._tiles.values():
            self._control.leave(self._page, before)
        if camera_id is not None and before != camera_id:
            self._note(camera_id)

    def forget(self, viewer: str) -> None:
        """A peer connection of the page has ended."""
        for tile in [tile for tile in self._tiles if tile[0] == viewer]:
            self.shows(*tile, None)

    def become(self, actor: Actor) -> None:
        """The rights of the page's user have changed: what it moves stops, and each command is judged anew."""
        self._actor = actor
        self._control.leave(self._page)

    async def work(self) -> None:
        """Pass on the commands; at the end, stop what this page moves."""
        try:
            while True:
                await self._asked.wait()
                self._asked.clear()
                for camera_id, one in list(self._steered.items()):
                    if one.waiting is not None:
                        message, one.waiting = one.waiting, None
                        await self._pass_on(camera_id, one, message)
        finally:
            self._control.leave(self._page)

    async def tell(self) -> None:
        """Send the state of each camera that it concerns, the newest one."""
        with self._bus.subscribe(PtzChanged, limit=256) as subscription:
            follow = asyncio.create_task(self._follow(subscription.next), name=f"page {self._page} ptz changes")
            try:
                while True:
                    await self._untold.wait()
                    self._untold.clear()
                    changed, self._changed = self._changed, set()
                    for camera_id in changed:
                        await self._send(self._message(camera_id))
            finally:
                follow.cancel()
                await asyncio.wait([follow])

    async def _follow(self, next_event: Callable[[], Awaitable[object]]) -> None:
        while True:
            event = await next_event()
            if isinstance(event, Lagged):
                for camera_id in {*self._steered, *self._tiles.values()}:
                    self._note(camera_id)
            elif isinstance(event, PtzChanged) and self._concerns(event):
                self._note(event.camera_id)

    def _concerns(self, event: PtzChanged) -> bool:
        if not self._actor.sees(event.village_id):
            return False
        return event.camera_id in self._steered or event.camera_id in self._tiles.values()

    async def _pass_on(self, camera_id: int, one: _SteeredHere, message: PtzMessage) -> None:
        try:
            if not allows(self._actor, Action.STEER):
                raise HubError(Kind.FORBIDDEN, f"the role {self._actor.role.value} may not steer cameras")
            if message.do == "release":
                await self._control.release(self._actor, camera_id)
            else:
                await self._control.command(self._actor, camera_id, _wish(message), self._page)
            one.error = None
        except HubError as error:
            one.error = error.explanation
        self._note(camera_id)

    def _note(self, camera_id: int) -> None:
        self._changed.add(camera_id)
        self._untold.set()

    def _message(self, camera_id: int) -> PtzStateMessage:
        state = self._control.state(self._actor, camera_id)
        one = self._steered.get(camera_id)
        if one is None:
            return PtzStateMessage(camera=camera_id, serial=0, state=state_answer(state))
        ours = self._ours(state.holder)
        if one.was_ours and not ours and state.holder is not None:
            one.error = _taken_over(state.holder)
        one.was_ours = ours
        in_the_way = one.error is not None and one.error.reason in (Reason.PTZ_LOCKED, Reason.PTZ_TAKEN_OVER)
        if in_the_way and (ours or state.holder is None):
            one.error = None  # nobody is in the way any more
        return PtzStateMessage(camera=camera_id, serial=one.serial, state=state_answer(state, one.error))

    def _ours(self, holder: PtzHolder | None) -> bool:
        return holder is not None and (holder.kind, holder.id) == ("person", self._actor.user_id)


def _wish(message: PtzMessage) -> PtzWish:
    match message:
        case PtzMoveMessage():
            return MoveWish(message.pan, message.tilt, message.zoom)
        case PtzPointMessage():
            return PointWish(message.x, message.y)
        case PtzStepMessage():
            return StepWish(message.pan, message.tilt, message.zoom, message.size)
        case PtzPresetMessage():
            return PresetWish(message.token)
        case _:
            return HomeWish() if message.do == "home" else StopWish()


def _taken_over(holder: PtzHolder) -> Explanation:
    return Explanation(
        Reason.PTZ_TAKEN_OVER,
        f"“{holder.name}” has taken over the camera",
        {"name": holder.name, "holder": holder.kind},
    )
