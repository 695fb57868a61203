"""Screens follow what they show: a run that moves on or ends, a scene that is changed or deleted, a camera that is."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Self

from sqlalchemy import select

from camera_hub.clock import Clock
from camera_hub.events import (
    CameraChanged,
    Event,
    EventBus,
    Lagged,
    RunChanged,
    ScreenChanged,
    Subscription,
    TourChanged,
)
from camera_hub.patrol.screens.contents import Content, RunContent, SceneContent, from_row
from camera_hub.patrol.screens.screens import Screens
from camera_hub.running import Backoff, keep_running, running
from camera_hub.store.database import Database
from camera_hub.store.tables import Screen


def concerns(event: Event, content: Content, has: Callable[[int], bool]) -> bool:
    """Whether what is shown may look different after the event. `has`: whether a camera is part of it. Pure."""
    match event:
        case CameraChanged(camera_id):
            return has(camera_id)
        case RunChanged(run_id):
            return isinstance(content, RunContent) and content.run_id == run_id
        case TourChanged():
            return isinstance(content, SceneContent)
        case Lagged():
            return True
        case _:
            return False


class ScreenFollowing:
    """Tells pages of the screens that have come to look different. An async context manager."""

    def __init__(self, screens: Screens, database: Database, bus: EventBus, clock: Clock) -> None:
        self._screens = screens
        self._database = database
        self._bus = bus
        self._clock = clock
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            events = stack.enter_context(self._bus.subscribe(RunChanged, TourChanged, CameraChanged))
            following = keep_running("screens", lambda: self._run(events), clock=self._clock, backoff=Backoff(cap=5.0))
            await stack.enter_async_context(running(following, "screens"))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _run(self, events: Subscription) -> None:
        await self._follow([Lagged(0)])  # what has changed while the hub was away
        while True:
            await self._follow(await events.batch())

    async def _follow(self, events: list[Event]) -> None:
        async with self._database.read() as session:
            rows = (await session.execute(select(Screen.id, Screen.content))).all()
        found = [
            screen_id
            for screen_id, row in rows
            if any(concerns(event, from_row(row), partial(self._screens.may_show, screen_id)) for event in events)
        ]
        if not found:
            return
        settled = await self._screens.settle(found)
        for screen_id in found:
            if screen_id not in settled:
                self._bus.publish(ScreenChanged(screen_id))
