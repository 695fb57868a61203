"""All relays of this hub: started side by side, ended together, one of them replaced on request."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Self

from camera_hub.errors import HubError, Kind
from camera_hub.media.relays.supervisor import RelaySupervisor


class RelayFleet:
    """An async context manager: entering returns when every relay is configured."""

    def __init__(self, supervisors: Sequence[RelaySupervisor]) -> None:
        self._supervisors = supervisors
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for supervisor in self._supervisors:
                supervisor.begin()
                stack.push_async_exit(supervisor)
            for supervisor in self._supervisors:
                await stack.enter_async_context(supervisor)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def restart(self, number: int) -> int:
        """Let a fresh process take a relay over, pictures going on meanwhile; answers its new epoch.

        Raises HubError: NOT_FOUND, UNAVAILABLE (it is down), or why the fresh one could not start.
        """
        if not 0 <= number < len(self._supervisors):
            raise HubError(Kind.NOT_FOUND, f"there is no relay {number}")
        return await self._supervisors[number].replace()
