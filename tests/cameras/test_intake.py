"""Intake: every way in, once: registered, or one candidate with its reason."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from camera_hub.access.policy import Actor, Role
from camera_hub.access.vault import Vault
from camera_hub.cameras.credentials.profiles import ProfileLogin
from camera_hub.cameras.described import Described, Via
from camera_hub.cameras.intake import candidates
from camera_hub.cameras.intake.candidates import assign, keeps, merged, next_try, one_device
from camera_hub.cameras.intake.inbox import Inbox
from camera_hub.cameras.intake.intake import Intake
from camera_hub.cameras.intake.retries import PER_VILLAGE, CandidateRetries
from camera_hub.cameras.intake.wanted import WantedCamera, WantedDevice
from camera_hub.cameras.register.camera_states import Step, after
from camera_hub.cameras.register.register import Register
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import EventBus
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, IntakeCandidate, User
from tests.cameras.fakes import ADMIN, FakeDescriber, described, village_admin
from tests.fakes.clock import ManualClock

HOST = "192.168.1.64"
REFUSED = HubError(Kind.FORBIDDEN, "the device refuses the password", reason=Reason.WRONG_PASSWORD)


def contractor(village_id: int, user_id: int = 9) -> Actor:
    return Actor(user_id, "builder", "施工队", Role.CONTRACTOR, frozenset({village_id}))


@pytest.fixture
async def users(database: Database, clock: ManualClock) -> None:
    """Rows for the actors of these tests: candidates name who added them."""
    async with database.write() as session:
        for number, role in ((1, "township_admin"), (3, "village_admin"), (9, "contractor")):
            user = User(id=number, username=f"user{number}", display_name="某人", role=role)
            user.all_villages, user.password_hash, user.created_at = role == "township_admin", "", clock.now()
            session.add(user)


@pytest.fixture
def intake(database: Database, bus: EventBus, clock: ManualClock, register: Register, users: None) -> Intake:
    return Intake(database, bus, clock, Vault(b"k" * 32), register.devices)


async def rows(database: Database) -> tuple[int, int]:
    """How many devices and candidates there are."""
    async with database.read() as session:
        return (
            await session.scalar(select(func.count()).select_from(Device)) or 0,
            await session.scalar(select(func.count()).select_from(IntakeCandidate)) or 0,
        )


@pytest.mark.parametrize(
    ("state", "step", "then"),
    [
        ("waiting", "approve", "approved"),
        ("returned", "approve", "approved"),
        ("retired", "approve", "approved"),
        ("approved", "approve", "approved"),
        ("waiting", "return", "returned"),
        ("returned", "return", "returned"),
        ("found", "return", "returned"),
        ("approved", "return", None),
        ("retired", "return", None),
        ("returned", "submit", "waiting"),
        ("waiting", "submit", "waiting"),
        ("approved", "submit", "approved"),
        ("retired", "submit", None),
        ("returned", "retire", "retired"),
        ("approved", "move", "waiting"),
        ("returned", "move", "returned"),
        ("retired", "move", "retired"),
    ],
)
def test_the_states_of_a_camera(state: str, step: Step, then: str | None) -> None:
    assert after(state, step) == then


WANTED = WantedDevice(1, HOST, 80)
STREAM = WantedDevice(1, HOST, main_url=f"rtsp://{HOST}/1")


@pytest.mark.parametrize(
    ("known", "wanted", "same"),
    [
        (WANTED, WANTED, True),
        (WANTED, replace(WANTED, port=None), True),
        (WANTED, replace(WANTED, port=8000), False),
        (WANTED, replace(WANTED, village_id=2), False),
        (WANTED, replace(WANTED, host="192.168.1.65"), False),
        (replace(WANTED, endpoint="urn:uuid:A"), WantedDevice(1, "192.168.1.65", 80, endpoint="a"), True),
        (replace(WANTED, port=None, rtsp_port=1554), replace(WANTED, port=None, rtsp_port=2554), False),
        (STREAM, STREAM, True),
        (STREAM, replace(STREAM, main_url=f"rtsp://{HOST}:554/1"), True),
        (STREAM, replace(STREAM, main_url=f"rtsp://{HOST}/2"), False),
        (STREAM, WANTED, False),
    ],
)
def test_which_wanted_devices_are_one(known: WantedDevice, wanted: WantedDevice, same: bool) -> None:
    assert one_device(known, wanted) is same
    assert one_device(wanted, known) is same


def test_what_is_wanted_again_keeps_what_it_leaves_open() -> None:
    known = replace(
        WANTED,
        username="admin",
        password="old",
        name="门卫",
        cameras=(WantedCamera(1, "东门", "school", {"pole": "7"}), WantedCamera(2, "西门")),
    )
    again = replace(WANTED, port=None, cameras=(WantedCamera(1, "大门", "school", {"height": "4"}),))
    found = merged(known, again)
    assert (found.port, found.username, found.password, found.name) == (80, "admin", "old", "门卫")
    assert found.cameras == (WantedCamera(1, "大门", "school", {"pole": "7", "height": "4"}), WantedCamera(2, "西门"))
    assert merged(known, replace(again, username="root", password="new")).password == "new"


def test_a_wanted_camera_finds_its_channel() -> None:
    one = assign([1, 2, 5], [WantedCamera(5, "五"), WantedCamera(7, "七"), WantedCamera(1, "一")])
    assert {number: camera.name for number, camera in one.found.items()} == {5: "五", 1: "一"}
    assert (one.missing, one.ambiguous) == ((7,), False)
    assert assign([1], [WantedCamera(None, "唯一")]).found[1].name == "唯一"
    assert assign([1, 2], [WantedCamera(None, "哪个")]).ambiguous


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (HubError(Kind.UNREACHABLE, "", reason=Reason.UNREACHABLE), True),
        (REFUSED, True),
        (HubError(Kind.INVALID, "", reason=Reason.NO_RANGES), True),
        (HubError(Kind.CONFLICT, "", reason=Reason.DUPLICATE), True),
        (HubError(Kind.INVALID, "", reason="bad_host"), False),
        (HubError(Kind.NOT_FOUND, "no village"), False),
        (HubError(Kind.UNAVAILABLE, "", reason=Reason.DATABASE_AWAY), False),
        (HubError(Kind.BUSY, "", reason=Reason.BUSY), False),
    ],
)
def test_which_failures_are_kept(error: HubError, kept: bool) -> None:
    assert keeps(error) is kept


def test_only_what_was_not_reached_is_tried_again_by_itself_and_ever_less_often(clock: ManualClock) -> None:
    now = clock.now()
    for reason in (Reason.WRONG_PASSWORD, Reason.LOCKED_OUT, Reason.LOGIN_PAUSED, Reason.ONVIF_OFF, Reason.DUPLICATE):
        assert next_try(reason, 1, now, now) is None
    pauses = [next_try(Reason.UNREACHABLE, attempts, now, now) for attempts in (1, 2, 3, 9, 1000)]
    assert [(at - now) / timedelta(minutes=1) for at in pauses if at is not None] == [10, 20, 40, 360, 360]
    assert next_try(Reason.TIMED_OUT, 99, now - timedelta(days=14), now) is None


async def test_what_can_be_described_is_registered_as_it_is_wanted(
    intake: Intake, villages: list[int], describer: FakeDescriber, register: Register
) -> None:
    describer.devices[HOST] = described(channels=4)
    cameras = (WantedCamera(2, "桥头", "water"), WantedCamera(9, "不存在"))
    wanted = WantedDevice(villages[0], HOST, username="admin", password="secret-1", name="机房录像机", cameras=cameras)
    found = await intake.add(ADMIN, wanted)
    assert (found.reason, found.params) == (Reason.CHANNELS_MISSING, {"channels": "9", "found": 4})
    assert found.device_id is not None
    one = await register.devices.registered(ADMIN, found.device_id)
    assert one.device.name == "机房录像机"
    named = {camera.id: camera for camera in one.cameras}[found.camera_ids[2]]
    assert (named.name, named.place_class, named.initials, named.state) == ("桥头", "water", "qt", "approved")
    assert [camera.name for camera in one.cameras] == ["通道 1", "桥头", "通道 3", "通道 4"]


async def test_what_cannot_be_described_waits_with_its_login_sealed_and_is_registered_later(
    intake: Intake, villages: list[int], describer: FakeDescriber, database: Database, register: Register
) -> None:
    actor = village_admin(villages[0])
    host = "192.168.1.70"
    wanted = WantedDevice(
        villages[0],
        host,
        username="admin",
        password="secret-1",
        name="学校摄像机",
        cameras=(WantedCamera(1, "校门", "school"),),
        source="sheet",
    )
    found = await intake.add(actor, wanted)
    assert (found.device_id, found.reason) == (None, Reason.UNREACHABLE)
    assert found.candidate_id is not None
    async with database.read() as session:
        row = await session.get_one(IntakeCandidate, found.candidate_id)
    assert row.sealed is not None
    assert b"secret-1" not in row.sealed
    assert "secret-1" not in repr(wanted)
    assert (row.on_behalf, row.added_by_name) == (False, "村管理员")
    assert row.shown_url == ""  # it has no stream address: pages show its own, and let it be corrected
    # A search finds the device while it waits: what the sheet said of it is not lost.
    describer.devices[host] = described(host, serial="SN7")
    registered = await intake.register(actor, WantedDevice(villages[0], host, 80, source="search"))
    (camera,) = registered.cameras
    assert registered.device.name == "学校摄像机"
    assert (camera.name, camera.place_class, camera.state) == ("校门", "school", "waiting")
    assert await rows(database) == (1, 0)


async def test_a_candidate_is_tried_with_its_login_and_only_the_township_s_own_is_approved_at_once(
    intake: Intake, villages: list[int], describer: FakeDescriber, register: Register
) -> None:
    states = []
    for number, (adds, host) in enumerate(((village_admin(villages[0]), "192.168.1.71"), (ADMIN, "192.168.1.72"))):
        wanted = WantedDevice(villages[0], host, username="admin", password="secret-1")
        candidate = (await intake.add(adds, wanted)).candidate_id
        assert candidate is not None
        describer.devices[host] = described(host, serial=f"SN100{number}", mac=f"02:00:00:00:00:1{number}")
        found = await intake.try_again(ADMIN, candidate)
        assert found.device_id is not None
        login = describer.logins[-1]
        assert login is not None
        assert (login.username, login.password) == ("admin", "secret-1")
        one = await register.devices.registered(ADMIN, found.device_id)
        states.append([camera.state for camera in one.cameras])
    assert states == [["waiting"], ["approved"]]


@pytest.mark.parametrize("reachable", [True, False])
async def test_however_often_and_by_whomever_at_once_it_is_in_once(
    intake: Intake, villages: list[int], describer: FakeDescriber, database: Database, reachable: bool
) -> None:
    host = HOST if reachable else "192.168.1.99"
    village = villages[0]
    wishes = [
        (village_admin(village), WantedDevice(village, host, 80, source="search")),
        (village_admin(village), WantedDevice(village, host, 80, source="search")),
        (ADMIN, WantedDevice(village, host, source="address")),
        (ADMIN, WantedDevice(village, host, cameras=(WantedCamera(1, "村口大桥"),), source="sheet")),
    ]
    found = await asyncio.gather(*(intake.add(actor, wanted) for actor, wanted in wishes))
    assert await rows(database) == ((1, 0) if reachable else (0, 1))
    assert len({(one.device_id, one.candidate_id) for one in found}) == 1
    if reachable:
        assert sum(one.reason is None for one in found) == 1
        assert {one.reason for one in found} == {None, Reason.DUPLICATE}
    else:
        async with database.read() as session:
            row = (await session.scalars(select(IntakeCandidate))).one()
        assert (row.attempts, [one["name"] for one in row.cameras]) == (4, ["村口大桥"])


async def test_a_failure_that_comes_after_the_registration_makes_no_candidate(
    intake: Intake, villages: list[int], describer: FakeDescriber, database: Database
) -> None:
    first = await intake.add(ADMIN, WantedDevice(villages[0], HOST, 80))
    del describer.devices[HOST]
    second = await intake.add(ADMIN, WantedDevice(villages[0], HOST, 80, username="admin", password="wrong"))
    assert (second.device_id, second.reason) == (first.device_id, Reason.DUPLICATE)
    assert await rows(database) == (1, 0)


@pytest.mark.parametrize("via", ["onvif", "hikvision", "catalogue"])
@pytest.mark.parametrize("named", [True, False])
async def test_a_wrong_login_for_a_registered_device_makes_no_candidate(
    intake: Intake, villages: list[int], describer: FakeDescriber, database: Database, via: Via, named: bool
) -> None:
    port = None if via == "catalogue" else 80
    describer.devices[HOST] = replace(described(), via=via, port=port)
    first = await intake.add(ADMIN, WantedDevice(villages[0], HOST, port or 554))
    del describer.devices[HOST]
    again = WantedDevice(villages[0], HOST, port or 554) if named else WantedDevice(villages[0], HOST)
    second = await intake.add(ADMIN, replace(again, username="admin", password="wrong"))
    assert (second.device_id, second.reason) == (first.device_id, Reason.DUPLICATE)
    assert second.params["why"] == "named"
    assert await rows(database) == (1, 0)


async def test_without_a_port_a_router_with_several_devices_is_none_of_them(
    intake: Intake, villages: list[int], describer: FakeDescriber, database: Database
) -> None:
    for number in (1, 2):
        serial, mac = f"SN300{number}", f"02:00:00:00:00:2{number}"
        describer.devices[HOST] = described(serial=serial, mac=mac, port=8100 + number)
        await intake.add(ADMIN, WantedDevice(villages[0], HOST, 8100 + number))
    del describer.devices[HOST]
    await intake.add(ADMIN, WantedDevice(villages[0], HOST))
    await intake.add(ADMIN, WantedDevice(villages[0], HOST, 8103))
    assert await rows(database) == (2, 1)


async def test_one_that_speaks_rtsp_alone_waits_once_whatever_found_it(
    intake: Intake, villages: list[int], database: Database
) -> None:
    host, village = "192.168.1.99", villages[0]
    for wanted in (
        WantedDevice(village, host, 554, source="search"),
        WantedDevice(village, host, 80),
        WantedDevice(village, host, rtsp_port=554, source="sheet"),
    ):
        await intake.add(ADMIN, wanted)
    assert await rows(database) == (0, 1)
    async with database.read() as session:
        row = (await session.scalars(select(IntakeCandidate))).one()
    assert (row.port, row.rtsp_port) == (80, 554)


async def test_a_sheet_names_what_waits_and_leaves_alone_what_is_approved(
    intake: Intake, villages: list[int], register: Register
) -> None:
    village = villages[0]
    first = await intake.add(village_admin(village), WantedDevice(village, HOST, 80))
    sheet = WantedDevice(village, HOST, 80, cameras=(WantedCamera(1, "表上的名字", "square"),), source="sheet")
    again = await intake.add(village_admin(village), sheet)
    assert (again.device_id, list(again.camera_ids)) == (first.device_id, [1])
    (camera,) = await register.cameras.approve(ADMIN, list(again.camera_ids.values()))
    assert (camera.name, camera.place_class) == ("表上的名字", "square")
    await intake.add(ADMIN, replace(sheet, cameras=(WantedCamera(1, "别的名字"),)))
    assert (await register.cameras.get(ADMIN, camera.id)).name == "表上的名字"


async def test_a_device_of_another_village_is_a_candidate_that_does_not_say_whose(
    intake: Intake, villages: list[int], describer: FakeDescriber, database: Database
) -> None:
    await intake.add(ADMIN, WantedDevice(villages[0], HOST, 80, name="别村的"))
    describer.devices["10.0.0.9"] = described("10.0.0.9")
    found = await intake.add(village_admin(villages[1]), WantedDevice(villages[1], "10.0.0.9", 80))
    assert (found.device_id, found.reason, found.params) == (
        None,
        Reason.DUPLICATE,
        {"why": "other_village", "other_village": True},
    )
    (seen,) = (await Inbox(database).of(village_admin(villages[1]), villages[1])).candidates
    assert "别村的" not in repr(seen)
    assert (seen.host, seen.shown_url) == ("10.0.0.9", "")  # its address is shown, and no stream's


async def test_a_changed_candidate_keeps_its_password_from_others_devices(
    intake: Intake, villages: list[int], database: Database
) -> None:
    village = villages[0]
    wanted = WantedDevice(village, "192.168.1.80", username="admin", password="secret-1")
    candidate = (await intake.add(ADMIN, wanted)).candidate_id
    other = (await intake.add(ADMIN, replace(wanted, host="192.168.1.81"))).candidate_id
    assert candidate is not None
    assert other != candidate
    with pytest.raises(HubError) as caught:
        await intake.change(village_admin(village), candidate, host="192.168.1.82")
    assert caught.value.reason == "password_needed"
    shared = (await intake.add(ADMIN, WantedDevice(village, "192.168.1.83", profile_id=7))).candidate_id
    assert shared is not None
    with pytest.raises(HubError) as caught:
        await intake.change(village_admin(village), shared, host="192.168.1.84", password="typed")
    assert caught.value.reason == "password_needed"
    await intake.change(village_admin(village), shared, host="192.168.1.84", username="admin", password="typed")
    await intake.dismiss(ADMIN, shared)
    with pytest.raises(HubError) as caught:
        await intake.change(ADMIN, candidate, host="192.168.1.81")
    assert (caught.value.reason, caught.value.params["candidate"]) == (Reason.DUPLICATE, other)
    await intake.change(village_admin(village), candidate, host="192.168.1.82", password="typed-again")
    async with database.read() as session:
        row = await session.get_one(IntakeCandidate, candidate)
    assert (row.host, row.on_behalf, row.next_try_at) == ("192.168.1.82", False, None)
    with pytest.raises(HubError) as caught:
        await intake.change(village_admin(villages[1]), candidate, name="别人的")
    assert caught.value.kind is Kind.NOT_FOUND
    await intake.dismiss(village_admin(village), candidate)
    assert (await rows(database))[1] == 1


async def test_a_candidate_that_is_dismissed_or_changed_while_it_is_tried_stays_so(
    intake: Intake, villages: list[int], database: Database, describer: FakeDescriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = WantedDevice(villages[0], "192.168.1.80", username="admin", password="typo")
    candidate = (await intake.add(ADMIN, wanted)).candidate_id
    assert candidate is not None
    meanwhile: list[Awaitable[None]] = []
    describe = describer.describe

    async def slow(*given: Any, **more: Any) -> Described:
        await meanwhile.pop()
        return await describe(*given, **more)

    monkeypatch.setattr(describer, "describe", slow)
    changes: list[dict[str, Any]] = [{"password": "right"}, {"host": "192.168.1.81"}, {"name": "西门"}]
    for change in changes:
        meanwhile.append(intake.change(ADMIN, candidate, **change))
        assert (await intake.try_again(ADMIN, candidate)).candidate_id == candidate
    async with database.read() as session:
        row = (await session.scalars(select(IntakeCandidate))).one()
    kept = candidates.openable(row, Vault(b"k" * 32))
    assert (kept.host, kept.password, kept.name) == ("192.168.1.81", "right", "西门")
    assert row.attempts == 2  # nothing was tried with the login and at the address that it has now, but for the name
    meanwhile.append(intake.dismiss(ADMIN, candidate))
    assert (await intake.try_again(ADMIN, candidate)).candidate_id is None
    assert await rows(database) == (0, 0)


async def test_an_inbox_is_bounded(
    intake: Intake, villages: list[int], monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    monkeypatch.setattr(candidates, "MAX_PER_VILLAGE", 2)
    for number in (1, 2):
        await intake.add(ADMIN, WantedDevice(villages[0], f"192.168.1.20{number}"))
    with pytest.raises(HubError) as caught:
        await intake.add(ADMIN, WantedDevice(villages[0], "192.168.1.203"))
    assert caught.value.reason == "inbox_full"
    await intake.add(ADMIN, WantedDevice(villages[0], "192.168.1.201"))  # one that waits already is no further one
    assert await rows(database) == (0, 2)


async def test_retries_are_few_and_have_the_rights_of_who_added_them(
    intake: Intake, villages: list[int], database: Database, clock: ManualClock, describer: FakeDescriber
) -> None:
    for number in range(PER_VILLAGE + 2):
        await intake.add(ADMIN, WantedDevice(villages[0], f"192.168.1.{200 + number}"))
    await intake.add(contractor(villages[1]), WantedDevice(villages[1], "10.0.0.7"))  # whose grant has ended since
    retries = CandidateRetries(database, clock, intake)
    assert await retries.try_due() == 0
    clock.move(601)
    describer.devices["192.168.1.200"] = described("192.168.1.200", serial="SN3")
    before = len(describer.logins)
    assert await retries.try_due() == PER_VILLAGE
    assert len(describer.logins) - before == PER_VILLAGE
    assert await rows(database) == (1, PER_VILLAGE + 2)
    async with database.read() as session:
        orphan = (await session.scalars(select(IntakeCandidate).where(IntakeCandidate.host == "10.0.0.7"))).one()
        camera = (await session.scalars(select(Camera))).one()
    assert orphan.next_try_at is None
    assert (camera.state, camera.on_behalf_by) == ("approved", "某人")


class NoProfiles:
    async def login(self, actor: Actor, profile_id: int) -> ProfileLogin:
        raise HubError(Kind.NOT_FOUND, "there is no such login profile")


async def test_what_cannot_be_tried_keeps_nobody_waiting(
    intake: Intake,
    villages: list[int],
    database: Database,
    bus: EventBus,
    register: Register,
    clock: ManualClock,
    describer: FakeDescriber,
) -> None:
    village = villages[0]
    await intake.add(ADMIN, WantedDevice(villages[1], HOST, 80))
    elsewhere = [f"10.0.0.{number}" for number in range(PER_VILLAGE)]
    for host in elsewhere:
        await intake.add(ADMIN, WantedDevice(village, host))
        describer.devices[host] = described(host)  # it turns out to be the other village's
    for number in range(PER_VILLAGE):
        await intake.add(ADMIN, WantedDevice(village, f"192.168.1.{200 + number}", profile_id=7))
    later = Intake(database, bus, clock, Vault(b"k" * 32), register.devices, NoProfiles())
    retries = CandidateRetries(database, clock, later)
    clock.move(601)
    for _ in range(3):
        await retries.try_due()
    async with database.read() as session:
        found = list(await session.scalars(select(IntakeCandidate).order_by(IntakeCandidate.id)))
    assert [one.reason for one in found[:PER_VILLAGE]] == [Reason.DUPLICATE] * PER_VILLAGE
    assert {one.next_try_at for one in found[:PER_VILLAGE]} == {None}
    assert all(one.next_try_at is not None and one.next_try_at > clock.now() for one in found[PER_VILLAGE:])


async def test_returned_with_a_note_corrected_and_submitted_again(
    intake: Intake, villages: list[int], register: Register, database: Database
) -> None:
    village = villages[0]
    (camera,) = (await intake.register(village_admin(village), WantedDevice(village, HOST, 80))).cameras
    await register.returns.send_back(ADMIN, [camera.id], "画面太暗，请调整")
    inbox = Inbox(database)
    (device,) = (await inbox.of(village_admin(village), village)).devices
    (seen,) = device.cameras
    assert (seen.state, seen.returned_note, seen.returned_by) == ("returned", "画面太暗，请调整", "管理员")
    assert (await inbox.counts(ADMIN))[0].returned == 1
    await register.cameras.change(village_admin(village), camera.id, name="村口")
    await register.returns.submit(village_admin(village), [camera.id])
    await register.returns.submit(village_admin(village), [camera.id])
    (approved,) = await register.cameras.approve(ADMIN, [camera.id], "entrance")
    assert (approved.state, approved.name) == ("approved", "村口")
    with pytest.raises(HubError) as caught:
        await register.returns.send_back(ADMIN, [camera.id], "太晚了")
    assert (caught.value.kind, caught.value.reason) == (Kind.CONFLICT, Reason.NOT_WAITING)
    with pytest.raises(HubError) as caught:
        await register.returns.send_back(village_admin(villages[1]), [camera.id], "别村的")
    assert caught.value.kind is Kind.NOT_FOUND


async def test_what_the_township_does_for_a_village_is_marked(
    intake: Intake, villages: list[int], register: Register, database: Database
) -> None:
    village = villages[0]
    (camera,) = (await intake.register(village_admin(village), WantedDevice(village, HOST, 80))).cameras

    async def marks() -> tuple[str, str]:
        async with database.read() as session:
            row = await session.get_one(Camera, camera.id)
            return row.on_behalf_by, (await session.get_one(Device, row.device_id)).on_behalf_by

    assert await marks() == ("", "")
    await register.cameras.change(village_admin(village), camera.id, name="村口")
    await register.cameras.approve(ADMIN, [camera.id])
    assert await marks() == ("", "")
    await register.cameras.change(ADMIN, camera.id, place_class="school")
    assert await marks() == ("管理员", "")
    await register.devices.change(ADMIN, camera.device_id, name="校门")
    assert await marks() == ("管理员", "管理员")


async def test_a_contractor_has_to_do_with_what_waits_only(
    intake: Intake, villages: list[int], register: Register, database: Database, clock: ManualClock
) -> None:
    village = villages[0]
    builder, other = contractor(village), contractor(village, 10)
    (camera,) = (await intake.register(builder, WantedDevice(village, HOST, 80))).cameras
    async with database.write() as session:
        (await session.get_one(Camera, camera.id)).picture_at = clock.now()
    inbox = Inbox(database)
    seen = [(await inbox.of(actor, village)).devices[0].cameras[0].picture_at for actor in (builder, other)]
    assert seen[0] is not None
    assert seen[1] is None
    await inbox.require_picture(builder, camera.id)
    await register.cameras.change(other, camera.id, name="村口")
    await register.cameras.approve(ADMIN, [camera.id])
    for work in (
        register.cameras.change(builder, camera.id, name="改名"),
        register.cameras.prove(builder, camera.id),
        register.returns.submit(builder, [camera.id]),
        register.devices.change(builder, camera.device_id, name="改名"),
        inbox.require_picture(builder, camera.id),
    ):
        with pytest.raises(HubError) as caught:
            await work
        assert caught.value.kind is Kind.NOT_FOUND
    assert (await inbox.of(builder, village)).devices == []
