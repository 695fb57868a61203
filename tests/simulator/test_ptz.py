"""Domes as an ONVIF client steers them: how they move, what they remember, and the stubborn kinds."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import httpx
import pytest
from zeep.exceptions import Fault as SoapFault

from camera_hub.simulator.control import Control
from camera_hub.simulator.dome import Dome, field_of_view
from camera_hub.simulator.farm import Farm
from camera_hub.simulator.faults import Fault
from camera_hub.simulator.onvif.ptz_nodes import FIELD_OF_VIEW
from camera_hub.simulator.testing import small_farm
from tests.fakes.clock import ManualClock
from tests.simulator.peers import DEADLINE
from tests.simulator.soap import LOGIN, Onvif

DOME = "donggou-1-3"
RIGHT = {"PanTilt": {"x": 1, "y": 0}}
STILL = {"PanTilt": {"x": 0, "y": 0}, "Zoom": {"x": 0}}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def farm(clock: ManualClock) -> AsyncIterator[Farm]:
    async with small_farm(villages=1, cameras=8, clock=clock) as farm:
        yield farm


class Steering:
    """A client that steers one dome."""

    def __init__(self, farm: Farm) -> None:
        self.device = next(iter(farm.devices.values()))
        self.dome = self.device.state.domes[3]
        self._peer = Onvif(self.device, token=None, digest=LOGIN)
        self.profile = "Profile_301"

    async def do(self, operation: str, **values: Any) -> Any:
        return await self._peer.call("ptz", operation, ProfileToken=self.profile, **values)

    async def ask(self, operation: str, **values: Any) -> Any:
        return await self._peer.call("ptz", operation, **values)

    async def where(self) -> tuple[float, float, float]:
        position = (await self.do("GetStatus")).Position
        return position.PanTilt.x, position.PanTilt.y, position.Zoom.x

    async def moving(self) -> bool:
        return str((await self.do("GetStatus")).MoveStatus.PanTilt) == "MOVING"


@pytest.fixture
def steering(farm: Farm) -> Steering:
    return Steering(farm)


async def test_a_dome_moves_stops_and_remembers(steering: Steering, clock: ManualClock) -> None:
    do = steering.do
    await do("ContinuousMove", Velocity={"PanTilt": {"x": 1, "y": -0.5}, "Zoom": {"x": 0.2}})
    clock.move(1)
    assert await steering.moving()
    assert await steering.where() == pytest.approx((0.25, -0.125, 0.05))
    await do("Stop")
    clock.move(1)
    assert not await steering.moving()
    assert await steering.where() == pytest.approx((0.25, -0.125, 0.05))
    token = await do("SetPreset", PresetName="村口")
    (preset,) = await do("GetPresets")
    assert (preset.token, preset.Name, preset.PTZPosition.PanTilt.x) == (token, "村口", 0.25)
    with pytest.raises(SoapFault, match="of that name"):
        await do("SetPreset", PresetName="村口")
    await do("GotoHomePosition")
    clock.move(0.3)
    assert await steering.moving()
    assert 0 < (await steering.where())[0] < 0.25
    clock.move(2)
    assert await steering.where() == (0, 0, 0)
    await do("SetPreset", PresetName="桥头", PresetToken=token)
    clock.move(0.1)
    await do("SetHomePosition")
    await do("ContinuousMove", Velocity=RIGHT, Timeout=timedelta(seconds=2))
    clock.move(10)
    assert not await steering.moving()
    assert await steering.where() == (0.5, 0, 0)
    await do("GotoPreset", PresetToken=token)
    clock.move(2)
    assert await steering.where() == (0, 0, 0)
    await do("RemovePreset", PresetToken=token)
    assert not await do("GetPresets")
    for wrong in ("GotoPreset", "RemovePreset"):
        with pytest.raises(SoapFault, match="no such preset"):
            await do(wrong, PresetToken=token)
    steering.profile = "Profile_101"
    with pytest.raises(SoapFault, match="cannot be moved"):
        await do("Stop")


async def test_absolute_and_relative_moves_end_where_they_say(steering: Steering, clock: ManualClock) -> None:
    async def after(operation: str, **values: Any) -> tuple[float, float, float]:
        await steering.do(operation, **values)
        clock.move(5)
        return await steering.where()

    def pan_tilt(x: float, y: float, space: str | None = None) -> dict[str, Any]:
        return {"PanTilt": {"x": x, "y": y, **({"space": space} if space else {})}}

    assert await after("AbsoluteMove", Position=pan_tilt(0.4, -0.2)) == (0.4, -0.2, 0)
    assert await after("AbsoluteMove", Position={"Zoom": {"x": 1 / 3}}) == pytest.approx((0.4, -0.2, 0.3333))
    assert await after("RelativeMove", Translation=pan_tilt(0.1, 0.1)) == pytest.approx((0.5, -0.1, 0.3333))
    aside = pan_tilt(1, -1, FIELD_OF_VIEW)  # the lower right corner becomes the middle; all is twice as large now
    assert await after("RelativeMove", Translation=aside) == pytest.approx((0.625, -0.35, 0.3333), abs=2e-4)
    assert await after("RelativeMove", Translation={"PanTilt": {"x": 0.5, "y": 0}}) == pytest.approx(
        (-0.875, -0.35, 0.3333), abs=2e-4
    )  # pan is endless
    assert field_of_view(1 / 3) == pytest.approx((0.25, 0.5))
    for operation, values, said in (
        ("AbsoluteMove", {"Position": pan_tilt(1.5, 0)}, "between -1 and 1"),
        ("AbsoluteMove", {"Position": {"Zoom": {"x": -0.5}}}, "between 0 and 1"),
        ("AbsoluteMove", {"Position": pan_tilt(0, 0, "http://example.org/degrees")}, "space"),
        ("ContinuousMove", {"Velocity": pan_tilt(0, 2)}, "between -1 and 1"),
        ("ContinuousMove", {"Velocity": RIGHT, "Timeout": timedelta(0)}, "time-out"),
    ):
        with pytest.raises(SoapFault, match=said):
            await steering.do(operation, **values)
    assert not await steering.moving()


async def test_one_axis_is_stopped_while_the_other_goes_on(steering: Steering, clock: ManualClock) -> None:
    await steering.do("ContinuousMove", Velocity=RIGHT, Timeout=timedelta(seconds=2))
    clock.move(1)
    await steering.do("ContinuousMove", Velocity={"Zoom": {"x": 0.4}}, Timeout=timedelta(seconds=2))
    clock.move(1)
    assert await steering.where() == pytest.approx((0.5, 0, 0.1))
    await steering.do("Stop", PanTilt=True, Zoom=False)
    clock.move(5)
    assert await steering.where() == pytest.approx((0.5, 0, 0.2))


async def test_what_it_can_do_is_told_in_full(steering: Steering, farm: Farm) -> None:
    capabilities = await steering.ask("GetServiceCapabilities")
    assert capabilities["_attr_1"] == {"MoveStatus": "true", "StatusPosition": "true"}  # newer than the WSDL
    (configuration, _) = await steering.ask("GetConfigurations")
    assert (await steering.ask("GetConfiguration", PTZConfigurationToken="PTZ_3")).NodeToken == configuration.NodeToken
    options = await steering.ask("GetConfigurationOptions", ConfigurationToken="PTZ_3")
    assert options.PTZTimeout.Max == timedelta(seconds=60)
    node = await steering.ask("GetNode", NodeToken=configuration.NodeToken)
    assert [space.URI for space in node.SupportedPTZSpaces.RelativePanTiltTranslationSpace][1] == FIELD_OF_VIEW
    assert (node.HomeSupported, node.MaximumNumberOfPresets) == (True, 16)
    for fault in (Fault.PTZ_NO_ABSOLUTE, Fault.PTZ_NO_RELATIVE, Fault.PTZ_NO_PRESETS, Fault.PTZ_NO_HOME):
        await farm.set_fault(DOME, fault)
    node = await steering.ask("GetNode", NodeToken=configuration.NodeToken)
    assert not node.SupportedPTZSpaces.AbsolutePanTiltPositionSpace
    assert not node.SupportedPTZSpaces.RelativePanTiltTranslationSpace
    assert (node.HomeSupported, node.MaximumNumberOfPresets) == (False, 0)
    assert (await steering.do("GetStatus")).Position is None
    for operation, values in (
        ("AbsoluteMove", {"Position": {"Zoom": {"x": 1}}}),
        ("RelativeMove", {"Translation": {"Zoom": {"x": 1}}}),
        ("GetPresets", {}),
        ("SetPreset", {"PresetName": "村口"}),
        ("GotoPreset", {"PresetToken": "Preset_1"}),
        ("GotoHomePosition", {}),
        ("SetHomePosition", {}),
    ):
        with pytest.raises(SoapFault):
            await steering.do(operation, **values)


@pytest.mark.parametrize(
    ("fault", "commands", "moves", "refused"),
    [
        (None, [("ContinuousMove", {"Timeout": timedelta(seconds=1)})], False, []),
        (None, [("ContinuousMove", {})], False, []),
        (Fault.PTZ_IGNORES_TIMEOUT, [("ContinuousMove", {"Timeout": timedelta(seconds=1)})], True, []),
        (Fault.PTZ_IGNORES_TIMEOUT, [("ContinuousMove", {}), ("Stop", {})], False, []),
        (Fault.PTZ_FAULTS_ON_STOP, [("ContinuousMove", {})], False, []),
        (Fault.PTZ_FAULTS_ON_STOP, [("Stop", {})], False, ["Stop"]),
        (Fault.PTZ_FAULTS_ON_TIMEOUT, [("ContinuousMove", {"Timeout": timedelta(1)})], False, ["ContinuousMove"]),
        (Fault.PTZ_FAULTS_ON_TIMEOUT, [("ContinuousMove", {})], True, []),
        (Fault.PTZ_FAULTS_ON_TIMEOUT, [("ContinuousMove", {}), ("Stop", {})], False, []),
        (Fault.PTZ_FAULTS_ON_TIMEOUT, [("ContinuousMove", {}), ("ContinuousMove", {"Velocity": STILL})], False, []),
    ],
)  # fmt: skip
async def test_stubborn_domes_end_a_move_in_their_own_way(
    farm: Farm,
    steering: Steering,
    clock: ManualClock,
    fault: Fault | None,
    commands: list[tuple[str, dict[str, Any]]],
    moves: bool,
    refused: list[str],
) -> None:
    if fault is not None:
        await farm.set_fault(DOME, fault)
    for operation, values in commands:
        with suppress(SoapFault):
            await steering.do(operation, **({"Velocity": RIGHT} if operation == "ContinuousMove" else {}) | values)
    clock.move(30)
    assert await steering.moving() is moves
    told = farm.ptz(DOME)["domes"][DOME]
    assert told["moving"] is moves
    assert [one["operation"] for one in told["commands"]] == [operation for operation, _ in commands]
    assert [one["operation"] for one in told["commands"] if one["refused"]] == refused


async def test_a_dome_that_faults_on_stop_goes_on_until_its_velocity_is_zero(
    farm: Farm, steering: Steering, clock: ManualClock
) -> None:
    await farm.set_fault(DOME, Fault.PTZ_FAULTS_ON_STOP)
    await farm.set_fault(DOME, Fault.PTZ_IGNORES_TIMEOUT)
    await steering.do("ContinuousMove", Velocity=RIGHT)
    with pytest.raises(SoapFault, match="Stop is not supported"):
        await steering.do("Stop")
    clock.move(60)
    assert await steering.moving()
    await steering.do("ContinuousMove", Velocity=STILL)
    assert not await steering.moving()


async def test_names_are_told_twice_and_tokens_on_request(farm: Farm, steering: Steering) -> None:
    for name in ("村口", "桥头", "广场"):
        await steering.do("SetPreset", PresetName=name)
    await farm.set_fault(DOME, Fault.PTZ_DUPLICATE_NAMES)
    listed = await steering.do("GetPresets")
    assert [one.Name for one in listed] == ["村口", "村口", "广场"]
    assert len({one.token for one in listed}) == 3
    await farm.set_fault(DOME, Fault.PTZ_DUPLICATE_NAMES, value=1)
    assert [one.token for one in await steering.do("GetPresets")] == [one.token for one in listed for _ in range(2)]


def test_a_dome_that_moves_by_itself_begins_where_it_stands_and_is_held_by_a_command() -> None:
    faults: dict[Fault, float] = {}
    dome = Dome(lambda: faults)
    dome.go((0.5, 0.1, 0.2), 0)
    assert dome.at(100) == (0.5, 0.1, 0.2)
    faults[Fault.PTZ_MOVES_BY_ITSELF] = 5.0
    assert [dome.moving(at) for at in (101, 104, 105.9, 106.1, 200)] == [False, False, False, True, True]
    seen = {dome.at(200 + at / 4)[0] for at in range(60)}
    assert min(seen) == pytest.approx(0.3, abs=0.02)
    assert max(seen) == pytest.approx(0.7, abs=0.02)
    dome.stop(220)
    held = dome.at(220)
    assert [dome.moving(at) for at in (221, 224)] == [False, False]
    assert dome.at(224) == held
    assert dome.moving(230)
    faults.clear()
    here = dome.at(231)
    assert not dome.moving(231)
    assert dome.at(300) == here


async def test_a_slow_dome_answers_late(farm: Farm, steering: Steering, clock: ManualClock) -> None:
    await farm.set_fault(DOME.rpartition("-")[0], Fault.PTZ_SLOW)
    address = steering.device.state.http_url("/onvif/PTZ")
    body = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><Stop '
        'xmlns="http://www.onvif.org/ver20/ptz/wsdl"><ProfileToken>Profile_301</ProfileToken></Stop></s:Body></s:Envelope>'
    )
    before = clock.slept.count(0.4)
    auto = ManualClock(auto=True)
    steering.device.state.clock = auto
    async with httpx.AsyncClient(trust_env=False, auth=httpx.DigestAuth(*LOGIN)) as client:
        assert (await client.post(address, content=body)).status_code == 200
    assert (before, auto.slept.count(0.4)) == (0, 1)


async def test_another_process_reads_commands_and_positions(farm: Farm, steering: Steering, clock: ManualClock) -> None:
    await steering.do("ContinuousMove", Velocity=RIGHT, Timeout=timedelta(seconds=4))
    arrived = clock.monotonic()
    clock.move(2)
    async with Control(farm, "127.0.0.1", 0) as control, httpx.AsyncClient(trust_env=False, timeout=DEADLINE) as client:
        told = (await client.get(f"http://{control.address}/ptz", params={"target": DOME})).json()
        everybody = (await client.get(f"http://{control.address}/ptz")).json()
        nobody = await client.get(f"http://{control.address}/ptz?target=nowhere")
    assert told["now"] == clock.monotonic()
    assert set(told["domes"]) < set(everybody["domes"])
    dome = told["domes"][DOME]
    assert (dome["position"], dome["moving"], dome["commanded"]) == ([0.5, 0, 0], True, 1)
    assert dome["commands"] == [
        {"at": arrived, "operation": "ContinuousMove", "refused": "", "velocity": [1, 0, None], "timeout": 4}
    ]
    assert nobody.status_code == 404
