"""What the demo decides by itself: accounts, classes, ranges, what breaks."""

import json
import socket
import stat
from pathlib import Path

import pytest

from camera_hub.access.passwords import weakness
from camera_hub.access.policy import OF_PERSONS, Role
from camera_hub.demo import accounts
from camera_hub.demo.farm import FarmDevice, FarmVillage, read
from camera_hub.demo.run import free_or_any
from camera_hub.demo.township import address_range, place_class
from camera_hub.errors import HubError
from camera_hub.simulator.plan import DEMO_FAULTS, default_farm, demo_faults


def _device(host: str, key: str = "a-1", channels: tuple[str, ...] = ("a-1-1",)) -> FarmDevice:
    return FarmDevice(key, key, host, 8080, "admin", "village-2024", channels)


def test_every_role_has_an_account_whose_password_the_hub_takes() -> None:
    fresh = accounts.fresh()
    assert {account.role for account in fresh} == set(OF_PERSONS)
    assert fresh[0].role == Role.TOWNSHIP_ADMIN
    assert {weakness(account.password, account.username, 10) for account in fresh} == {None}
    assert len({account.password for account in fresh}) == len(fresh)
    assert fresh[0].password not in repr(fresh)


def test_a_folder_is_used_again_with_its_accounts(tmp_path: Path) -> None:
    assert accounts.kept(tmp_path) is None
    kept = accounts.Kept(accounts.fresh(), "127.21")
    accounts.keep(tmp_path, kept)
    assert accounts.kept(tmp_path) == kept
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_folder_of_a_real_hub_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "camera_hub.sqlite3").touch()
    with pytest.raises(HubError) as caught:
        accounts.kept(tmp_path)
    assert caught.value.reason == "not_demo"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("东沟村大桥北", "key_road"),
        ("村口", "entrance"),
        ("小学门口", "school"),
        ("村委会大门", "key_unit"),
        ("文化广场2", "square"),
        ("水库大坝", "water"),
        ("集市", "high_incidence"),
        ("CH 3", "other"),
    ],
)
def test_a_cameras_class_is_read_from_its_name(name: str, kind: str) -> None:
    assert place_class(name) == kind


def test_a_villages_range_runs_from_its_first_address_to_its_last_by_number() -> None:
    village = FarmVillage("东沟村", tuple(_device(f"127.20.1.{last}") for last in (10, 2, 9)))
    assert address_range(village) == "127.20.1.2-127.20.1.10"
    assert village.cameras == 3


def test_the_farm_is_read_and_each_fault_hits_another_village() -> None:
    plan = default_farm(villages=8, cameras=24)
    villages = [
        {
            "name": village.name,
            "devices": [
                {
                    "key": device.key,
                    "name": device.name,
                    "host": "127.20.0.1",
                    "onvif_port": 8080,
                    "username": "admin",
                    "password": "village-2024",
                    "channels": [{"key": channel.key} for channel in device.channels],
                }
                for device in village.devices
            ],
        }
        for village in plan.villages
    ]
    line = {"control": "127.0.0.1:9000", "villages": villages, "demo_faults": demo_faults(plan.villages)}
    farm = read(json.dumps(line).encode())
    assert farm.control == "http://127.0.0.1:9000"
    faults = {fault: (village.name, target) for village, target, fault in farm.faults()}
    assert list(faults) == list(DEMO_FAULTS)
    last = [village.devices[-1] for village in plan.villages]
    assert faults["wrong_password"] == (plan.villages[1].name, last[1].key)
    assert faults["frozen"] == (plan.villages[2].name, last[2].channels[-1].key)
    assert len({name for name, _ in faults.values()}) == len(DEMO_FAULTS)
    assert "village-2024" not in repr(farm)


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_second_demo_takes_other_ports(kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as first:
        first.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            first.listen()
        port = first.getsockname()[1]
        assert free_or_any(port, kind, "127.0.0.1") == 0
        assert free_or_any(port, kind, "127.199.3.7") == port  # an address of nobody else
