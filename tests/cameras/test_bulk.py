"""Bulk changes: subnets by preview and identity, and the same values for many cameras."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.access.policy import Actor
from camera_hub.cameras.bulk.camera_changes import CameraChanges
from camera_hub.cameras.bulk.subnets import SubnetChanges, moved_host, subnet
from camera_hub.cameras.described import Identity
from camera_hub.cameras.device_checks import DeviceChecks
from camera_hub.cameras.jobs import Jobs, JobView
from camera_hub.cameras.reach import Check
from camera_hub.cameras.register.register import Register
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import EventBus, JobChanged
from camera_hub.store.database import Database
from tests.cameras.fakes import ADMIN, FakeDescriber, described, village_admin
from tests.fakes.clock import ManualClock
from tests.fakes.reach import local

HOSTS = [f"192.168.1.{number}" for number in (64, 65, 66, 67)]
BEFORE, AFTER = "192.168.1.x", "10.0.0.0/24"


@dataclass
class FakeIdentities:
    """Who answers where without a login, or what error."""

    who: dict[str, Identity | HubError] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def identity(
        self, host: str, port: int, path: str, *, known_endpoint: str = "", check: Check | None = None
    ) -> Identity:
        assert check is not None
        check(host, port)
        self.asked.append(host)
        found = self.who.get(host) or HubError(Kind.UNREACHABLE, "no answer", reason=Reason.UNREACHABLE)
        if isinstance(found, HubError):
            raise found
        return found


@dataclass
class FakeFiles:
    """Saves what it is told, and refuses one camera."""

    refused: int = 0
    saved: list[tuple[list[int], dict[str, str], str | None]] = field(default_factory=list)

    async def save(
        self, actor: Actor, ids: Sequence[int], values: Mapping[str, str], place_class: str | None = None
    ) -> list[object]:
        if self.refused in ids:
            raise HubError(Kind.INVALID, "no", reason="value_phone")
        self.saved.append((list(ids), dict(values), place_class))
        return []


@dataclass
class Site:
    village: int
    devices: list[int]
    cameras: list[int]
    bus: EventBus
    register: Register
    jobs: Jobs
    identities: FakeIdentities
    files: FakeFiles
    subnets: SubnetChanges
    changes: CameraChanges

    async def over(self, view: JobView) -> dict[str, str | None]:
        with self.bus.subscribe(JobChanged) as told:
            async with asyncio.timeout(60):
                while (now := self.jobs.get(ADMIN, view.id)).state == "running":
                    await told.next()
        assert now.done == now.total
        return {one.key: one.reason for one in now.verdicts}

    async def hosts(self) -> list[str]:
        return [(await self.register.devices.get(ADMIN, one)).host for one in self.devices]


def told(number: int) -> Identity:
    return Identity("Virtual", "VC-1", "1.0", f"SERIAL{number}", f"02:00:00:00:00:{number:02}", "")


@pytest.fixture
async def site(
    database: Database,
    bus: EventBus,
    clock: ManualClock,
    describer: FakeDescriber,
    register: Register,
    villages: list[int],
) -> AsyncIterator[Site]:
    devices, cameras = [], []
    for number, host in enumerate(HOSTS):
        describer.devices[host] = described(host, serial=f"SERIAL{number}", mac=f"02:00:00:00:00:{number:02}")
        done = await register.devices.register(ADMIN, villages[0], host, username="admin", password="x")
        devices.append(done.device.id)
        cameras += [one.id for one in done.cameras]
    identities, files = FakeIdentities(), FakeFiles()
    async with Jobs(clock, bus) as jobs:
        subnets = SubnetChanges(database, DeviceChecks(database, local), identities, register.devices, jobs)
        changes = CameraChanges(database, files, jobs)
        yield Site(villages[0], devices, cameras, bus, register, jobs, identities, files, subnets, changes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.168.1.0/24", "192.168.1.0/24"),
        (" 192.168.1.x ", "192.168.1.0/24"),
        ("192.168.1.*", "192.168.1.0/24"),
        ("192.168.1", "192.168.1.0/24"),
        ("192.168.1.77/25", "192.168.1.0/25"),
        ("fd00::/64", "fd00::/64"),
        ("192.168.1.5", None),
        ("192.168.x", None),
        ("", None),
        ("a/b", None),
        ("1.2.3.4/99", None),
    ],
)
def test_how_people_write_a_subnet(text: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(HubError) as refused:
            subnet(text)
        assert refused.value.reason == "bad_subnet"
    else:
        assert str(subnet(text)) == expected


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(8, 30), st.integers(0, 2**32 - 1))
def test_the_host_part_stays(before: int, after: int, length: int, host: int) -> None:
    old, new = (ip_network(f"{ip_address(one)}/{length}", strict=False) for one in (before, after))
    inside = old.network_address + host % old.num_addresses
    moved = moved_host(str(inside), old, new)
    assert moved is not None
    assert ip_address(moved) in new
    assert moved_host(moved, new, old) == str(inside)
    assert (int(ip_address(moved)) ^ int(inside)) % old.num_addresses == 0
    assert moved_host("camera.example", old, new) is None
    assert moved_host("fd00::1", old, new) is None


async def test_only_the_known_device_is_moved(site: Site) -> None:
    """Another one, one that says nothing of itself, and none at all: their devices stay where they are."""
    site.identities.who = {"10.0.0.64": told(0), "10.0.0.65": told(9), "10.0.0.66": Identity("", "", "", "", "", "")}
    preview = await site.subnets.preview(ADMIN, site.devices, BEFORE, AFTER)
    assert [one.new_host for one in preview] == [f"10.0.0.{number}" for number in (64, 65, 66, 67)]
    assert site.identities.asked == []
    found = await site.over(await site.subnets.start(ADMIN, site.devices, BEFORE, AFTER, unknown_too=False))
    assert [found[str(one)] for one in site.devices] == [
        None,
        Reason.IDENTITY_CHANGED,
        "identity_unknown",
        Reason.UNREACHABLE,
    ]
    assert await site.hosts() == ["10.0.0.64", *HOSTS[1:]]
    found = await site.over(await site.subnets.start(ADMIN, site.devices[1:], BEFORE, AFTER, unknown_too=True))
    assert [found[str(one)] for one in site.devices[1:]] == [Reason.IDENTITY_CHANGED, None, Reason.UNREACHABLE]
    assert await site.hosts() == ["10.0.0.64", HOSTS[1], "10.0.0.66", HOSTS[3]]


async def test_what_a_preview_says_no_to(site: Site, describer: FakeDescriber) -> None:
    describer.devices["10.0.0.65"] = described("10.0.0.65", serial="OTHER", mac="02:00:00:00:00:77")
    other = await site.register.devices.register(ADMIN, site.village, "10.0.0.65")
    await site.register.devices.retire(ADMIN, site.devices[2])
    preview = await site.subnets.preview(ADMIN, [*site.devices[:3], other.device.id], BEFORE, AFTER)
    assert [(one.new_host, one.reason) for one in preview] == [
        ("10.0.0.64", None),
        (None, "address_taken"),
        (None, "retired"),
        (None, "not_in_subnet"),
    ]
    for after, reason in (("10.0.0.0/25", "subnets_differ"), ("fd00::/64", "subnets_differ"), ("?", "bad_subnet")):
        with pytest.raises(HubError) as refused:
            await site.subnets.preview(ADMIN, site.devices, BEFORE, after)
        assert refused.value.reason == reason


async def test_a_village_moves_no_device_with_its_password_out_of_its_ranges_or_unseen(site: Site) -> None:
    own = village_admin(site.village)
    site.identities.who = {"10.0.0.64": told(0), "10.9.0.64": told(0)}
    found = await site.over(await site.subnets.start(own, site.devices[:1], BEFORE, "10.9.0.x", unknown_too=True))
    assert list(found.values()) == [Reason.ADDRESS_REFUSED]
    assert site.identities.asked == []
    found = await site.over(await site.subnets.start(own, site.devices[:1], BEFORE, AFTER, unknown_too=True))
    assert list(found.values()) == ["password_needed"]
    assert await site.hosts() == HOSTS


async def test_many_cameras_get_the_same_values_with_a_verdict_each(site: Site) -> None:
    site.files.refused = site.cameras[1]
    values = {"maintainer_unit": "县广电", "maintainer_phone": "0551-62345678"}
    found = await site.over(await site.changes.start(ADMIN, site.cameras, "school", values))
    assert [found[str(one)] for one in site.cameras] == [None, "value_phone", None, None]
    assert sorted(site.files.saved) == [([one], values, "school") for one in site.cameras if one != site.files.refused]
    for place, given_values, reason in (
        (None, {}, "nothing_to_change"),
        (None, {"maintainer_phone": "?"}, "value_phone"),
    ):
        with pytest.raises(HubError) as refused:
            await site.changes.start(ADMIN, site.cameras, place, given_values)
        assert refused.value.reason == reason
