"""Rooms are started one after another and stopped in the opposite order."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, Self, TypeVar

log = logging.getLogger(__name__)

Parts = dict[type, Any]
"""Every part by its type: how routes find them (api.routing.part)."""

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")


class Rooms:
    """An async context manager. Leaving stops every room that was started, the last one first, and waits for each; so
    does a room that fails to start.

    At the level DEBUG the log says what starts and stops, and so which room keeps a shutdown waiting.
    """

    def __init__(self) -> None:
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        return self

    async def __aexit__(self, *failure: Any) -> bool | None:
        return await self._stack.__aexit__(*failure)

    async def start(self, name: str, room: AbstractAsyncContextManager[T]) -> T:
        """What the room yields, running until this block is left. Raises what the room raises."""
        return await self._stack.enter_async_context(_logged(name, room))


@asynccontextmanager
async def _logged(name: str, room: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
    try:
        async with room as started:
            log.debug("%s: started", name)
            try:
                yield started
            finally:
                log.debug("%s: stopping", name)
    finally:
        log.debug("%s: stopped", name)  # also of one that failed on its way up: nothing of it runs


def joined(*given: Mapping[K, V]) -> dict[K, V]:
    """One dictionary of several. Raises RuntimeError where two have the same key: the later one would silently replace
    the other."""
    found: dict[K, V] = {}
    for one in given:
        if twice := found.keys() & one.keys():
            raise RuntimeError(f"given twice: {', '.join(sorted(map(str, twice)))}")
        found |= one
    return found
