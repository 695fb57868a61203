"""Devices that may be one, have moved, or were exchanged: a person is asked, and nothing happens before the answer."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import select

from camera_hub.access.policy import Actor
from camera_hub.cameras.credentials.login_budget import LoginBudget
from camera_hub.cameras.described import Identity
from camera_hub.cameras.device_checks import DeviceChecks
from camera_hub.cameras.matches.matches import Matches
from camera_hub.cameras.matches.proof import MoveProof, PictureFit, TrialStream
from camera_hub.cameras.matches.questions import MOST_OPEN_PER_DEVICE
from camera_hub.cameras.matches.taking_over import TakingOver
from camera_hub.cameras.matches.trust import AGAIN_SECONDS, ASK_SECONDS, KNOWN_SECONDS, DeviceTrust
from camera_hub.cameras.matches.views import MatchView
from camera_hub.cameras.matches.watch import REST_SECONDS, MoveWatch
from camera_hub.cameras.onvif.client import Onvif
from camera_hub.cameras.peculiarities import Peculiarities
from camera_hub.cameras.reach import Check
from camera_hub.cameras.register.register import Register
from camera_hub.clock import Clock, SystemClock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import DeviceMissed, DeviceSeen, EventBus, MatchChanged, StrangerFound
from camera_hub.settings import DiscoverySettings
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, DeviceMatch, User
from tests.cameras.fake_onvif import FakeDevice
from tests.cameras.fakes import ADMIN, FakeDescriber, FakeVault, OnvifOnly, described, village_admin
from tests.fakes.clock import ManualClock
from tests.fakes.databases import at_rest
from tests.fakes.reach import anywhere, local

HOST, NEW = "192.168.1.64", "192.168.1.70"
EPR = "urn:uuid:4f1a0000-0000-1000-8000-020000000001"
WHOLE = described(HOST, endpoint=EPR)


@dataclass
class FakeAsker:
    """Who is where, without a login; where nobody is nothing answers."""

    there: dict[str, Identity] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    patience: list[float | None] = field(default_factory=list)
    more: asyncio.Event = field(default_factory=asyncio.Event)
    fails: Reason = Reason.UNREACHABLE

    async def identity(
        self,
        host: str,
        port: int,
        path: str,
        *,
        known_endpoint: str = "",
        timeout: float | None = None,
        check: Check | None = None,
    ) -> Identity:
        if check is not None:
            check(host, port)
        self.asked.append(host)
        self.patience.append(timeout)
        self.more.set()
        if host not in self.there:
            raise HubError(Kind.UNREACHABLE, "nobody answers", reason=self.fails)
        return self.there[host]


@dataclass
class FakePictures:
    """Gives the degree that it is told."""

    alike: float | None = 95.0
    reason: str | None = None
    clock: Clock = field(default_factory=ManualClock)
    streams: list[TrialStream] = field(default_factory=list)

    async def of_stream(self, match_id: int, stream: TrialStream, camera_id: int) -> PictureFit:
        self.streams.append(stream)
        return PictureFit(self.alike, None if self.reason else self.clock.now(), self.reason)

    async def of_cameras(self, camera_id: int, other_id: int) -> float | None:
        return self.alike

    async def of_match(self, match_id: int) -> bytes | None:
        return b"\xff\xd8"


@dataclass
class Town:
    """All parts over one database."""

    register: Register
    describer: FakeDescriber
    asker: FakeAsker
    pictures: FakePictures
    matches: Matches
    watch: MoveWatch
    trust: DeviceTrust
    database: Database
    bus: EventBus

    async def open(self, actor: Actor = ADMIN) -> list[MatchView]:
        return await self.matches.all(actor)

    async def device(self, device_id: int) -> Device:
        async with self.database.read() as session:
            return await session.get_one(Device, device_id)

    async def seen(self, host: str = NEW, kind: str = "hello", endpoint: str = EPR, port: int = 80) -> None:
        await self.watch.look(DeviceSeen(kind, host, port, "/onvif/device_service", endpoint))

    async def moved(self) -> int:
        """The question about a device that said Hello elsewhere and is gone from its place."""
        self.asker.there = {NEW: Identity(endpoint=EPR)}
        self.describer.devices = {NEW: replace(WHOLE, host=NEW)}
        await self.seen()
        (match,) = await self.open()
        return match.id


@pytest.fixture
async def town(
    register: Register, describer: FakeDescriber, database: Database, bus: EventBus, clock: ManualClock
) -> Town:
    asker, pictures = FakeAsker(), FakePictures(clock=clock)
    checks = DeviceChecks(database, local)
    trust = DeviceTrust(database, bus, clock, asker, checks, Peculiarities(database, bus, clock))
    proof = MoveProof(describer, pictures)
    matches = Matches(database, bus, clock, TakingOver(FakeVault(), clock), checks, proof, trust)
    watch = MoveWatch(database, bus, clock, asker, checks)
    describer.devices[HOST] = WHOLE
    async with database.write() as session:
        for number in (1, 3):
            user = User(id=number, username=f"u{number}", display_name="王主任", role="township_admin")
            user.password_hash, user.created_at = "-", clock.now()
            session.add(user)
    return Town(register, describer, asker, pictures, matches, watch, trust, database, bus)


async def known(town: Town, village: int, username: str = "", password: str = "") -> int:
    registered = await town.register.devices.register(ADMIN, village, HOST, username=username, password=password)
    return registered.device.id


@pytest.mark.parametrize("shared", ["serial", "mac", "both"])
async def test_units_that_share_marks_are_all_registered_and_a_person_is_asked_once(
    town: Town, villages: list[int], shared: str
) -> None:
    """Some makers ship one serial number or one MAC for all units."""
    for number in range(1, 7):
        host = f"192.168.1.{number}"
        serial = "SN2024" if shared != "mac" else f"SN2024-{number}"
        mac = "02:00:00:00:00:07" if shared != "serial" else f"02:00:00:00:01:0{number}"
        endpoint = f"urn:uuid:4f1a0000-0000-1000-8000-02000000000{number}" if shared == "both" else ""
        town.describer.devices[host] = described(host, serial=serial, mac=mac, endpoint=endpoint)
        await town.register.devices.register(ADMIN, villages[number % 2], host)
    assert len(await town.register.devices.all(ADMIN)) == 6
    asked = await town.open()
    assert [(one.kind, one.state) for one in asked][:1] == [("may_be_same", "open")]
    # With the second unit the question is raised; from the third on the mark is known to be shared.
    assert {one.other.device_id for one in asked if one.agree} == {min(one.other.device_id or 0 for one in asked)}


async def test_all_alike_units_that_both_show_pictures_are_registered_and_asked_about(
    town: Town, villages: list[int]
) -> None:
    device = await known(town, villages[0])
    town.describer.devices[NEW] = replace(WHOLE, host=NEW)
    with pytest.raises(HubError) as caught:  # it is the same one as far as anybody can tell
        await town.register.devices.register(ADMIN, villages[0], NEW)
    assert caught.value.reason == Reason.DUPLICATE
    async with town.database.write() as session:
        for camera in await session.scalars(select(Camera)):
            camera.health = "ok"
    with town.bus.subscribe(MatchChanged) as told:
        other = (await town.register.devices.register(ADMIN, villages[1], NEW)).device.id
        assert await told.next() == MatchChanged(1, villages[0], villages[1])
    (match,) = await town.open()
    assert (match.known.device_id, match.other.device_id, match.known.online) == (device, other, True)
    assert set(match.agree) == {"serial", "mac", "endpoint"}
    assert await town.open(village_admin(villages[1])) == [], "it would tell of another village"
    await town.matches.reject(ADMIN, match.id)
    assert await town.open() == []
    assert len(await town.register.devices.all(ADMIN)) == 2, "nothing is merged"
    with pytest.raises(HubError) as caught:
        await town.matches.reject(ADMIN, match.id)
    assert caught.value.reason == Reason.DECIDED_ALREADY


async def test_two_rows_become_one_by_a_person_s_word(town: Town, villages: list[int]) -> None:
    device = await known(town, villages[0], username="admin", password="old-1")
    town.describer.devices[NEW] = described(NEW, mac="", endpoint="")
    found = await town.register.devices.register(ADMIN, villages[0], NEW, username="admin", password="new-1")
    (match,) = await town.open()
    assert (match.agree, match.other.place) == (("serial",), f"{NEW}:80")
    assert (await town.matches.accept(ADMIN, match.id)).alike is None, "there are no pictures yet"
    async with town.database.write() as session:
        for camera in await session.scalars(select(Camera)):
            camera.picture_at = ManualClock().now()
    town.pictures.alike = 20.0
    asked = await town.matches.accept(ADMIN, match.id)
    assert (asked.state, asked.reason, asked.alike) == ("open", Reason.PICTURES_DIFFER, 20.0)
    done = await town.matches.accept(ADMIN, match.id, pictures_seen=True)
    assert done.state == "accepted"
    row = await town.device(device)
    assert (row.host, row.retired_at, row.approved_place) == (NEW, None, f"{NEW}:80")
    assert (await town.device(found.device.id)).retired_at is not None
    assert (await town.register.login(device, "onvif")).password == "new-1"
    assert [one.device_id for one in await town.register.cameras.all(ADMIN)] == [device]


async def test_a_device_that_says_hello_elsewhere_is_proposed_and_moved_by_a_person(
    town: Town, villages: list[int]
) -> None:
    device = await known(town, villages[0], username="admin", password="secret-1")
    number = await town.moved()
    before = await town.device(device)
    assert before.host == HOST, "nothing happens before somebody says so"
    (match,) = await town.open()
    assert (match.kind, match.source, match.known.place, match.other.place) == (
        "moved",
        "hello",
        f"{HOST}:80",
        f"{NEW}:80",
    )
    done = await town.matches.accept(ADMIN, number)
    assert (done.state, done.decided_by) == ("accepted", "王主任")
    after = await town.device(device)
    assert (after.host, after.approved_place) == (NEW, f"{NEW}:80")
    assert after.credentials_version > before.credentials_version
    login = town.describer.logins[-1]
    assert login is not None
    assert (login.username, login.device_id) == ("admin", None), "tried as a stranger's, at a place of its own"
    (stream,) = town.pictures.streams
    assert [one.kind for one in stream.spec.source.peculiarities] == ["digest_offered"], "Basic is never answered"  # type: ignore[union-attr]
    (camera,) = await town.register.cameras.all(ADMIN)
    assert (camera.state, camera.proving) == ("approved", True)


async def test_another_device_at_the_new_address_changes_nothing(town: Town, villages: list[int]) -> None:
    device = await known(town, villages[0], username="admin", password="secret-1")
    number = await town.moved()
    town.describer.devices[NEW] = described(NEW, serial="SN-OTHER-1", mac="02:00:00:00:00:99", endpoint=EPR)
    with town.bus.subscribe(MatchChanged) as told:
        with pytest.raises(HubError) as caught:
            await town.matches.accept(ADMIN, number, pictures_seen=True)
        assert isinstance(await told.next(), MatchChanged)
    assert (caught.value.kind, caught.value.reason) == (Kind.CONFLICT, Reason.IDENTITY_CHANGED)
    assert caught.value.params["differs"] == ["mac", "serial"]
    assert (await town.device(device)).host == HOST
    assert town.pictures.streams == []
    (match,) = await town.open()
    assert match.reason == Reason.IDENTITY_CHANGED


async def test_channels_must_fit_too(town: Town, villages: list[int]) -> None:
    await known(town, villages[0])
    number = await town.moved()
    channel = replace(WHOLE.channels[0], token="another")
    town.describer.devices[NEW] = replace(WHOLE, host=NEW, channels=(channel,))
    with pytest.raises(HubError) as caught:
        await town.matches.accept(ADMIN, number)
    assert caught.value.params["differs"] == ["channels"]


@pytest.mark.parametrize(("alike", "reason"), [(10.0, None), (None, None), (None, "no_media")])
async def test_pictures_that_do_not_fit_are_looked_at_by_a_person(
    town: Town, villages: list[int], alike: float | None, reason: str | None
) -> None:
    device = await known(town, villages[0])
    number = await town.moved()
    town.pictures.alike, town.pictures.reason = alike, reason
    if reason is not None:
        with pytest.raises(HubError) as caught:
            await town.matches.accept(ADMIN, number, pictures_seen=True)
        assert caught.value.reason == reason
        assert (await town.device(device)).host == HOST, "nobody has seen a picture"
        return
    asked = await town.matches.accept(ADMIN, number, pictures_seen=True)
    assert (asked.state, asked.reason) == ("open", Reason.PICTURES_DIFFER), "it could not have been seen before"
    assert asked.other.picture_at is not None
    assert (await town.matches.accept(ADMIN, number)).state == "open"
    assert (await town.matches.accept(ADMIN, number, pictures_seen=True)).state == "accepted"
    assert (await town.device(device)).host == NEW


async def test_a_village_types_the_password_and_waits_for_approval(town: Town, villages: list[int]) -> None:
    device = await known(town, villages[0], username="admin", password="secret-1")
    number, village = await town.moved(), village_admin(villages[0])
    with pytest.raises(HubError) as caught:
        await town.matches.accept(village, number)
    assert caught.value.reason == "password_needed"
    with pytest.raises(HubError):
        await town.matches.accept(village_admin(villages[1]), number, password="secret-1")
    await town.matches.accept(village, number, password="secret-2")
    login = town.describer.logins[-1]
    assert login is not None
    assert login.password == "secret-2", "not the stored one, which it could make the hub send to its own device"
    assert (await town.register.cameras.all(ADMIN))[0].state == "waiting"
    shown = await town.register.devices.get(ADMIN, device)
    assert (shown.approved_place, shown.place) == (f"{HOST}:80", f"{NEW}:80")


async def test_an_address_outside_the_ranges_is_not_asked_for_a_village(town: Town, villages: list[int]) -> None:
    await known(town, villages[0])
    town.asker.there = {"10.9.9.9": Identity(endpoint=EPR)}
    await town.seen("10.9.9.9")
    assert town.asker.asked == [], "a forged Hello makes the hub call nobody outside its networks"
    await town.seen("10.9.9.9", kind="found", port=8080)
    (match,) = await town.open()
    with pytest.raises(HubError) as caught:
        await town.matches.accept(village_admin(villages[0]), match.id)
    assert caught.value.reason == Reason.ADDRESS_REFUSED


@pytest.mark.parametrize(
    ("there", "figure"),
    [
        ({}, "unconfirmed"),
        ({NEW: Identity(endpoint="urn:uuid:another-one-1")}, "unconfirmed"),
        ({NEW: Identity(endpoint=EPR, serial="SN-OTHER-1")}, "unconfirmed"),
        ({NEW: Identity(endpoint=EPR), HOST: Identity(endpoint=EPR)}, "elsewhere_too"),
        ({NEW: Identity(endpoint=EPR), HOST: Identity()}, "elsewhere_too"),
        ({NEW: Identity(endpoint=EPR), HOST: Identity(endpoint="urn:uuid:another-one-1")}, "asked"),
        ({NEW: Identity()}, "asked"),  # it tells nothing without a login: the proof will
    ],
)
async def test_nothing_of_an_announcement_is_believed(
    town: Town, villages: list[int], there: Mapping[str, Identity], figure: str
) -> None:
    await known(town, villages[0])
    town.asker.there = dict(there)
    await town.seen()
    assert getattr(town.watch.figures, figure) == 1
    assert len(await town.open()) == (figure == "asked")


async def test_announcements_are_followed_within_bounds(town: Town, villages: list[int], clock: ManualClock) -> None:
    device = await known(town, villages[0])
    await town.seen(endpoint="urn:uuid:nobody-knows-it")
    assert (town.watch.figures.unknown, town.asker.asked) == (1, [])
    with town.bus.subscribe(DeviceMissed) as told:
        for _ in range(3):
            await town.seen(HOST, kind="bye")
        await town.seen("192.168.1.99", kind="bye")  # whose word is it?
        assert await told.next() == DeviceMissed(device)
    assert town.watch.figures.missed == 1
    await town.seen(HOST)  # restarted
    await town.seen()
    await town.seen()
    assert town.watch.figures.rested == 1
    clock.move(REST_SECONDS)
    town.asker.there = {f"192.168.1.{number}": Identity(endpoint=EPR) for number in range(100, 130)}
    for host in town.asker.there:
        await town.seen(host)
    assert len(await town.open()) == 1, "it can only have moved to one place: the last one counts"
    async with town.database.read() as session:
        assert len((await session.scalars(select(DeviceMatch))).all()) <= 30
    assert MOST_OPEN_PER_DEVICE < 30


async def test_a_rejected_move_is_not_asked_again(town: Town, villages: list[int], clock: ManualClock) -> None:
    await known(town, villages[0])
    number = await town.moved()
    await town.matches.reject(ADMIN, number)
    clock.move(REST_SECONDS)
    await town.seen()
    assert await town.open() == []


async def test_a_stranger_at_a_known_address_gets_no_login_until_somebody_says_so(
    town: Town, villages: list[int], clock: ManualClock
) -> None:
    device = await known(town, villages[0], username="admin", password="secret-1")
    town.asker.there = {HOST: Identity(endpoint=EPR)}
    await town.trust.clear(device)
    await town.trust.clear(device)
    assert town.asker.asked == [HOST], "asked once, while nothing was noticed"
    town.asker.there = {}
    clock.move(KNOWN_SECONDS)
    await town.trust.clear(device)  # nobody answers while it is exchanged
    town.asker.there = {HOST: Identity("Other", "X-9", "", "SN-OTHER-1", "02:00:00:00:00:99", "urn:uuid:other-1")}
    for _ in range(2):
        with pytest.raises(HubError) as caught:
            await town.trust.clear(device)
        assert caught.value.reason == Reason.IDENTITY_CHANGED
    assert (await town.device(device)).distrusted_at is not None
    check = await DeviceChecks(town.database, local).of_device(device)
    with pytest.raises(HubError):
        check(HOST, 554)  # addresses with a login in their path are not asked for either
    (match,) = await town.open()
    assert (match.kind, match.other.serial, match.other.name) == ("changed", "SN-OTHER-1", "Other X-9")
    town.describer.devices[HOST] = described(HOST, serial="SN-OTHER-1", mac="02:00:00:00:00:99", model="X-9")
    await town.matches.accept(ADMIN, match.id)
    row = await town.device(device)
    assert (row.distrusted_at, row.serial, row.model) == (None, "SN-OTHER-1", "X-9")
    town.asker.there[HOST] = replace(town.asker.there[HOST], endpoint="")
    await town.trust.clear(device)


async def test_a_stranger_in_place_of_a_device_with_onvif_off_gets_no_login(
    town: Town, villages: list[int], clock: ManualClock
) -> None:
    town.describer.devices[HOST] = replace(WHOLE, via="hikvision")
    device = await known(town, villages[0], username="admin", password="secret-1")
    town.asker.fails = Reason.ONVIF_OFF
    await town.trust.clear(device)
    await town.trust.clear(device)
    assert town.asker.asked == [HOST], "it answers, and cannot tell"
    town.asker.there = {HOST: Identity(endpoint="urn:uuid:other-1")}
    clock.move(KNOWN_SECONDS)
    with pytest.raises(HubError) as caught:
        await town.trust.clear(device)
    assert caught.value.reason == Reason.IDENTITY_CHANGED
    (match,) = await town.open()
    assert (match.kind, match.other.place) == ("changed", f"{HOST}:80")


async def test_the_known_device_comes_back_to_its_address(town: Town, villages: list[int], clock: ManualClock) -> None:
    device = await known(town, villages[0])
    town.asker.there = {HOST: Identity(serial="SN-OTHER-1")}
    async with town.trust:
        with pytest.raises(HubError):
            await town.trust.clear(device)
        (match,) = await town.open()
        town.asker.there = {HOST: Identity(endpoint=EPR)}
        with town.bus.subscribe(MatchChanged) as told:
            await clock.advance(60)
            await told.next()
        await town.trust.clear(device)
    assert (await town.matches.get(ADMIN, match.id)).state == "gone"


async def test_who_clicks_does_not_wait_for_what_was_answered_long_ago(
    town: Town, villages: list[int], clock: ManualClock
) -> None:
    device = await known(town, villages[0])
    town.asker.there = {HOST: Identity(endpoint=EPR)}
    async with town.trust:
        await town.trust.clear(device)
        town.asker.more.clear()
        await clock.advance(KNOWN_SECONDS - 60)
        await town.asker.more.wait()  # in the background
        await at_rest(town.database)
        clock.move(100)
        asked = len(town.asker.asked)
        await town.trust.clear(device)
        assert len(town.asker.asked) == asked


async def test_a_device_that_does_not_tell_is_waited_for_shortly(town: Town, villages: list[int]) -> None:
    device = await known(town, villages[0])
    for _ in range(3):
        await town.trust.clear(device)
    assert town.asker.patience == [ASK_SECONDS, AGAIN_SECONDS, AGAIN_SECONDS]


async def test_an_endpoint_alone_is_asked_about_once(town: Town, villages: list[int]) -> None:
    """Some firmware makes a new one at each start."""
    device = await known(town, villages[0])
    town.asker.there = {HOST: Identity(endpoint="urn:uuid:made-anew-1")}
    with pytest.raises(HubError):
        await town.trust.clear(device)
    (match,) = await town.open()
    await town.matches.accept(ADMIN, match.id)
    assert (await town.device(device)).serial == "SN20240001", "it is the same device"
    town.asker.there = {HOST: Identity(endpoint="urn:uuid:made-anew-2")}
    town.trust.doubt(device)
    await town.trust.clear(device)


async def test_what_describing_finds_is_distrusted_too_and_a_rejected_stranger_stays_so(
    town: Town, villages: list[int]
) -> None:
    device = await known(town, villages[0], username="admin", password="secret-1")
    town.describer.devices[HOST] = described(HOST, serial="SN-OTHER-1")
    async with town.trust:
        with town.bus.subscribe(StrangerFound, MatchChanged) as told:
            with pytest.raises(HubError):
                await town.register.devices.describe(ADMIN, device)
            assert isinstance(await told.next(), StrangerFound)
            assert isinstance(await told.next(), MatchChanged)
        with pytest.raises(HubError):
            await town.trust.clear(device)
    (match,) = await town.open()
    await town.matches.reject(ADMIN, match.id)
    again = DeviceTrust(
        town.database, town.bus, ManualClock(), town.asker, DeviceChecks(town.database, local), NoKinds()
    )
    async with again:  # after a restart
        with pytest.raises(HubError):
            await again.clear(device)
    assert (await town.matches.accept(ADMIN, match.id)).state == "accepted", "somebody knows better later"


class NoKinds:
    async def of(self, device_id: int) -> Mapping[str, str]:
        return {}

    async def note(self, device_id: int, kind: str, value: str) -> None: ...


@pytest.mark.parametrize("auth", ["digest", "token"])
async def test_a_stranger_is_sent_nothing_signed(
    town: Town, villages: list[int], database: Database, bus: EventBus, auth: str
) -> None:
    """Over real connections: it is asked who it is, and gets no login, whoever asks for what."""
    clock, checks = SystemClock(), DeviceChecks(database, local)
    await town.register.villages.change(villages[0], ranges=["127.0.0.1"])
    settings = DiscoverySettings(onvif_timeout=2.0, host_timeout=0.5)
    async with AsyncExitStack() as stack:
        notes = Peculiarities(database, bus, clock)
        asking = await stack.enter_async_context(Onvif(settings, clock, check=anywhere))
        trust = await stack.enter_async_context(DeviceTrust(database, bus, clock, asking, checks, notes))
        logins = LoginBudget(clock, trust=trust)
        onvif = await stack.enter_async_context(Onvif(settings, clock, logins, peculiarities=notes, check=anywhere))
        register = Register(database, bus, clock, FakeVault(), OnvifOnly(onvif), checks, notes)
        async with FakeDevice(auth=auth, endpoint="4f1a0000-0000-1000-8000-020000000001") as device:
            place = ("127.0.0.1", device.port)
            found = await register.devices.register(ADMIN, villages[0], *place, username="admin", password="village-1")
            await register.devices.describe(ADMIN, found.device.id)
            assert device.proofs
        trust.doubt(found.device.id)  # its line was cut
        async with FakeDevice(
            auth=auth, port=device.port, serial="SN-OTHER-1", mac="02:00:00:00:00:99", endpoint="4f1a-other-1"
        ) as stranger:
            for _ in range(2):
                with pytest.raises(HubError) as caught:
                    await register.devices.describe(ADMIN, found.device.id)
                assert caught.value.reason == Reason.IDENTITY_CHANGED
            login = await register.login(found.device.id, "rtsp")
            for service in ("rtsp", "http"):
                with pytest.raises(HubError) as caught:
                    await logins.begin(logins.account(login, *place), service)
                assert caught.value.reason == Reason.IDENTITY_CHANGED
            assert stranger.proofs == []
            assert "GetEndpointReference" in stranger.calls
    (match,) = await town.open()
    assert (match.kind, match.differ) == ("changed", ("endpoint",))
