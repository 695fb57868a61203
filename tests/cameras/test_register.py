"""The register: who may take in what, what becomes of it, and what is told to whom."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import event, select

from camera_hub.cameras.credentials.purposes import PURPOSES, Purpose, serving
from camera_hub.cameras.register.register import Register
from camera_hub.cameras.streams import stored_urls
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import DeviceChanged, EventBus
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, StoredLogin, Stream
from tests.cameras.fakes import ADMIN, OPERATOR, FakeDescriber, FakeVault, described, village_admin

HOST = "192.168.1.64"


async def test_a_device_of_the_township_is_live_at_once_and_a_village_s_waits(
    register: Register, villages: list[int], describer: FakeDescriber
) -> None:
    one = await register.devices.register(ADMIN, villages[0], HOST, 80, username="admin", password="secret-1")
    assert [camera.state for camera in one.cameras] == ["approved"]
    describer.devices["192.168.1.65"] = described("192.168.1.65", serial="SN20240002", mac="02:00:00:00:00:02")
    two = await register.devices.register(village_admin(villages[1]), villages[1], "192.168.1.65", 80)
    assert [camera.state for camera in two.cameras] == ["waiting"]
    (approved,) = await register.cameras.approve(ADMIN, [two.cameras[0].id], "school")
    assert (approved.state, approved.place_class) == ("approved", "school")


async def test_a_recorder_gives_all_its_cameras_in_order(
    register: Register, villages: list[int], describer: FakeDescriber
) -> None:
    describer.devices[HOST] = described(channels=8, names=("村口", "大桥北"))
    found = await register.devices.register(ADMIN, villages[0], HOST)
    assert found.device.kind == "recorder"
    assert [camera.position for camera in found.cameras] == list(range(1, 9))
    assert found.cameras[1].initials == "dqb"
    assert [stream.codec for stream in found.cameras[0].streams] == ["h265", "h264"]


async def test_a_village_admin_registers_in_the_own_village_only(register: Register, villages: list[int]) -> None:
    with pytest.raises(HubError) as caught:
        await register.devices.register(village_admin(villages[0]), villages[1], HOST)
    assert caught.value.kind is Kind.NOT_FOUND


async def test_the_password_is_sealed_and_bound_to_its_device(
    register: Register, villages: list[int], database: Database
) -> None:
    found = await register.devices.register(ADMIN, villages[0], HOST, username="admin", password="secret-1")
    assert "secret" not in repr(found)
    login = await register.login(found.device.id, "rtsp")
    assert (login.username, login.password, login.version) == ("admin", "secret-1", 1)
    async with database.read() as session:
        sealed = await session.scalar(select(StoredLogin.sealed))
    assert sealed is not None
    assert b"secret-1" not in sealed


async def test_a_changed_login_has_a_new_version_and_is_told(
    register: Register, villages: list[int], bus: EventBus
) -> None:
    found = await register.devices.register(ADMIN, villages[0], HOST, username="admin", password="secret-1")
    with bus.subscribe(DeviceChanged) as told:
        await register.devices.change(ADMIN, found.device.id, password="secret-2")
        event = await told.next()
    assert event == DeviceChanged(found.device.id, villages[0], credentials=True)
    login = await register.login(found.device.id, "rtsp")
    assert (login.username, login.password, login.version) == ("admin", "secret-2", 2)


async def test_the_same_device_is_not_taken_in_twice(
    register: Register, villages: list[int], describer: FakeDescriber
) -> None:
    first = await register.devices.register(ADMIN, villages[0], HOST)
    describer.devices["10.0.0.9"] = described("10.0.0.9")
    with pytest.raises(HubError) as caught:
        await register.devices.register(ADMIN, villages[1], "10.0.0.9")
    assert (caught.value.kind, caught.value.reason) == (Kind.CONFLICT, Reason.DUPLICATE)
    assert caught.value.params["device"] == first.device.id
    with pytest.raises(HubError) as caught:
        await register.devices.register(village_admin(villages[1]), villages[1], "10.0.0.9")
    assert caught.value.params == {"why": "other_village", "other_village": True}


async def test_two_villages_may_use_the_same_address(
    register: Register, villages: list[int], describer: FakeDescriber
) -> None:
    await register.devices.register(ADMIN, villages[0], HOST)
    describer.devices[HOST] = described(serial="SN99990002", mac="02:00:00:00:00:99")
    await register.devices.register(ADMIN, villages[1], HOST)
    assert len(await register.devices.all(ADMIN)) == 2


async def test_a_shared_mac_alone_makes_no_duplicate(
    register: Register, villages: list[int], describer: FakeDescriber
) -> None:
    describer.devices[HOST] = described(serial="")
    await register.devices.register(ADMIN, villages[0], HOST)
    describer.devices["192.168.1.65"] = described("192.168.1.65", serial="")
    await register.devices.register(ADMIN, villages[0], "192.168.1.65")
    assert len(await register.devices.all(ADMIN)) == 2


@pytest.mark.slow
async def test_a_double_is_found_among_many_devices_that_share_a_mac(
    register: Register, villages: list[int], describer: FakeDescriber
) -> None:
    for number in range(1, 53):
        host = f"192.168.2.{number}"
        describer.devices[host] = described(host, serial="", mac="02:00:00:00:00:aa")
        await register.devices.register(ADMIN, villages[0], host)
    with pytest.raises(HubError) as caught:
        await register.devices.register(ADMIN, villages[0], "192.168.2.52")
    assert caught.value.reason == Reason.DUPLICATE


async def test_a_device_that_was_not_reached_leaves_nothing_behind(
    register: Register, villages: list[int], database: Database
) -> None:
    with pytest.raises(HubError) as caught:
        await register.devices.register(ADMIN, villages[0], "192.168.1.99", username="a", password="b")
    assert caught.value.reason == Reason.UNREACHABLE
    async with database.read() as session:
        assert (await session.scalars(select(Device))).all() == []


async def test_describing_again_adds_channels_and_keeps_names(
    register: Register, villages: list[int], describer: FakeDescriber
) -> None:
    found = await register.devices.register(ADMIN, villages[0], HOST)
    await register.cameras.change(ADMIN, found.cameras[0].id, name="学校门口")
    describer.devices[HOST] = described(channels=3)
    again = await register.devices.describe(ADMIN, found.device.id)
    assert [camera.name for camera in again.cameras] == ["学校门口", "通道 2", "通道 3"]
    assert again.cameras[0].id == found.cameras[0].id
    assert again.device.kind == "recorder"


async def test_another_device_at_the_address_changes_nothing(
    register: Register, villages: list[int], describer: FakeDescriber
) -> None:
    found = await register.devices.register(ADMIN, villages[0], HOST)
    describer.devices[HOST] = described(serial="SN66660000", mac="02:00:00:00:00:66", channels=4)
    with pytest.raises(HubError) as caught:
        await register.devices.describe(ADMIN, found.device.id)
    assert caught.value.reason == Reason.IDENTITY_CHANGED
    assert (await register.devices.get(ADMIN, found.device.id)).serial == "SN20240001"


async def test_retiring_a_device_retires_its_cameras_and_frees_its_place(
    register: Register, villages: list[int], describer: FakeDescriber
) -> None:
    found = await register.devices.register(ADMIN, villages[0], HOST)
    await register.devices.retire(ADMIN, found.device.id)
    assert await register.cameras.all(ADMIN) == []
    assert [camera.id for camera in await register.cameras.all(ADMIN, state="retired")] == [found.cameras[0].id]
    with pytest.raises(HubError) as caught:
        await register.cameras.approve(ADMIN, [found.cameras[0].id])
    assert caught.value.reason == Reason.RETIRED
    await register.devices.register(ADMIN, villages[0], HOST)


async def test_a_village_takes_back_only_what_the_township_has_not_approved(
    register: Register, villages: list[int], describer: FakeDescriber
) -> None:
    village = village_admin(villages[0])
    found = await register.devices.register(village, villages[0], HOST)
    await register.cameras.approve(ADMIN, [found.cameras[0].id])
    with pytest.raises(HubError) as caught:
        await register.devices.retire(village, found.device.id)
    assert (caught.value.kind, caught.value.reason) == (Kind.FORBIDDEN, "approved_cameras")
    assert len(await register.cameras.all(ADMIN, state="approved")) == 1
    await register.cameras.retire(ADMIN, [found.cameras[0].id])
    await register.devices.retire(village, found.device.id)


async def test_a_login_inside_a_url_is_moved_out_and_sealed(
    register: Register, villages: list[int], database: Database
) -> None:
    found = await register.devices.register_url(
        ADMIN, villages[0], "水库大坝", "rtsp://user:p%40ss@192.168.9.9:8554/live/1", "rtsp://192.168.9.9:8554/live/2"
    )
    async with database.read() as session:
        streams = list(await session.scalars(select(Stream).order_by(Stream.role)))
    assert [one.plain_uri for one in streams] == ["", ""]
    kept = [stored_urls.kept(one, FakeVault(), found.device.id) for one in streams]
    assert kept == [
        "rtsp://192.168.9.9:8554/live/1",
        "rtsp://192.168.9.9:8554/live/2",
    ]
    assert (await register.login(found.device.id, "rtsp")).password == "p@ss"
    assert found.device.rtsp_port == 8554
    with pytest.raises(HubError) as caught:
        await register.devices.register_url(ADMIN, villages[0], "again", "rtsp://192.168.9.9:8554/live/1")
    assert caught.value.reason == Reason.DUPLICATE


async def test_a_device_that_moved_takes_its_addresses_along(
    register: Register, villages: list[int], database: Database
) -> None:
    found = await register.devices.register(ADMIN, villages[0], HOST)
    await register.devices.change(ADMIN, found.device.id, host="192.168.1.70")
    async with database.read() as session:
        streams = list(await session.scalars(select(Stream)))
    uris = [stored_urls.kept(one, FakeVault(), found.device.id) for one in streams]
    assert all(uri.startswith("rtsp://192.168.1.70:554/") for uri in uris)
    assert all(one.shown_uri.startswith("rtsp://192.168.1.70:554/") for one in streams)


async def test_a_village_cannot_have_a_password_sent_to_another_address(
    register: Register, villages: list[int]
) -> None:
    """It is write-only: the township typed it, and whoever answers at the new address would be given a proof of it."""
    found = await register.devices.register(ADMIN, villages[0], HOST, username="admin", password="secret-1")
    own, device_id = village_admin(villages[0]), found.device.id
    for moved in ({"host": "192.168.1.70"}, {"onvif_port": 8080}, {"host": "192.168.1.70", "username": "root"}):
        with pytest.raises(HubError) as caught:
            await register.devices.change(own, device_id, **moved)
        assert caught.value.reason == "password_needed"
    unmoved = await register.devices.change(own, device_id, name="村口", host=HOST)
    assert (unmoved.host, unmoved.onvif_port) == (HOST, 80)
    moved_on = await register.devices.change(own, device_id, host="192.168.1.70", password="secret-2")
    assert moved_on.host == "192.168.1.70"


async def test_a_login_for_a_purpose_serves_it_and_the_ordinary_one_the_others(
    register: Register, villages: list[int], describer: FakeDescriber
) -> None:
    found = await register.devices.register(ADMIN, villages[0], HOST, username="admin", password="secret-1")
    device_id = found.device.id
    view = await register.devices.change(ADMIN, device_id, purpose="onvif", username="onvif", password="secret-2")
    assert [(one.purpose, one.username) for one in view.logins] == [("ordinary", "admin"), ("onvif", "onvif")]
    assert "secret" not in repr(view)

    async def names() -> list[tuple[str, str]]:
        logins = [await register.login(device_id, purpose) for purpose in PURPOSES]
        return [(login.username, login.password) for login in logins]

    admin, other = ("admin", "secret-1"), ("onvif", "secret-2")
    assert await names() == [admin, other, admin, admin]
    await register.devices.describe(ADMIN, device_id)
    asked = describer.logins[-1]
    assert asked is not None
    assert (asked.username, asked.password, asked.version) == (*other, 2)
    await register.devices.change(ADMIN, device_id, purpose="onvif", password="secret-3")
    assert (await register.login(device_id, "onvif")).password == "secret-3"
    view = await register.devices.change(ADMIN, device_id, purpose="onvif", username="")
    assert [one.purpose for one in view.logins] == ["ordinary"]
    assert await names() == [admin, admin, admin, admin]
    assert (await register.login(device_id, "onvif")).version == 4


async def test_no_login_for_another_purpose_goes_to_an_address_that_a_village_typed(
    register: Register, villages: list[int]
) -> None:
    found = await register.devices.register(ADMIN, villages[0], HOST, username="admin", password="secret-1")
    await register.devices.change(ADMIN, found.device.id, purpose="onvif", username="onvif", password="secret-2")
    own = village_admin(villages[0])
    view = await register.devices.change(own, found.device.id, host="192.168.1.70", password="secret-9")
    assert [one.purpose for one in view.logins] == ["ordinary"]
    assert (await register.login(found.device.id, "onvif")).password == "secret-9"


@pytest.mark.parametrize("purpose", PURPOSES)
def test_which_login_serves_a_purpose(purpose: Purpose) -> None:
    assert serving(purpose, {}) is None
    assert serving(purpose, {"ordinary": 1}) == 1
    assert serving(purpose, {purpose: 2}) == 2
    assert serving(purpose, {"ordinary": 1, purpose: 2}) == 2
    others: dict[str, int] = {one: 3 for one in PURPOSES if one not in (purpose, "ordinary")}
    assert serving(purpose, others) is None


async def test_cameras_are_listed_by_village_and_their_own_order(
    register: Register, villages: list[int], describer: FakeDescriber
) -> None:
    describer.devices[HOST] = described(channels=3)
    found = await register.devices.register(ADMIN, villages[0], HOST)
    ids = [camera.id for camera in found.cameras]
    await register.cameras.order(ADMIN, [ids[2], ids[0], ids[1]])
    assert [camera.id for camera in await register.cameras.all(OPERATOR)] == [ids[2], ids[0], ids[1]]
    assert await register.cameras.all(village_admin(villages[1])) == []


async def test_favourites_are_one_s_own(register: Register, villages: list[int], database: Database) -> None:
    found = await register.devices.register(ADMIN, villages[0], HOST)
    with pytest.raises(HubError):
        await register.favourites.add(village_admin(villages[1]), found.cameras[0].id)
    assert await register.favourites.all(ADMIN) == []


async def test_villages_are_pasted_once_and_ordered(register: Register, villages: list[int]) -> None:
    await register.villages.add(["石桥村", "单家寨", "单家寨", "董家村"], "village")
    listed = await register.villages.all(ADMIN)
    assert [one.name for one in listed] == ["董家村", "石桥村", "单家寨"]
    assert listed[2].initials == "djz sjz"
    await register.villages.order([listed[2].id])
    assert [one.name for one in await register.villages.all(ADMIN)] == ["单家寨", "董家村", "石桥村"]
    with pytest.raises(HubError) as caught:
        await register.villages.change(villages[0], name="石桥村")
    assert caught.value.reason == "name_taken"
    view = await register.villages.change(villages[0], ranges=["192.168.1.0/24", "10.0.0.5 - 10.0.0.9"])
    assert view.ranges == ("192.168.1.0/24", "10.0.0.5-10.0.0.9")


async def test_only_an_empty_village_is_removed(register: Register, villages: list[int]) -> None:
    await register.devices.register(ADMIN, villages[0], HOST)
    with pytest.raises(HubError) as caught:
        await register.villages.remove(villages[0])
    assert caught.value.reason == "village_not_empty"
    await register.villages.remove(villages[1])
    assert len(await register.villages.all(ADMIN)) == 1


async def test_counts_follow_state_and_health(
    register: Register, villages: list[int], describer: FakeDescriber, database: Database
) -> None:
    describer.devices[HOST] = described(channels=3)
    found = await register.devices.register(village_admin(villages[0]), villages[0], HOST)
    await register.cameras.approve(ADMIN, [found.cameras[0].id, found.cameras[1].id])
    async with database.write() as session:
        row = await session.get_one(Camera, found.cameras[0].id)
        row.health = "fault"
    counts = (await register.villages.all(ADMIN))[0].counts
    assert (counts.total, counts.fault, counts.unknown, counts.waiting) == (2, 1, 1, 1)


async def test_one_village_is_counted_without_the_others(
    register: Register, villages: list[int], describer: FakeDescriber, database: Database
) -> None:
    """Every query over cameras and alarms names the village: else each change in one costs as much as all."""
    await register.devices.register(ADMIN, villages[0], HOST)
    with _statements(database) as statements:
        view = await register.villages.get(ADMIN, villages[0])
    assert view.counts.total == 1
    reading = [one for one in statements if "FROM cameras" in one or "FROM alarms" in one]
    assert len(reading) >= 2
    assert all("village_id IN (SELECT villages.id" in one for one in reading)


async def test_villages_that_change_together_are_read_together(
    register: Register, villages: list[int], database: Database
) -> None:
    """When all links fail at once, every open page gets every village: as many statements as for one."""
    with _statements(database) as of_one:
        await register.villages.some(ADMIN, villages[:1])
    with _statements(database) as of_all:
        found = await register.villages.some(ADMIN, [*villages, 999])
    assert [one.id for one in found] == villages
    assert len(of_all) == len(of_one)
    mine = await register.villages.some(village_admin(villages[0]), villages)
    assert [one.id for one in mine] == villages[:1]


@contextmanager
def _statements(database: Database) -> Iterator[list[str]]:
    """What is sent to the database within the block."""
    statements: list[str] = []

    def keep(_: object, __: object, statement: str, *___: object) -> None:
        statements.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", keep)
    try:
        yield statements
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", keep)


def test_a_described_device_shows_no_secret() -> None:
    assert replace(described(), name="x").name == "x"


async def test_channels_that_a_recorder_does_not_list_stay_and_are_named(
    register: Register, villages: list[int], describer: FakeDescriber
) -> None:
    """A recorder lists only what is on line: 8, then 6, then 8 (case 34)."""
    names = tuple(f"村口 {n}" for n in range(1, 9))
    eight = describer.devices[HOST] = described(channels=8, names=names)
    found = await register.devices.register(ADMIN, villages[0], HOST, 80)
    describer.devices[HOST] = replace(eight, channels=eight.channels[:6])
    fewer = await register.devices.describe(ADMIN, found.device.id)
    assert [(one.id, one.state) for one in fewer.cameras] == [(one.id, "approved") for one in found.cameras]
    assert [(one.kind, one.value) for one in fewer.device.peculiarities] == [("channels_unlisted", "村口 7, 村口 8")]
    describer.devices[HOST] = eight
    again = await register.devices.describe(ADMIN, found.device.id)
    assert again.device.peculiarities == ()
    assert len(again.cameras) == 8


async def test_what_is_peculiar_about_a_device_is_told_to_who_registers_it(
    register: Register, villages: list[int], describer: FakeDescriber
) -> None:
    odd = {"uri_repaired": "rtsp://h:80:554/x → rtsp://h:554/x", "no_clock": "refused"}
    describer.devices[HOST] = replace(described(), peculiarities=odd)
    found = await register.devices.register(ADMIN, villages[0], HOST, 80)
    assert {one.kind: one.value for one in found.device.peculiarities} == odd
