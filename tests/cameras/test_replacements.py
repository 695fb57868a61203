"""A camera that gets another device stays what it was; nothing is deleted, and it can be undone."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.cameras.device_checks import DeviceChecks
from camera_hub.cameras.register.register import Register
from camera_hub.cameras.replacements import Replacements
from camera_hub.cameras.streams import stored_urls
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import EventBus
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Stream, Tour, TourStop, User
from tests.cameras.fakes import ADMIN, FakeDescriber, FakeVault, described, village_admin
from tests.fakes.clock import ManualClock
from tests.fakes.reach import local

OLD, NEW = "192.168.1.64", "192.168.1.65"


class FakeLedger:
    """Keeps what it is told; a model over a limit it does not take."""

    def __init__(self) -> None:
        self.values: dict[int, dict[str, str]] = {}

    async def set_values(
        self, session: AsyncSession, camera: Camera, values: Mapping[str, str], actor: Actor, now: datetime
    ) -> None:
        if values.get("model") == "VC-TOO-LONG":
            raise HubError(Kind.INVALID, "too long", reason="value_long")
        self.values.setdefault(camera.id, {}).update(values)


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()


@pytest.fixture
async def replacements(
    register: Register,
    describer: FakeDescriber,
    database: Database,
    bus: EventBus,
    clock: ManualClock,
    ledger: FakeLedger,
) -> Replacements:
    async with database.write() as session:
        for number in (1, 3):
            user = User(id=number, username=f"u{number}", display_name="王主任", role="township_admin")
            user.password_hash, user.created_at = "-", clock.now()
            session.add(user)
    describer.devices[NEW] = described(
        NEW, channels=3, serial="SN-NEW-77", mac="02:00:00:00:00:77", model="NVR-3", names=("塘边", "村口", "桥头")
    )
    return Replacements(database, bus, clock, DeviceChecks(database, local), ledger)


async def addresses(database: Database, camera_id: int) -> dict[str, str]:
    """The streams of a camera, opened with its own device's key."""
    async with database.read() as session:
        camera = await session.get_one(Camera, camera_id)
        streams = await session.scalars(select(Stream).where(Stream.camera_id == camera_id))
        return {one.role: stored_urls.kept(one, FakeVault(), camera.device_id) for one in streams}


async def test_it_keeps_name_place_and_tours_and_can_be_undone(
    register: Register,
    villages: list[int],
    replacements: Replacements,
    database: Database,
    ledger: FakeLedger,
    clock: ManualClock,
) -> None:
    old = await register.devices.register(ADMIN, villages[0], OLD, name="旧机", username="admin", password="old-1")
    camera = old.cameras[0].id
    await register.cameras.change(ADMIN, camera, name="村东路口", place_class="key_road")
    async with database.write() as session:
        tour = Tour(name="早巡", created_at=clock.now())
        session.add(tour)
        await session.flush()
        session.add(TourStop(tour_id=tour.id, position=0, camera_id=camera, dwell_s=9))
    new = await register.devices.register(ADMIN, villages[0], NEW, username="admin", password="new-1")
    channel = new.cameras[1].id
    (done,) = await replacements.replace(ADMIN, [(camera, channel)])
    after = await register.cameras.get(ADMIN, camera)
    assert (after.name, after.place_class, after.state, after.device_id) == (
        "村东路口",
        "key_road",
        "approved",
        new.device.id,
    )
    assert await addresses(database, camera) == {
        "main": f"rtsp://{NEW}:554/2/main",
        "sub": f"rtsp://{NEW}:554/2/sub",
    }
    assert after.proving
    assert (await register.devices.get(ADMIN, old.device.id)).retired_at is not None, "its reference is the replacement"
    assert (await register.cameras.get(ADMIN, channel)).state == "retired"
    assert (done.old_device_id, done.new_device_id, done.replaced_by) == (old.device.id, new.device.id, "王主任")
    assert ledger.values[camera] == {"mac": "02:00:00:00:00:77", "model": "NVR-3", "enabled_on": "2026-11-23"}
    described_again = await register.devices.describe(ADMIN, new.device.id)
    assert sorted(one.name for one in described_again.cameras) == ["塘边", "村东路口", "桥头"], "its channel is known"

    undone = await replacements.undo(ADMIN, done.id)
    assert undone.undone_at is not None
    back = await register.cameras.get(ADMIN, camera)
    assert (back.device_id, back.name, back.state) == (old.device.id, "村东路口", "approved")
    assert (await addresses(database, camera))["main"] == f"rtsp://{OLD}:554/1/main"
    assert (await register.devices.get(ADMIN, old.device.id)).retired_at is None
    assert (await register.cameras.get(ADMIN, channel)).state == "approved"
    assert (await addresses(database, channel))["main"] == f"rtsp://{NEW}:554/2/main"
    assert ledger.values[camera]["mac"] == "02:00:00:00:00:01"
    with pytest.raises(HubError) as caught:
        await replacements.undo(ADMIN, done.id)
    assert caught.value.reason == Reason.DECIDED_ALREADY
    assert [one.id for one in await replacements.all(ADMIN, camera_id=camera)] == [done.id]


