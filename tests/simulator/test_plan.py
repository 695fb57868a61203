"""The default township."""

import pytest

from camera_hub.simulator.model import DeviceKind
from camera_hub.simulator.plan import DEMO_FAULTS, Ports, default_farm


@pytest.mark.parametrize(("villages", "cameras"), [(1, 1), (3, 4), (16, 64), (16, 320), (40, 1000)])
def test_a_farm_has_as_many_villages_and_cameras_as_asked(villages: int, cameras: int) -> None:
    plan = default_farm(villages, cameras)
    assert (len(plan.villages), plan.cameras) == (villages, cameras)
    assert all(village.devices for village in plan.villages)


def test_everything_has_an_address_and_a_name_of_its_own() -> None:
    plan = default_farm(40, 1000)
    devices = [device for _, device in plan.devices()]
    for values in (
        [village.name for village in plan.villages],
        [village.key for village in plan.villages],
        [device.address for device in devices],
        [device.uuid for device in devices],
        [device.serial for device in devices],
        [device.mac for device in devices],
        [channel.key for device in devices for channel in device.channels],
    ):
        assert len(set(values)) == len(values)
    for village in plan.villages:
        names = [channel.name for device in village.devices for channel in device.channels]
        assert len(set(names)) == len(names)
        assert len({device.address.rpartition(".")[0] for device in village.devices}) == 1


def test_identity_is_the_same_at_every_start() -> None:
    assert default_farm() == default_farm()


def test_the_default_farm_mixes_recorders_of_eight_and_single_cameras() -> None:
    devices = [device for _, device in default_farm().devices()]
    recorders = [device for device in devices if device.kind is DeviceKind.RECORDER]
    assert {len(device.channels) for device in recorders} == {8}
    assert len(recorders) >= 4
    assert any(device.kind is DeviceKind.CAMERA for device in devices)
    codecs = [channel.main.codec for device in devices for channel in device.channels]
    assert codecs.count("h265") == 1


def test_demo_faults_lie_in_different_villages() -> None:
    plan = default_farm(faults=len(DEMO_FAULTS))
    assert [fault for _, fault in plan.faults] == list(DEMO_FAULTS)
    assert len({target.partition("-")[0] for target, _ in plan.faults}) == len(DEMO_FAULTS)


@pytest.mark.parametrize(("villages", "cameras"), [(1, 8), (5, 40), (16, 64), (16, 320)])
def test_onvif_is_off_at_one_recorder_away_from_the_demo_faults(villages: int, cameras: int) -> None:
    plan = default_farm(villages, cameras, faults=len(DEMO_FAULTS), onvif_off=True)
    *broken, (off, fault) = plan.faults
    assert fault == "onvif_off"
    homes = {device.key: (village.key, device.kind) for village, device in plan.devices()}
    home, kind = homes[off]
    assert kind is DeviceKind.RECORDER
    assert home not in {target.partition("-")[0] for target, _ in broken}


def test_a_farm_without_recorders_has_onvif_on_everywhere() -> None:
    assert default_farm(3, 6, onvif_off=True).faults == ()


@pytest.mark.parametrize(("villages", "cameras"), [(0, 0), (2, 1), (251, 251), (1, 201)])
def test_farms_that_cannot_be_are_refused(villages: int, cameras: int) -> None:
    with pytest.raises(ValueError, match="1 to 250 villages"):
        default_farm(villages, cameras, ports=Ports(0, 0))


def test_passwords_do_not_show_in_a_repr() -> None:
    device = default_farm(1, 1).villages[0].devices[0]
    assert device.password not in repr(device)


def test_domes_are_named_so_and_have_presets() -> None:
    plan = default_farm(16, 64, domes=True)
    channels = [channel for _, device in plan.devices() for channel in device.channels]
    domes = [channel for channel in channels if channel.ptz]
    assert len(domes) >= 8
    assert all(one.name.endswith("球机") and len({name for name, _ in one.presets}) >= 3 for one in domes)
    assert not any("球机" in one.name or one.presets for one in channels if not one.ptz)
    assert not any(one.presets for _, device in default_farm(2, 16).devices() for one in device.channels)
