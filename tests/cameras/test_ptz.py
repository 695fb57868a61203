"""Steering a dome of the simulator, whatever its device is like: nothing is left moving."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from camera_hub.access.policy import Actor, Role
from camera_hub.cameras.ptz import control as control_module
from camera_hub.cameras.ptz import session as session_module
from camera_hub.cameras.ptz import watchdog
from camera_hub.cameras.ptz.state import IDLE
from camera_hub.cameras.ptz.store import PtzStore
from camera_hub.cameras.ptz.wishes import MoveWish, PresetWish, StopWish
from camera_hub.clock import SystemClock
from camera_hub.errors import HubError, Reason
from camera_hub.events import CameraChanged, PtzChanged
from camera_hub.settings import PtzSettings
from camera_hub.simulator.onvif.ptz import PtzService
from camera_hub.simulator.onvif.soap import Refusal
from camera_hub.store.database import Database
from camera_hub.store.tables import Stream
from tests.cameras.fakes import ADMIN
from tests.cameras.ptz_site import OPERATOR, OTHER_OPERATOR, PtzSite, ptz_site

RIGHT = MoveWish(0.5, 0.0, 0.0)
PAGE = "page-0001"
STRANGER = Actor(9, "zhang", "邻村", Role.VILLAGE_ADMIN, frozenset({999}))


async def press(site: PtzSite, wish: MoveWish = RIGHT) -> None:
    await (await site.control.session(OPERATOR, site.camera)).open()  # as its pad does
    await site.control.command(OPERATOR, site.camera, wish, PAGE)
    await site.until(lambda state: state.moving)


async def test_a_pad_opens_with_what_the_camera_can_do(database: Database) -> None:
    async with ptz_site(database) as site:
        view = await site.presets.open(OPERATOR, site.camera)
        assert view.capabilities.continuous
        assert view.capabilities.point
        assert view.capabilities.max_presets == 16
        assert view.presets == ()
        with pytest.raises(HubError) as caught:
            await site.presets.open(OPERATOR, site.fixed)
        assert caught.value.reason == Reason.PTZ_NONE


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("", ["ContinuousMove", "Stop"]),
        ("ptz_ignores_timeout", ["ContinuousMove", "Stop"]),
        ("ptz_faults_on_stop", ["ContinuousMove", "(Stop)", "ContinuousMove"]),
        ("ptz_faults_on_timeout", ["(ContinuousMove)", "ContinuousMove", "Stop"]),
    ],
)
async def test_a_page_that_dies_leaves_no_camera_moving(database: Database, fault: str, said: list[str]) -> None:
    async with ptz_site(database, faults={fault: 1.0} if fault else None) as site:
        await press(site)
        await site.until(lambda state: not state.moving)  # nobody went on asking for it: the hub's own deadline
        assert site.operations() == said
        assert not site.dome.moving(SystemClock().monotonic())
        assert site.control.figures.deadline_stops == 1
        await press(site)
        site.control.leave(PAGE)  # this time the page is seen to end
        await site.until(lambda state: not state.moving)
        assert not site.dome.moving(SystemClock().monotonic())
        assert site.control.figures.deadline_stops == 1


async def test_two_persons_and_a_tour_at_one_camera(database: Database) -> None:
    async with ptz_site(database) as site:
        await site.presets.open(OPERATOR, site.camera)
        assert site.control.at_home(site.camera) is None, "nobody knows where it stands before it was steered"
        spot = await site.presets.add(OPERATOR, site.camera, "村口")
        await site.control.release(OPERATOR, site.camera)
        await site.control.bring(5, "早巡", site.camera, spot.token)
        await site.until(lambda state: state.holder is not None and state.holder.kind == "tour")
        await press(site)
        assert site.state().holder is not None
        for refused in (
            site.control.command(OTHER_OPERATOR, site.camera, RIGHT, "page-0002"),
            site.control.bring(5, "早巡", site.camera, spot.token),
        ):
            with pytest.raises(HubError) as caught:
                await refused
            assert caught.value.reason == Reason.PTZ_LOCKED
            assert caught.value.params["name"] == OPERATOR.display_name
        await site.control.command(OTHER_OPERATOR, site.camera, StopWish(), "page-0002")  # not theirs to stop
        await site.control.command(ADMIN, site.camera, MoveWish(0.0, 1.0, 0.0), "page-0003")
        holder = site.state().holder
        assert holder is not None
        assert holder.name == ADMIN.display_name
        assert site.control.state(STRANGER, site.camera) == IDLE
        await site.control.release(ADMIN, site.camera)
        await site.until(lambda state: not state.moving and state.holder is None)


@pytest.mark.slow
async def test_it_does_not_return_home_while_a_tour_shows_it(database: Database) -> None:
    settings = PtzSettings(lock_seconds=0.2, return_home_seconds=0.3)
    async with ptz_site(database, settings) as site:
        await site.presets.open(OPERATOR, site.camera)
        spot = await site.presets.add(OPERATOR, site.camera, "村口")
        await site.control.release(OPERATOR, site.camera)
        await site.control.bring(5, "早巡", site.camera, spot.token)
        await site.until(lambda state: state.moving)
        shown = await site.until(lambda state: state.holder is None and not state.moving)
        assert shown.home_at is None
        assert (await site.control.session(OPERATOR, site.camera)).standing == "away"
        assert site.control.at_home(site.camera) is False
        await site.control.let_go(5, "早巡", site.camera)
        await site.until(lambda state: state.moving)
        assert not site.control.at_home(site.camera), "it is on its way"
        assert site.operations()[-2:] == ["GotoPreset", "GotoHomePosition"]
        await site.until(lambda state: not state.moving)
        assert site.control.at_home(site.camera) is True


@pytest.mark.slow
async def test_it_returns_home_after_a_while_without_a_command(database: Database) -> None:
    settings = PtzSettings(lock_seconds=0.2, return_home_seconds=2.0)  # time to suspend it on a busy machine
    async with ptz_site(database, settings) as site:
        await press(site)
        await site.until(lambda state: state.home_at is not None)
        await site.presets.suspend(OPERATOR, site.camera, 60)
        assert site.state().suspended_until is not None
        await site.until(lambda state: not state.moving)
        assert "GotoHomePosition" not in site.operations()
        await site.presets.suspend(OPERATOR, site.camera, 0)
        await site.until(lambda state: state.home_at is None and not state.moving)
        assert site.operations()[-1] == "GotoHomePosition"


async def test_presets_are_what_the_device_keeps_under_names_of_ours(database: Database) -> None:
    async with ptz_site(database) as site:
        first = await site.presets.add(OPERATOR, site.camera, "村口")
        second = await site.presets.add(OPERATOR, site.camera, "大桥")
        renamed = await site.presets.change(OPERATOR, site.camera, second.token, "老桥", here=False)
        assert (renamed.token, renamed.name) == (second.token, "老桥")
        assert site.dome.presets[second.token].name == "大桥"  # ONVIF cannot rename without storing the position
        await site.presets.change(OPERATOR, site.camera, first.token, "桥头", here=True)
        assert site.dome.presets[first.token].name == "桥头"
        home = await site.presets.set_home(OPERATOR, site.camera, second.token, 60)
        assert [(one.name, one.home) for one in home.presets] == [("桥头", False), ("老桥", True)]
        await site.presets.remove(OPERATOR, site.camera, second.token)
        left = await site.presets.open(OPERATOR, site.camera)
        assert [(one.name, one.home) for one in left.presets] == [("桥头", False)]
        with pytest.raises(HubError) as caught:
            await site.presets.change(OPERATOR, site.camera, second.token, "没了", here=False)
        assert caught.value.reason == Reason.PTZ_PRESET_GONE
        await site.control.command(OPERATOR, site.camera, PresetWish("no such"), PAGE)
        told = await site.until(lambda state: state.error is not None)
        assert told.error is not None
        assert told.error.reason == Reason.PTZ_PRESET_GONE


async def test_a_device_that_names_presets_twice_is_told_apart(database: Database) -> None:
    async with ptz_site(database, faults={"ptz_duplicate_names": 1.0}) as site:
        for name in ("甲", "乙"):
            site.dome.keep(name, (0.0, 0.0, 0.0), "")
        view = await site.presets.open(OPERATOR, site.camera)
        assert [one.name for one in view.presets] == ["甲", "甲 (2)"]


async def test_a_camera_that_moves_by_itself_is_told_and_not_fought(database: Database) -> None:
    async with ptz_site(database, faults={"ptz_moves_by_itself": 0.0}) as site:
        await site.presets.open(OPERATOR, site.camera)
        told = await site.until(lambda state: state.moving)
        assert told.error is not None
        assert told.error.reason == Reason.PTZ_MOVES_BY_ITSELF
        assert site.operations() == []


async def test_what_a_hub_that_died_left_moving_is_stopped_by_the_next_one(database: Database) -> None:
    async with ptz_site(database, faults={"ptz_ignores_timeout": 1.0}) as site:
        store = PtzStore(database, site.register, site.checks)
        await store.steered(site.camera, datetime.now(UTC))  # as the one that died had written before the first move
        site.dome.drive((0.5, 0.0, 0.0), SystemClock().monotonic(), None)
        with site.bus.subscribe(PtzChanged) as changes:
            async with site.another_hub() as control, asyncio.timeout(60):
                while site.dome.moving(SystemClock().monotonic()) or control.state(ADMIN, site.camera).moving:
                    await changes.next()
                assert site.operations() == ["Stop"]
                assert control.state(ADMIN, site.camera).home_at is not None
        assert await store.left_steered() == [site.camera]  # it has not returned home yet


async def test_the_hubs_end_stops_what_moves(database: Database) -> None:
    async with ptz_site(database, faults={"ptz_ignores_timeout": 1.0}) as site:
        await press(site)
        dome = site.dome
    assert not dome.moving(SystemClock().monotonic())


async def test_a_camera_that_is_retired_while_it_moves_stops_and_is_steered_no_more(database: Database) -> None:
    async with ptz_site(database, faults={"ptz_ignores_timeout": 1.0}) as site:
        await press(site)
        await site.register.cameras.retire(ADMIN, [site.camera])
        with suppress(HubError):
            async with asyncio.timeout(60):
                while True:  # whoever goes on pressing
                    await site.control.command(OPERATOR, site.camera, RIGHT, PAGE)
                    await asyncio.sleep(0)
        await site.until(lambda state: not state.moving)
        assert not site.dome.moving(SystemClock().monotonic())
        with pytest.raises(HubError) as caught:
            await site.control.session(OPERATOR, site.camera)
        assert caught.value.reason == Reason.RETIRED


@pytest.mark.slow
async def test_a_device_at_another_address_is_steered_there(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ptz_site(database) as site:
        await press(site)
        session = await site.control.session(OPERATOR, site.camera)
        told = await site.until(lambda state: not state.moving)
        assert told.error is None
        await site.farm.set_fault(site.key, "dead")
        (device,) = await site.register.devices.all(ADMIN)
        followed = asyncio.Event()
        renew = session.renew

        def renewed() -> None:
            renew()
            followed.set()

        monkeypatch.setattr(session, "renew", renewed)
        await site.register.devices.change(ADMIN, device.id, onvif_port=1)
        async with asyncio.timeout(60):
            await followed.wait()
        assert await site.control.session(OPERATOR, site.camera) is session
        await site.control.command(OPERATOR, site.camera, RIGHT, PAGE)
        told = await site.until(lambda state: state.error is not None)
        assert told.error is not None
        assert "port 1 " in told.error.detail


async def test_a_camera_that_has_become_another_devices_is_not_steered_at_the_former_one(database: Database) -> None:
    async with ptz_site(database, faults={"ptz_ignores_timeout": 1.0}) as site:
        await press(site)
        former = await site.control.session(OPERATOR, site.camera)
        async with database.write() as session:  # as cameras.replacements exchanges them
            await session.execute(update(Stream).where(Stream.camera_id == site.camera).values(profile="another"))
        site.bus.publish(CameraChanged(site.camera, former.camera.village_id))
        await site.until(lambda state: not state.moving)
        assert not site.dome.moving(SystemClock().monotonic())
        assert await site.control.session(OPERATOR, site.camera) is not former


@pytest.mark.slow
async def test_a_camera_that_is_moved_while_its_session_is_being_closed_is_stopped(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = PtzStore.steered
    async with ptz_site(database, faults={"ptz_ignores_timeout": 1.0}) as site:

        async def steered(self: PtzStore, camera_id: int, since: datetime | None) -> None:
            await write(self, camera_id, since)
            if since is None and not site.dome.commands:
                await site.control.command(OPERATOR, site.camera, RIGHT, PAGE)  # while the disk is slow
                await site.until(lambda state: state.moving)

        monkeypatch.setattr(PtzStore, "steered", steered)
        monkeypatch.setattr(control_module, "SWEEP_SECONDS", 0.01)
        monkeypatch.setattr(session_module, "WATCHED_SECONDS", 0.0)
        async with site.another_hub() as control:
            session = await control.session(OPERATOR, site.camera)
            site.control = control
            await site.until(lambda state: state.moving)
            await site.until(lambda state: not state.moving)
            assert not site.dome.moving(SystemClock().monotonic())
            assert await control.session(OPERATOR, site.camera) is session
            assert await PtzStore(database, site.register, site.checks).left_steered() == [site.camera]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("ter:ActionNotSupported", "ter:NoProfile"), Reason.SOAP_FAULT),
        (("ter:NotAuthorized", "ter:OperationProhibited"), Reason.PTZ_NO_RIGHTS),
    ],
)
async def test_a_device_that_refuses_moves_and_stops_and_stands_is_not_shown_as_moving(
    database: Database, monkeypatch: pytest.MonkeyPatch, words: tuple[str, str], told: Reason
) -> None:
    async def refuse(*_: object) -> str:
        raise Refusal("no", *words)

    monkeypatch.setattr(PtzService, "_move", refuse)
    monkeypatch.setattr(PtzService, "_stop", refuse)
    async with ptz_site(database) as site:
        await press(site)
        state = await site.until(lambda state: not state.moving and state.error is not None)
        assert state.error is not None
        assert state.error.reason == told


async def test_a_device_that_did_not_answer_and_answers_again_is_no_error_any_more(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "LOOK_SECONDS", 0.05)
    async with ptz_site(database) as site:
        await site.presets.open(OPERATOR, site.camera)
        await site.farm.set_fault(site.key, "dead")
        told = await site.until(lambda state: state.error is not None)
        assert told.error is not None
        assert told.error.reason == Reason.PORT_CLOSED
        await site.farm.set_fault(site.key, "dead", on=False)
        await site.until(lambda state: state.error is None)


async def test_a_camera_that_nothing_moves_is_not_shown_as_moving_when_it_is_told_to_stop(database: Database) -> None:
    async with ptz_site(database) as site:
        with site.bus.subscribe(PtzChanged) as changes:
            (await site.control.session(OPERATOR, site.fixed)).left_moving()  # as after the end of a hub that had died
            await site.control.command(OPERATOR, site.fixed, StopWish(), PAGE)
            async with asyncio.timeout(60):
                while (state := site.control.state(OPERATOR, site.fixed)).error is None:
                    await changes.next()
        assert state.error.reason == Reason.PTZ_NONE
        assert (state.moving, state.home_at) == (False, None)


async def test_it_is_not_said_to_return_home_before_its_holder_has_done(database: Database) -> None:
    async with ptz_site(database, PtzSettings(lock_seconds=60, return_home_seconds=5)) as site:
        await press(site)
        state = site.state()
    assert state.home_at is not None
    assert state.until is not None
    assert state.home_at >= state.until
