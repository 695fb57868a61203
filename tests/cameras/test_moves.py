"""Devices that move, and what is kept of where their streams are."""

from pathlib import Path

import pytest
from sqlalchemy import select

from camera_hub.access.vault import Vault
from camera_hub.cameras.device_checks import DeviceChecks
from camera_hub.cameras.onvif.client import Onvif
from camera_hub.cameras.peculiarities import Peculiarities
from camera_hub.cameras.register.register import Register
from camera_hub.cameras.streams import stored_urls
from camera_hub.clock import SystemClock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import CameraChanged, DeviceChanged, EventBus
from camera_hub.settings import DiscoverySettings
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, Stream
from tests.cameras.fake_onvif import FakeDevice
from tests.cameras.fakes import ADMIN, FakeVault, OnvifOnly, village_admin
from tests.fakes.clock import ManualClock
from tests.fakes.reach import anywhere, local

HOST = "192.168.1.64"


async def test_a_device_that_a_village_moves_waits_for_approval_of_its_new_place(
    register: Register, villages: list[int], bus: EventBus
) -> None:
    village = village_admin(villages[0])
    found = await register.devices.register(ADMIN, villages[0], HOST)
    device, camera = found.device.id, found.cameras[0].id
    assert (found.cameras[0].state, found.device.approved_place) == ("approved", f"{HOST}:80")
    with bus.subscribe(CameraChanged, DeviceChanged) as told:
        moved = await register.devices.change(village, device, host="192.168.1.70")
        assert isinstance(await told.next(), CameraChanged), "tiles end before feeds follow"
    assert (moved.place, moved.approved_place) == ("192.168.1.70:80", f"{HOST}:80")
    assert moved.moved_at is not None
    assert (await register.cameras.get(ADMIN, camera)).state == "waiting"
    with pytest.raises(HubError) as caught:
        await register.devices.retire(village, device)
    assert caught.value.reason == "approved_cameras"
    with pytest.raises(HubError) as caught:
        await register.cameras.approve(ADMIN, [camera], places={device: f"{HOST}:80"})
    assert (caught.value.kind, caught.value.reason) == (Kind.CONFLICT, Reason.ADDRESS_CHANGED)
    await register.cameras.approve(ADMIN, [camera], places={device: "192.168.1.70:80"})
    after = await register.devices.get(ADMIN, device)
    assert (after.approved_place, after.moved_at) == ("192.168.1.70:80", None)


@pytest.mark.parametrize(("host", "port"), [(None, 8080), ("192.168.1.64", 81), ("192.168.1.71", 81)])
async def test_another_port_is_another_place(
    register: Register, villages: list[int], host: str | None, port: int
) -> None:
    found = await register.devices.register(ADMIN, villages[0], HOST)
    await register.devices.change(village_admin(villages[0]), found.device.id, host=host, onvif_port=port)
    assert (await register.cameras.get(ADMIN, found.cameras[0].id)).state == "waiting"


async def test_what_township_staff_move_stays_in_service(register: Register, villages: list[int]) -> None:
    found = await register.devices.register(ADMIN, villages[0], HOST)
    moved = await register.devices.change(ADMIN, found.device.id, host="10.9.9.9")
    assert moved.approved_place == moved.place == "10.9.9.9:80"
    assert (await register.cameras.get(ADMIN, found.cameras[0].id)).state == "approved"


async def test_a_village_changes_a_login_without_losing_the_approval(register: Register, villages: list[int]) -> None:
    found = await register.devices.register(ADMIN, villages[0], HOST, username="admin", password="secret-1")
    device = found.device.id
    await register.devices.change(village_admin(villages[0]), device, host=HOST, onvif_port=80, password="secret-2")
    assert (await register.cameras.get(ADMIN, found.cameras[0].id)).state == "approved"


