"""Who may open a camera now: a village's streams do not all dial at once, one feed tries a login for its device.

A feed that somebody watches goes before those that are opened for a look, and finds a place that looks may not take.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.relay.messages import FeedSpec
from camera_hub.relay.rtsp.budget import LoginBudget


@dataclass(eq=False, slots=True)
class _Waiting:
    watched: Callable[[], bool]
    let_in: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class _Village:
    """`places` sessions may be opened at once; the last of them only for somebody who watches."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._taken = 0
        self._waiting: list[_Waiting] = []

    @asynccontextmanager
    async def place(self, watched: Callable[[], bool]) -> AsyncIterator[None]:
        one = _Waiting(watched)
        self._waiting.append(one)
        self.let_in()
        try:
            await one.let_in
        except asyncio.CancelledError:
            if one in self._waiting:
                self._waiting.remove(one)
            else:
                self._leave()
            raise
        try:
            yield
        finally:
            self._leave()

    def let_in(self) -> None:
        """As many as there are places for, those first who are watched; who is may have changed."""
        for one in sorted(self._waiting, key=lambda waiting: not waiting.watched()):
            if self._taken >= (self._places if one.watched() else max(1, self._places - 1)):
                return
            self._taken += 1
            self._waiting.remove(one)
            one.let_in.set_result(None)

    def _leave(self) -> None:
        self._taken -= 1
        self.let_in()


class Gate:
    """Shared by all feeds of a relay."""

    def __init__(self, clock: Clock, opens_at_once: int) -> None:
        self._clock = clock
        self._villages: dict[str, _Village] = defaultdict(lambda: _Village(opens_at_once))
        self._logins: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._good: dict[str, int] = {}
        self._budget = LoginBudget()

    def login_wait(self, spec: FeedSpec) -> float:
        """Seconds until this feed's login may be tried; 0 = now."""
        if spec.username is None:
            return 0.0
        return self._budget.wait(_device(spec), spec.credentials_version, self._clock.monotonic())

    def watched(self, spec: FeedSpec) -> None:
        """Somebody has begun to watch this feed, which may be waiting."""
        self._villages[spec.group].let_in()

    @asynccontextmanager
    async def opening(self, spec: FeedSpec, watched: Callable[[], bool] = lambda: False) -> AsyncIterator[None]:
        """Hold while the session is being opened. Counts a refused login; raises HubError when the budget is spent."""
        device = _device(spec)
        async with self._villages[spec.group].place(watched):
            if spec.username is None or self._good.get(device) == spec.credentials_version:
                async with self._counting(spec, device):
                    yield
                return
            async with AsyncExitStack() as trying:
                await trying.enter_async_context(self._logins[device])  # unproved: one feed tries it for all
                if self._good.get(device) == spec.credentials_version:
                    await trying.aclose()
                elif (wait := self.login_wait(spec)) > 0:
                    raise HubError(
                        Kind.UNAUTHENTICATED,
                        f"the camera refused this login; next try in {wait / 60:.0f} min",
                        reason=Reason.WRONG_PASSWORD,
                    )
                async with self._counting(spec, device):
                    yield

    @asynccontextmanager
    async def _counting(self, spec: FeedSpec, device: str) -> AsyncIterator[None]:
        try:
            yield
        except HubError as error:
            if error.reason == Reason.WRONG_PASSWORD and spec.username is not None:
                self._good.pop(device, None)
                self._budget.failed(device, spec.credentials_version, self._clock.monotonic())
            raise
        if spec.username is not None:
            self._good[device] = spec.credentials_version
            self._budget.succeeded(device)


def _device(spec: FeedSpec) -> str:
    return spec.device or f"{spec.address}:{spec.port}"
