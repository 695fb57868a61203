"""Login profiles, and new logins for many devices: who gets which, what is asked, and what stays as it was."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from camera_hub.access.policy import Actor, Role
from camera_hub.cameras.bulk.login_changes import LoginChanges
from camera_hub.cameras.credentials import logins
from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.profiles import LoginProfiles, ProfileUse, ProfileView
from camera_hub.cameras.credentials.purposes import PURPOSES, Purpose
from camera_hub.cameras.jobs import Jobs, JobView
from camera_hub.cameras.register.register import Register
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import DeviceChanged, EventBus, JobChanged
from camera_hub.store.database import Database
from camera_hub.store.tables import Device, StoredLogin
from tests.cameras.fakes import ADMIN, FakeDescriber, FakeVault, described, village_admin
from tests.fakes.clock import ManualClock

HOSTS = [f"192.168.1.{number}" for number in range(64, 68)]
OLD, NEW = "old-Pw1!", "new-Pw2!"


@dataclass
class FakeAsker:
    """Devices by host: their password, or the error that they answer with. Counts what each is asked."""

    passwords: dict[str, str | HubError] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    answers: bool = True

    async def ask(self, device: Device, login: DeviceLogin, purpose: Purpose) -> bool:
        self.asked.append((device.host, login.username, login.password))
        self.begun.set()
        await self.gate.wait()
        password = self.passwords[device.host]
        if isinstance(password, HubError):
            raise password
        if login.password != password:
            raise HubError(Kind.UNAUTHENTICATED, "refused", reason=Reason.WRONG_PASSWORD, tries_left=5)
        return self.answers


@dataclass
class Site:
    """Four devices of the first village, with one password."""

    village: int
    other: int
    devices: list[int]
    database: Database
    bus: EventBus
    register: Register
    asker: FakeAsker
    jobs: Jobs
    profiles: LoginProfiles
    changes: LoginChanges

    async def over(self, view: JobView) -> JobView:
        self.asker.gate.set()
        with self.bus.subscribe(JobChanged) as told:
            async with asyncio.timeout(60):
                while (now := self.jobs.get(ADMIN, view.id)).state == "running":
                    await told.next()
        return now

    async def logins(self, purpose: Purpose = "ordinary") -> list[tuple[str, str]]:
        found = [await self.register.login(one, purpose) for one in self.devices]
        return [(one.username, one.password) for one in found]

    async def profile(self, actor: Actor = ADMIN, password: str = OLD, *purposes: Purpose) -> ProfileView:
        return await self.profiles.add(actor, self.village, "董家村统一", purposes or ("ordinary",), "admin", password)

    async def assigned(self) -> ProfileView:
        """A profile that all devices have."""
        profile = await self.profile()
        await self.over(await self.changes.assign(ADMIN, profile.id, self.devices))
        self.asker.asked.clear()
        return await self.profiles.get(ADMIN, profile.id)


@pytest.fixture
async def site(
    database: Database,
    bus: EventBus,
    clock: ManualClock,
    describer: FakeDescriber,
    register: Register,
    villages: list[int],
) -> AsyncIterator[Site]:
    devices = []
    for number, host in enumerate(HOSTS):
        describer.devices[host] = described(host, serial=f"S{number}", mac=f"02:00:00:00:00:{number:02}")
        done = await register.devices.register(ADMIN, villages[0], host, username="admin", password=OLD)
        devices.append(done.device.id)
    asker = FakeAsker(dict.fromkeys(HOSTS, OLD))
    vault = FakeVault()
    async with Jobs(clock, bus) as jobs:
        profiles = LoginProfiles(database, clock, vault)
        changes = LoginChanges(database, bus, clock, vault, asker, jobs, profiles)
        yield Site(villages[0], villages[1], devices, database, bus, register, asker, jobs, profiles, changes)


def states(profile: ProfileView) -> list[tuple[str, str | None]]:
    order: Callable[[ProfileUse], int] = lambda use: use.device_id  # noqa: E731
    return [(use.state, use.reason) for use in sorted(profile.uses, key=order)]


async def test_a_profile_goes_to_those_that_accept_it(site: Site) -> None:
    site.asker.passwords[HOSTS[1]] = "another"
    site.asker.passwords[HOSTS[2]] = HubError(Kind.UNREACHABLE, "no answer", reason=Reason.UNREACHABLE)
    profile = await site.profile()
    view = await site.over(await site.changes.assign(ADMIN, profile.id, site.devices))
    found = {one.key: one.reason for one in view.verdicts}
    assert [found[str(one)] for one in site.devices] == [None, Reason.WRONG_PASSWORD, Reason.UNREACHABLE, None]
    profile = await site.profiles.get(ADMIN, profile.id)
    assert {use.device_id for use in profile.uses} == {site.devices[0], site.devices[3]}
    assert len(site.asker.asked) == 4  # each once


async def test_a_changed_profile_is_tried_once_at_each_and_refused_ones_keep_the_old_login(site: Site) -> None:
    profile = await site.assigned()
    site.asker.passwords |= {HOSTS[0]: NEW, HOSTS[3]: NEW}
    site.asker.passwords[HOSTS[2]] = HubError(Kind.TIMEOUT, "silent", reason=Reason.TIMED_OUT)
    assert await site.profiles.change(ADMIN, profile.id, password=NEW)
    with site.bus.subscribe(DeviceChanged) as told:
        view = await site.over(await site.changes.follow(ADMIN, profile.id))
        changed = await told.batch()
    assert (view.total, view.done, view.failed) == (4, 4, 2)
    assert await site.logins() == [("admin", one) for one in (NEW, OLD, OLD, NEW)]
    assert sorted(site.asker.asked) == sorted((host, "admin", NEW) for host in HOSTS)
    assert all(isinstance(one, DeviceChanged) and one.credentials for one in changed)
    assert len(changed) == 2
    profile = await site.profiles.get(ADMIN, profile.id)
    assert states(profile) == [
        ("accepted", None),
        ("refused", Reason.WRONG_PASSWORD),
        ("untried", Reason.TIMED_OUT),
        ("accepted", None),
    ]
    # Once their passwords are changed, too, only those that are behind are asked again.
    site.asker.asked.clear()
    site.asker.passwords |= {HOSTS[1]: NEW, HOSTS[2]: NEW}
    view = await site.over(await site.changes.follow(ADMIN, profile.id))
    assert (view.total, view.failed) == (2, 0)
    assert await site.logins() == [("admin", NEW)] * 4


async def test_cancel_leaves_nothing_half_set(site: Site) -> None:
    profile = await site.assigned()
    site.asker.passwords = dict.fromkeys(HOSTS, NEW)
    site.asker.gate.clear()
    site.asker.begun.clear()
    await site.profiles.change(ADMIN, profile.id, password=NEW)
    job = await site.changes.follow(ADMIN, profile.id)
    await site.asker.begun.wait()
    stopping = asyncio.create_task(site.jobs.cancel(ADMIN, job.id))
    await asyncio.sleep(0)
    site.asker.gate.set()
    view = await stopping
    assert view.state == "cancelled"
    done = {int(one.key) for one in view.verdicts if one.ok}
    profile = await site.profiles.get(ADMIN, profile.id)
    for use in profile.uses:
        login = await site.register.login(use.device_id, "ordinary")
        accepted = use.device_id in done
        assert (use.state, login.password) == (("accepted", NEW) if accepted else ("untried", OLD))


async def test_a_profile_that_is_changed_again_overtakes_the_first_change(site: Site) -> None:
    profile = await site.assigned()
    site.asker.gate.clear()
    site.asker.begun.clear()
    await site.profiles.change(ADMIN, profile.id, password=NEW)
    first = await site.changes.follow(ADMIN, profile.id)
    await site.asker.begun.wait()
    site.asker.passwords = dict.fromkeys(HOSTS, "third")
    await site.profiles.change(ADMIN, profile.id, password="third")
    second = await site.changes.follow(ADMIN, profile.id)
    await site.over(first)
    view = await site.over(second)
    assert view.failed == 0
    assert await site.logins() == [("admin", "third")] * 4


async def test_a_device_that_is_changed_while_it_is_asked_keeps_what_it_was_given(site: Site) -> None:
    site.asker.passwords = dict.fromkeys(HOSTS, NEW)
    job = await site.changes.change(ADMIN, site.devices[:1], "ordinary", None, NEW)
    await site.asker.begun.wait()
    await site.register.devices.change(ADMIN, site.devices[0], password="by hand")
    view = await site.over(job)
    assert [one.reason for one in view.verdicts] == [Reason.BUSY]
    assert (await site.logins())[0] == ("admin", "by hand")


async def test_a_login_of_its_own_takes_a_device_out_of_the_profile(site: Site) -> None:
    profile = await site.assigned()
    await site.register.devices.change(ADMIN, site.devices[0], password="own")
    await site.profiles.release(ADMIN, profile.id, [site.devices[1]])
    profile = await site.profiles.get(ADMIN, profile.id)
    assert {use.device_id for use in profile.uses} == set(site.devices[2:])
    assert await site.logins() == [("admin", one) for one in ("own", OLD, OLD, OLD)]


async def test_many_devices_get_a_login_of_their_own(site: Site) -> None:
    """Each keeps its user name where none is given; those of a village are found by the name that they have."""
    await site.register.devices.change(ADMIN, site.devices[3], username="viewer", password=OLD)
    site.asker.passwords = dict.fromkeys(HOSTS, NEW)
    job = await site.changes.change_named(ADMIN, site.village, "admin", "ordinary", None, NEW)
    view = await site.over(job)
    assert (view.total, view.failed) == (3, 0)
    assert await site.logins() == [("admin", NEW)] * 3 + [("viewer", OLD)]
    view = await site.over(await site.changes.change(ADMIN, site.devices[3:], "onvif", "onvif-user", NEW))
    assert view.failed == 0
    assert (await site.logins("onvif"))[3] == ("onvif-user", NEW)
    assert (await site.logins())[3] == ("viewer", OLD)
    with pytest.raises(HubError) as none:
        await site.changes.change_named(ADMIN, site.village, "nobody", "ordinary", None, NEW)
    assert none.value.reason == "no_such_username"


async def test_what_cannot_be_asked_is_stored_and_said_to_be_unproved(site: Site) -> None:
    site.asker.answers, site.asker.passwords = False, dict.fromkeys(HOSTS, NEW)
    view = await site.over(await site.changes.change(ADMIN, site.devices, "rtsp", "r", NEW))
    assert {(one.ok, one.reason) for one in view.verdicts} == {(True, "login_unproved")}
    async with site.database.read() as session:
        rows = (await session.scalars(select(StoredLogin).where(StoredLogin.purpose == "rtsp"))).all()
    assert len(rows) == 4


async def test_a_used_profile_is_not_deleted_and_its_devices_are_named(site: Site) -> None:
    profile = await site.assigned()
    with pytest.raises(HubError) as refused:
        await site.profiles.delete(ADMIN, profile.id)
    assert (refused.value.kind, refused.value.reason) == (Kind.CONFLICT, "profile_in_use")
    assert refused.value.params["count"] >= 1
    assert "村口" in refused.value.params["names"]
    with pytest.raises(HubError) as refused:
        await site.profiles.change(ADMIN, profile.id, purposes=["onvif"])
    assert refused.value.reason == "profile_in_use"
    for device in site.devices[:2]:
        await site.register.devices.retire(ADMIN, device)  # a retired one does not hold it back
    await site.profiles.release(ADMIN, profile.id, site.devices[2:])
    await site.profiles.delete(ADMIN, profile.id)
    assert await site.profiles.all(ADMIN) == []
    assert await site.logins() == [("admin", OLD)] * 4


async def test_who_made_it_and_whose_it_is(site: Site) -> None:
    """The township's is marked as on behalf; another village's is not there; names are unique within a village."""
    by_township = await site.profile()
    own, other = village_admin(site.village), village_admin(site.other)
    assert (by_township.on_behalf, by_township.changed_name) == (True, "管理员")
    by_village = await site.profiles.add(own, site.village, "村", ["onvif"], "u", "p")
    assert not by_village.on_behalf
    assert {one.id for one in await site.profiles.all(own)} == {by_township.id, by_village.id}
    assert await site.profiles.all(other) == []
    with pytest.raises(HubError) as taken:
        await site.profiles.add(own, site.village, "村", ["onvif"], "u", "p")
    assert taken.value.reason == "profile_name_taken"
    for asked in (
        site.profiles.get(other, by_village.id),
        site.profiles.change(other, by_village.id, name="x"),
        site.profiles.delete(other, by_village.id),
        site.profiles.release(other, by_village.id, site.devices),
        site.changes.follow(other, by_village.id),
        site.changes.assign(other, by_village.id, site.devices),
        site.changes.change(other, site.devices, "ordinary", None, NEW),
        site.changes.change_named(other, site.village, "admin", "ordinary", None, NEW),
        site.profiles.all(other, site.village),
        site.profiles.add(other, site.village, "x", ["onvif"], "u", "p"),
    ):
        with pytest.raises(HubError) as hidden:
            await asked
        assert hidden.value.kind is Kind.NOT_FOUND
    assert site.asker.asked == []


async def test_a_village_sends_no_password_of_the_township_to_a_device_of_its_own(
    site: Site, describer: FakeDescriber
) -> None:
    """Else it could read that password: by putting a device of its own into its village."""
    own = village_admin(site.village)
    trap = "192.168.1.200"
    describer.devices[trap] = described(trap, serial="T", mac="02:00:00:00:00:99")
    done = await site.register.devices.register(own, site.village, trap, username="a", password="b")
    site.asker.passwords[trap] = OLD
    profile = await site.profile()
    view = await site.over(await site.changes.assign(own, profile.id, [site.devices[0], done.device.id]))
    found = {one.key: one.reason for one in view.verdicts}
    assert found == {str(site.devices[0]): None, str(done.device.id): "place_not_approved"}
    assert trap not in {host for host, _, _ in site.asker.asked}
    await site.profiles.change(own, profile.id, password=OLD)  # typed by the village: theirs to send
    view = await site.over(await site.changes.assign(own, profile.id, [done.device.id]))
    assert view.failed == 0


async def test_of_another_village_no_device_gets_it(site: Site, describer: FakeDescriber) -> None:
    describer.devices["10.0.0.9"] = described("10.0.0.9", serial="T", mac="02:00:00:00:00:98")
    done = await site.register.devices.register(ADMIN, site.other, "10.0.0.9")
    profile = await site.profile()
    with pytest.raises(HubError) as refused:
        await site.changes.assign(ADMIN, profile.id, [done.device.id])
    assert refused.value.reason == "profile_other_village"


async def test_which_login_serves_a_purpose(site: Site, clock: ManualClock) -> None:
    """credentials.purposes, checked against every combination of own logins and profiles of one device."""
    device, vault = site.devices[0], FakeVault()
    kinds = ("none", "own", "profile")
    profile = await site.profile()
    for ordinary in kinds:
        for special in kinds:
            for purpose in PURPOSES[1:]:
                async with site.database.write() as session:
                    row = await session.get_one(Device, device)
                    given: list[tuple[Purpose, str]] = [("ordinary", ordinary), (purpose, special)]
                    for name, kind in given:
                        await logins.change_login(session, vault, row, name, username="")
                        await session.flush()
                        if kind == "none":
                            continue
                        await logins.change_login(session, vault, row, name, username=f"{kind} {name}", password="x")
                        await session.flush()
                        if kind == "profile":
                            stored = await session.get_one(StoredLogin, (device, name))
                            stored.profile_id, stored.profile_version = profile.id, 1
                expected = next(
                    (f"{kind} {name}" for name, kind in ((purpose, special), ("ordinary", ordinary)) if kind != "none"),
                    "",
                )
                assert (await site.register.login(device, purpose)).username == expected
                async with site.database.write() as session:
                    row = await session.get_one(Device, device)
                    await logins.change_login(session, vault, row, purpose, username="")


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.LEADER])
async def test_no_view_or_repr_holds_a_password(site: Site, role: Role) -> None:
    profile = await site.assigned()
    opened = await site.profiles.login(ADMIN, profile.id)
    assert opened.password == OLD
    for text in (repr(opened), repr(profile), str(profile)):
        assert OLD not in text
