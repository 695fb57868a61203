"""A patrol waits while a person steers a camera of the stop that is on, and goes on by itself once it is free."""

from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack
from typing import Protocol, Self

from camera_hub.clock import Clock
from camera_hub.events import EventBus, PtzChanged
from camera_hub.patrol.runs import timetable
from camera_hub.patrol.runs.keeper import RunKeeper
from camera_hub.patrol.runs.situation import RunSituation
from camera_hub.running import keep_running, running
from camera_hub.store.tables import Run


class PersonsSteering(Protocol):
    """What is needed of whoever knows who steers a camera (cameras.ptz.tours)."""

    def steered_by_person(self, camera_id: int) -> bool:
        """Whether a person holds the camera now; nobody does when only a patrol has moved it."""
        ...


class PtzWaits:
    """An async context manager. An operator who goes on while the camera is still being steered is not made to wait
    again at that stop."""

    def __init__(self, bus: EventBus, clock: Clock, keeper: RunKeeper, steering: PersonsSteering | None) -> None:
        self._bus = bus
        self._clock = clock
        self._keeper = keeper
        self._steering = steering
        self._waited: dict[int, int] = {}  # run → how many steps it had when it was made to wait
        self._watched: frozenset[int] = frozenset()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            subscription = stack.enter_context(self._bus.subscribe(PtzChanged))

            async def look() -> None:
                async for event in subscription:
                    if not isinstance(event, PtzChanged) or event.camera_id in self._watched:
                        self._keeper.wake.set()

            work = keep_running("cameras of runs that are steered", look, clock=self._clock)
            await stack.enter_async_context(running(work, "cameras of runs that are steered"))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def follow(self, run: Run, situation: RunSituation) -> bool:
        """Make a running run wait, or a waiting one go on, if it must; returns whether it did."""
        if self._steering is None:
            return False
        steered = any(self._steering.steered_by_person(camera) for camera in situation.itinerary[run.position].ids)
        if run.state == "running" and steered and self._waited.get(run.id) != run.steps:
            await self._wait(run)
            return True
        if run.state == "paused" and not steered:
            await self._go_on(run)
            return True
        return False

    def watch(self, shown: Mapping[int, Collection[int]]) -> None:
        """The cameras of the present stops, by run: when one of them is steered the loop wakes up."""
        self._watched = frozenset(camera for cameras in shown.values() for camera in cameras)
        self._waited = {run_id: steps for run_id, steps in self._waited.items() if run_id in shown}

    async def _wait(self, seen: Run) -> None:
        async with self._keeper.changing(seen.id) as opened:
            if opened.run.revision == seen.revision:
                await opened.move(timetable.pause(opened.situation.stops, opened.cursor, opened.now, "ptz"))
                opened.note("paused", None, reason="ptz")
                self._waited[seen.id] = opened.run.steps

    async def _go_on(self, seen: Run) -> None:
        async with self._keeper.changing(seen.id) as opened:
            if opened.run.revision == seen.revision:
                await opened.move(timetable.resume(opened.cursor, opened.now))
                opened.note("resumed", None, reason="ptz")
                self._waited.pop(seen.id, None)
