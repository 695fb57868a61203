"""How much goes over one village's link at a time, whoever asks: readings, changes and checks together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary


class VillageLinks:
    """`per_village` devices of one village are asked at a time, and `at_once` in all."""

    def __init__(self, per_village: int, at_once: int) -> None:
        self._per_village = per_village
        self._free = asyncio.Semaphore(at_once)
        self._links: WeakValueDictionary[int, asyncio.Semaphore] = WeakValueDictionary()
        self._devices: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def device(self, village_id: int, device_id: int) -> AsyncIterator[None]:
        """One device at a time asks for its settings or is set, in the order of asking."""
        device = self._devices.setdefault(device_id, asyncio.Lock())
        link = self._links.setdefault(village_id, asyncio.Semaphore(self._per_village))
        async with device, link, self._free:
            yield
