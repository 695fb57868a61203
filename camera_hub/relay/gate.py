"""Who may open a camera now: a village's streams do not all dial at once, one feed tries a login for its device."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.relay.messages import FeedSpec
from camera_hub.relay.rtsp.budget import LoginBudget


class Gate:
    """Shared by all feeds of a relay."""

    def __init__(self, clock: Clock, opens_at_once: int) -> None:
        self._clock = clock
        self._opens = opens_at_once
        self._groups: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(self._opens))
        self._logins: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._good: dict[str, int] = {}
        self._budget = LoginBudget()

    def login_wait(self, spec: FeedSpec) -> float:
        """Seconds until this feed's login may be tried; 0 = now."""
        if spec.username is None:
            return 0.0
        return self._budget.wait(_device(spec), spec.credentials_version, self._clock.monotonic())

    @asynccontextmanager
    async def opening(self, spec: FeedSpec) -> AsyncIterator[None]:
        """Hold while the session is being opened. Counts a refused login; raises HubError when the budget is spent."""
        device = _device(spec)
        async with self._groups[spec.group]:
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