async def test_a_whole_recorder_is_replaced_channel_by_channel(
    register: Register, villages: list[int], replacements: Replacements, describer: FakeDescriber
) -> None:
    describer.devices[OLD] = described(OLD, channels=3, names=("甲", "乙", "丙"))
    old = await register.devices.register(ADMIN, villages[0], OLD)
    new = await register.devices.register(ADMIN, villages[0], NEW)
    pairs = [(one.id, other.id) for one, other in zip(old.cameras[:2], reversed(new.cameras), strict=False)]
    done = await replacements.replace(ADMIN, pairs)
    assert len(done) == 2
    assert (await register.devices.get(ADMIN, old.device.id)).retired_at is None, "one of its cameras is left"
    assert [one.name for one in await register.cameras.all(ADMIN)] == ["甲", "乙", "丙", "塘边"]
    for one in done:
        await replacements.undo(ADMIN, one.id)
    assert {one.device_id for one in await register.cameras.all(ADMIN)} == {old.device.id, new.device.id}


async def test_a_village_s_replacement_waits_for_approval_of_the_new_place(
    register: Register, villages: list[int], replacements: Replacements
) -> None:
    old = await register.devices.register(ADMIN, villages[0], OLD)
    village = village_admin(villages[0])
    new = await register.devices.register(village, villages[0], NEW)
    camera = old.cameras[0].id
    (done,) = await replacements.replace(village, [(camera, new.cameras[0].id)])
    assert (await register.cameras.get(ADMIN, camera)).state == "waiting"
    assert await replacements.all(village_admin(villages[1])) == []
    with pytest.raises(HubError) as caught:
        await replacements.undo(village_admin(villages[1]), done.id)
    assert caught.value.kind is Kind.NOT_FOUND
    await replacements.undo(village, done.id)
    assert (await register.cameras.get(ADMIN, camera)).state == "approved", "that place was approved before"


async def test_what_cannot_be_replaced(register: Register, villages: list[int], replacements: Replacements) -> None:
    old = (await register.devices.register(ADMIN, villages[0], OLD)).cameras[0].id
    new = (await register.devices.register(ADMIN, villages[1], NEW)).cameras
    for pairs, reason in (
        ([(old, new[0].id)], "other_village"),
        ([(old, old)], "same_camera"),
        ([(old, new[0].id), (new[0].id, new[1].id)], "same_camera"),
        ([(old, 99)], "not_found"),
    ):
        with pytest.raises(HubError) as caught:
            await replacements.replace(ADMIN, pairs)
        assert caught.value.reason == reason
    await register.cameras.retire(ADMIN, [new[0].id])
    with pytest.raises(HubError) as caught:
        await replacements.replace(ADMIN, [(old, new[0].id)])
    assert caught.value.reason == Reason.RETIRED


async def test_what_the_file_does_not_take_hinders_nothing(
    register: Register,
    villages: list[int],
    replacements: Replacements,
    describer: FakeDescriber,
    ledger: FakeLedger,
) -> None:
    describer.devices[NEW] = described(NEW, serial="SN-NEW-77", mac="02:00:00:00:00:77", model="VC-TOO-LONG")
    old = await register.devices.register(ADMIN, villages[0], OLD)
    new = await register.devices.register(ADMIN, villages[0], NEW)
    await replacements.replace(ADMIN, [(old.cameras[0].id, new.cameras[0].id)])
    assert set(ledger.values[old.cameras[0].id]) == {"mac", "enabled_on"}


@pytest.mark.parametrize("token", ["source{}", "{}"], ids=["onvif", "vendor"])
async def test_a_recorder_that_lists_only_channels_on_line_renumbers_nothing(
    register: Register, villages: list[int], describer: FakeDescriber, token: str
) -> None:
    """Eight, then six, then eight: ONVIF's tokens, and a vendor's numbers."""
    whole = described(OLD, channels=8, names=tuple("甲乙丙丁戊己庚辛"))
    channels = tuple(replace(one, token=token.format(n)) for n, one in enumerate(whole.channels, 1))
    describer.devices[OLD] = replace(whole, channels=channels)
    found = await register.devices.register(ADMIN, villages[0], OLD)
    before = {one.id: (one.name, one.position) for one in found.cameras}
    await register.cameras.change(ADMIN, found.cameras[2].id, name="我们的名字")
    before[found.cameras[2].id] = ("我们的名字", before[found.cameras[2].id][1])
    for listed in (channels[:2] + channels[4:], channels, tuple(reversed(channels)), channels[3:]):
        # A recorder counts what it lists, and names it anew.
        names = [replace(one, name=f"Camera {n}") for n, one in enumerate(listed, 1)]
        describer.devices[OLD] = replace(whole, channels=tuple(names))
        again = await register.devices.describe(ADMIN, found.device.id)
        assert {one.id: (one.name, one.position) for one in again.cameras} == before
        assert {one.state for one in again.cameras} == {"approved"}
