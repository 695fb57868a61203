"""Subscriptions to events at the simulator's devices: what is opened is given back, whatever the device is like."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.login_budget import LoginBudget
from camera_hub.cameras.credentials.retry_rules import TRIES_A_DAY
from camera_hub.cameras.device_events.topics import report_of, wanted
from camera_hub.cameras.onvif.pull_points import EventsUnsupported, PullPoints, life_of
from camera_hub.cameras.onvif.targets import OnvifTarget
from camera_hub.clock import SystemClock
from camera_hub.errors import HubError, Reason
from camera_hub.simulator.device import Device
from camera_hub.simulator.farm import Farm
from camera_hub.simulator.testing import small_farm
from tests.fakes.reach import anywhere

MOTION = "tns1:VideoSource/MotionAlarm"
FACE = "tns1:RuleEngine/MyRuleDetector/FaceDetect"


@pytest.fixture
async def farm() -> AsyncIterator[Farm]:
    async with small_farm(1, 8) as farm:
        yield farm


@pytest.fixture
def budget() -> LoginBudget:
    return LoginBudget(SystemClock())


@pytest.fixture
async def points(budget: LoginBudget) -> AsyncIterator[PullPoints]:
    async with PullPoints(SystemClock(), budget, call_seconds=4.0, check=anywhere) as points:
        yield points


def device_of(farm: Farm) -> Device:
    return next(iter(farm.devices.values()))


def target_of(device: Device, password: str | None = None) -> OnvifTarget:
    plan = device.state.plan
    login = DeviceLogin(plan.username, password or plan.password, device_id=1)
    return OnvifTarget(plan.address, device.state.http_port, login=login)


async def heard(
    points: PullPoints, target: OnvifTarget, device: Device
) -> list[tuple[str, tuple[str, ...], bool | None]]:
    """What one subscription hears: the states at first, then one motion among what is not wanted."""
    events = device.http.onvif.events
    async with points.open(target) as point:
        first = await point.pull(5.0, 100, wanted)
        events.publish(FACE, "VideoSource_1", "State", "true")
        events.publish(MOTION, "VideoSource_3", "State", "true")
        second = await point.pull(5.0, 100, wanted)
        assert device.state.stats.pull_points == 1
    assert len(first.notifications) >= 8
    assert (len(second.notifications), second.unread) == (1, 1)
    reports = [report_of(one) for one in second.notifications]
    return [(one.kind.value, one.sources, one.active) for one in reports if one is not None]


@pytest.mark.parametrize(
    "fault",
    ["none", "digest_only", "token_only", "clock_skew", "absolute_times", "absolute_times+clock_skew", "short_pulls",
     "nat_xaddr", "no_clock", "login_for_all", "new_nonce", "trailing_nul"],
)  # fmt: skip
async def test_events_are_heard_whatever_a_device_is_like(farm: Farm, points: PullPoints, fault: str) -> None:
    device = device_of(farm)
    for one in fault.split("+"):
        if one != "none":
            await farm.set_fault(device.state.plan.key, one)
    assert await heard(points, target_of(device), device) == [("motion", ("VideoSource_3",), True)]
    assert device.state.stats.pull_points == 0
    assert (points.opened, points.closed, points.left_open) == (1, 1, 0)


@pytest.mark.slow
async def test_two_hundred_reconnections_leave_nothing_open(farm: Farm, points: PullPoints) -> None:
    device = device_of(farm)
    stats, most = device.state.stats, device.state.plan.max_pull_points
    for number in range(200):
        if number % 2:
            async with points.open(target_of(device)) as point:
                await point.pull(1.0, 10, wanted)
        else:  # leaving comes in the middle of a pull, or while the subscription is made
            began = asyncio.Event()

            async def listen(began: asyncio.Event = began) -> None:
                began.set()
                async with points.open(target_of(device)) as point:
                    while True:
                        await point.pull(20.0, 10, wanted)

            task = asyncio.create_task(listen())
            await began.wait()
            for _ in range(number % 40):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
        assert stats.pull_points <= 1 < most
    assert stats.pull_points == 0
    assert stats.pull_points_opened >= 100
    assert (points.opened, points.left_open) == (points.closed, 0)
    assert stats.logins_failed == 0


async def test_a_device_without_room_or_without_events_says_so(farm: Farm, points: PullPoints) -> None:
    device = device_of(farm)
    device.state.plan = replace(device.state.plan, max_pull_points=0)
    with pytest.raises(HubError) as caught:
        async with points.open(target_of(device)):
            pass
    assert caught.value.reason in (Reason.SOAP_FAULT, Reason.DEVICE_FULL)
    await farm.set_fault(device.state.plan.key, "no_events")
    with pytest.raises(EventsUnsupported):
        async with points.open(target_of(device)):
            pass


async def test_a_wrong_password_is_tried_once(farm: Farm, points: PullPoints) -> None:
    device = device_of(farm)
    for _ in range(4):
        with pytest.raises(HubError) as caught:
            async with points.open(target_of(device, "wrong")):
                pass
        assert caught.value.reason == Reason.WRONG_PASSWORD
    assert device.state.stats.logins_failed <= 2


async def test_a_password_that_changes_meanwhile_costs_no_more_refusals_than_are_counted(
    farm: Farm, points: PullPoints, budget: LoginBudget
) -> None:
    device = device_of(farm)
    stats = device.state.stats

    async def listen() -> None:
        async with points.open(target_of(device)) as point:
            await point.pull(5.0, 10, wanted)
            await farm.set_fault(device.state.plan.key, "wrong_password")
            await point.pull(1.0, 10, wanted)

    with pytest.raises(HubError) as caught:
        await listen()
    assert caught.value.reason == Reason.WRONG_PASSWORD
    # Its nonce may have been old: the second refusal says that it is the password, and that the first was one, too.
    assert stats.logins_failed == TRIES_A_DAY - budget.pause(1).tries_left == 2
    for _ in range(3):  # those were the two free tries of the budget
        with pytest.raises(HubError) as paused:
            await listen()
    assert paused.value.reason == Reason.WRONG_PASSWORD
    assert "retry_in" in paused.value.params
    assert stats.logins_failed == 2


@pytest.mark.parametrize(("fault", "reason"), [("locked", Reason.LOCKED_OUT), ("not_activated", Reason.NOT_ACTIVATED)])
async def test_why_a_device_refuses_meanwhile_is_told_and_remembered(
    farm: Farm, points: PullPoints, fault: str, reason: Reason
) -> None:
    device = device_of(farm)

    async def listen() -> None:
        async with points.open(target_of(device)) as point:
            await point.pull(5.0, 10, wanted)
            await farm.set_fault(device.state.plan.key, fault)
            await point.pull(1.0, 10, wanted)

    with pytest.raises(HubError) as caught:
        await listen()
    assert caught.value.reason == reason
    for _ in range(2):
        with pytest.raises(HubError) as paused:
            await listen()
    assert (paused.value.reason, "retry_in" in paused.value.params) == (reason, True)


def test_a_life_is_the_difference_of_two_times_within_bounds() -> None:
    from lxml import etree

    def life(begins: str, ends: str) -> float:
        text = f"<a><CurrentTime>{begins}</CurrentTime><TerminationTime>{ends}</TerminationTime></a>"
        return life_of(etree.fromstring(text))

    assert life("1970-01-01T00:00:00Z", "1970-01-01T00:01:30Z") == 90
    assert life("2026-01-01T08:00:00+08:00", "2026-01-01T00:02:00Z") == 120
    assert life("2026-01-01T00:00:00", "2020-01-01T00:00:00") == 10
    assert life("2026-01-01T00:00:00Z", "2099-01-01T00:00:00Z") == 3600
    assert life("yesterday", "") == life_of(None) == 60
