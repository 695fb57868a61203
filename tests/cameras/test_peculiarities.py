"""What was learnt of devices: kept, bounded, read by the API and told to pages."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select

from camera_hub.cameras import peculiarities
from camera_hub.cameras.peculiarities import MAX_PER_DEVICE, Peculiarities, PeculiarityKind
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus, PeculiaritiesChanged
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, DevicePeculiarity
from tests.fakes.clock import ManualClock
from tests.fakes.site import add_village


@pytest.fixture
async def device_id(database: Database, clock: ManualClock) -> int:
    (camera,) = await add_village(database, clock, "东沟村", 1)
    async with database.read() as session:
        return (await session.get_one(Camera, camera)).device_id


@pytest.fixture
def known(database: Database, bus: EventBus, clock: ManualClock) -> Peculiarities:
    return Peculiarities(database, bus, clock)


async def _rows(database: Database) -> list[DevicePeculiarity]:
    async with database.read() as session:
        return list(await session.scalars(select(DevicePeculiarity)))


async def test_what_was_noted_is_known_also_after_a_restart(
    database: Database, bus: EventBus, clock: ManualClock, known: Peculiarities, device_id: int
) -> None:
    assert await known.of(device_id) == {}
    with bus.subscribe(PeculiaritiesChanged) as told:
        await known.note(device_id, PeculiarityKind.RTSP_KEEP_ALIVE, "OPTIONS")
        await known.note(device_id, "digest_offered", "rtsp")
        await known.note(device_id, PeculiarityKind.RTSP_KEEP_ALIVE, "RTCP")
        events = await told.batch()
    assert [isinstance(one, PeculiaritiesChanged) and one.device_id for one in events] == [device_id] * 3
    expected = {"rtsp_keep_alive": "RTCP", "digest_offered": "rtsp"}
    assert await known.of(device_id) == expected
    assert await Peculiarities(database, bus, clock).of(device_id) == expected
    with pytest.raises(TypeError):
        (await known.of(device_id))["soap11"] = "yes"  # type: ignore[index]


async def test_what_is_known_is_not_written_again(
    database: Database, bus: EventBus, clock: ManualClock, known: Peculiarities, device_id: int
) -> None:
    await known.note(device_id, PeculiarityKind.SOAP11, "yes")
    first = clock.now()
    await clock.advance(60)
    with bus.subscribe(PeculiaritiesChanged) as told:
        await known.note(device_id, PeculiarityKind.SOAP11, "yes")
        await Peculiarities(database, bus, clock).note(device_id, PeculiarityKind.SOAP11, "yes")
        assert [row.noticed_at for row in await _rows(database)] == [first]
        await known.note(device_id, PeculiarityKind.SOAP11, "no")
        assert [row.noticed_at for row in await _rows(database)] == [first + timedelta(seconds=60)]
        assert len(await told.batch()) == 1


@pytest.mark.parametrize(
    ("kind", "value"),
    [("sings", "yes"), ("soap11", ""), ("soap11", "x" * 257), ("soap11", "a\nb"), ("soap11", "a\0b")],
)
async def test_what_no_peculiarity_is_is_refused(
    database: Database, known: Peculiarities, device_id: int, kind: str, value: str
) -> None:
    with pytest.raises(HubError) as caught:
        await known.note(device_id, kind, value)
    assert caught.value.kind is Kind.INVALID
    assert await _rows(database) == []


async def test_a_device_has_a_bounded_number_of_them(
    database: Database, clock: ManualClock, known: Peculiarities, device_id: int
) -> None:
    async with database.write() as session:
        session.add_all(
            DevicePeculiarity(device_id=device_id, kind=f"k{number}", value="x", noticed_at=clock.now())
            for number in range(MAX_PER_DEVICE)
        )
    with pytest.raises(HubError, match="32"):
        await known.note(device_id, PeculiarityKind.SOAP11, "yes")
    await known.forget(device_id)
    assert await known.of(device_id) == {}
    await known.note(device_id, PeculiarityKind.SOAP11, "yes")
    assert len(await _rows(database)) == 1


async def test_nothing_is_kept_of_a_device_that_is_gone(
    database: Database, known: Peculiarities, device_id: int
) -> None:
    await known.note(device_id, PeculiarityKind.SOAP11, "yes")
    async with database.write() as session:
        await session.execute(delete(Camera))
        await session.execute(delete(Device))
        assert await session.scalar(select(func.count()).select_from(DevicePeculiarity)) == 0
    await known.note(device_id, PeculiarityKind.NO_CLOCK, "yes")
    await known.forget(device_id + 1)
    assert await _rows(database) == []


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch, known: Peculiarities, device_id: int) -> None:
    monkeypatch.setattr(peculiarities, "_CACHED", 2)
    await known.note(device_id, PeculiarityKind.SOAP11, "yes")
    for number in range(10):
        assert await known.of(device_id + 1 + number) == {}
    assert len(known._known) == 2
    assert await known.of(device_id) == {"soap11": "yes"}
