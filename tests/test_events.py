"""The bus: kinds, bounds, and honesty about what was lost."""

import asyncio

from camera_hub.events import AccessChanged, AlarmChanged, Event, EventBus, Lagged, VillageChanged
from camera_hub.running import running


async def test_a_subscriber_gets_its_kinds_in_order_and_no_others(bus: EventBus) -> None:
    with bus.subscribe(VillageChanged) as villages, bus.subscribe() as everything:
        for number in range(3):
            bus.publish(VillageChanged(number))
            bus.publish(AccessChanged(number))
        assert [await villages.next() for _ in range(3)] == [VillageChanged(number) for number in range(3)]
        assert [type(await everything.next()) for _ in range(2)] == [VillageChanged, AccessChanged]


async def test_a_slow_subscriber_loses_the_oldest_and_is_told_so(bus: EventBus) -> None:
    with bus.subscribe(limit=3) as slow:
        for number in range(5):
            bus.publish(AlarmChanged(number, None))
        assert [await slow.next() for _ in range(4)] == [
            Lagged(2),
            AlarmChanged(2, None),
            AlarmChanged(3, None),
            AlarmChanged(4, None),
        ]
        assert slow.dropped == 2
        bus.publish(AlarmChanged(5, None))
        assert await slow.next() == AlarmChanged(5, None)


async def test_who_waits_is_woken(bus: EventBus) -> None:
    got: list[Event] = []
    with bus.subscribe() as subscription:

        async def take() -> None:
            async for event in subscription:
                got.append(event)

        async with running(take(), "take"):
            await asyncio.sleep(0)
            bus.publish(AccessChanged(1))
            bus.publish(AccessChanged(2))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
    assert got == [AccessChanged(1), AccessChanged(2)]


async def test_after_the_block_nothing_is_kept(bus: EventBus) -> None:
    with bus.subscribe() as subscription:
        pass
    bus.publish(AccessChanged(1))
    async with running(subscription.next(), "next") as waiting:  # type: ignore[arg-type]  # its result is not used
        await asyncio.sleep(0)
        assert not waiting.done()
