"""One deadline for everything that an operation waits for: connecting, TLS, sending, every byte of every answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from camera_hub.errors import HubError, Kind, Reason


class Deadline:
    """Seconds from now on the loop's clock; to be made inside the running loop."""

    def __init__(self, seconds: float) -> None:
        self._end = asyncio.get_running_loop().time() + seconds

    @property
    def left(self) -> float:
        return max(0.0, self._end - asyncio.get_running_loop().time())

    def within(self, seconds: float) -> "Deadline":
        """One of at most that many seconds that ends no later than this one."""
        return Deadline(min(seconds, self.left))

    def check(self) -> None:
        """Raise HubError(TIMED_OUT) once it has passed."""
        if self.left <= 0:
            raise timed_out()

    @asynccontextmanager
    async def limit(self) -> AsyncIterator[None]:
        """Cancel the block when the deadline passes. Raises HubError(TIMED_OUT) then."""
        try:
            async with asyncio.timeout(self.left):
                yield
        except TimeoutError as error:
            raise timed_out() from error


def timed_out() -> HubError:
    """The error for a device that was reached and did not answer in time."""
    return HubError(Kind.TIMEOUT, "the device did not answer in time", reason=Reason.TIMED_OUT)