async def test_a_village_is_not_told_a_device_s_own_words(
    database: Database, bus: EventBus, clock: ManualClock, villages: list[int], register: Register
) -> None:
    await register.villages.change(villages[0], ranges=["127.0.0.1"])
    settings = DiscoverySettings(onvif_timeout=2.0, host_timeout=0.5)
    async with (
        FakeDevice(auth="none", refused=("GetDeviceInformation",)) as device,
        Onvif(settings, SystemClock(), check=anywhere) as onvif,
    ):
        real = Register(database, bus, clock, FakeVault(), OnvifOnly(onvif), DeviceChecks(database, local))
        said = []
        for actor in (ADMIN, village_admin(villages[0])):
            with pytest.raises(HubError) as caught:
                await real.devices.register(actor, villages[0], "127.0.0.1", device.port)
            said.append((caught.value.reason, caught.value.detail, caught.value.params))
    assert said[1] == (said[0][0], "the device refuses the call", {})


async def test_who_registers_a_device_learns_what_had_to_be_repaired(
    database: Database, bus: EventBus, clock: ManualClock, villages: list[int]
) -> None:
    """Case 28: two ports in the stream's address."""
    known = Peculiarities(database, bus, clock)
    settings = DiscoverySettings(onvif_timeout=2.0, host_timeout=0.5)
    async with (
        FakeDevice(auth="none", stream="rtsp://192.168.1.64:80:554/ch{source}/{role}") as device,
        Onvif(settings, SystemClock(), check=anywhere) as onvif,
    ):
        register = Register(database, bus, clock, FakeVault(), OnvifOnly(onvif), DeviceChecks(database, local), known)
        found = await register.devices.register(ADMIN, villages[0], "127.0.0.1", device.port)
    assert (await known.of(found.device.id))["uri_repaired"] == (
        "rtsp://192.168.1.64:80:554/ch1/main → rtsp://127.0.0.1:554/ch1/main"
    )
    assert found.device.rtsp_port == 554


async def test_a_stream_s_address_is_sealed_and_shown_without_its_login(
    register: Register, villages: list[int], database: Database
) -> None:
    """Case 29: a login in the path."""
    url = "rtsp://192.168.1.9/user=admin_password=tlJwpbo6_channel=1_stream=0.sdp?real_stream"
    found = await register.devices.register_url(ADMIN, villages[0], "水库大坝", url)
    async with database.read() as session:
        (stream,) = (await session.scalars(select(Stream))).all()
    assert stored_urls.kept(stream, FakeVault(), found.device.id) == url
    assert (stream.plain_uri, stream.shown_uri) == ("", "rtsp://192.168.1.9/user…")
    assert [one.address for one in found.device.streams] == ["rtsp://192.168.1.9/user…"]
    assert "tlJwpbo6" not in repr(found)


async def test_addresses_of_earlier_versions_are_sealed_at_start_and_gone_from_the_file(
    register: Register, villages: list[int], database: Database
) -> None:
    vault, secret = Vault(bytes(32)), "tlJwpbo6"
    async with database.write() as session:
        device = Device(village_id=villages[0], host="192.168.1.9", created_at=SystemClock().now())
        session.add(device)
        await session.flush()
        for number in range(3):
            camera = Camera(device_id=device.id, village_id=villages[0], channel=str(number), name="c")
            camera.created_at = SystemClock().now()
            session.add(camera)
            await session.flush()
            session.add(
                Stream(
                    camera_id=camera.id, role="main", source="url", plain_uri=f"rtsp://192.168.1.9/{number}/{secret}"
                )
            )
    assert await stored_urls.seal_plain(database, vault) == 3
    assert await stored_urls.seal_plain(database, vault) == 0
    async with database.read() as session:
        streams = (await session.scalars(select(Stream).order_by(Stream.id))).all()
    kept = [stored_urls.kept(one, vault, device.id) for one in streams]
    assert kept == [f"rtsp://192.168.1.9/{number}/{secret}" for number in range(3)]
    with pytest.raises(HubError) as caught:
        stored_urls.kept(streams[0], vault, device.id + 1)
    assert caught.value.reason == "credential_locked"
    if database.is_sqlite:
        assert database.url.database is not None
        files = [Path(database.url.database), Path(f"{database.url.database}-wal")]
        assert not any(f"1/{secret}".encode() in file.read_bytes() for file in files if file.exists())
