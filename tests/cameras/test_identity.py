"""When two devices are one."""

from dataclasses import replace

import pytest

from camera_hub.cameras.discovery.found import MAX_PER_HOST, FoundDevice, FoundDevices
from camera_hub.cameras.identity import DeviceFacts, changed, same, same_stream

KNOWN = DeviceFacts("hik ds-1", "SN2024A1", "02:00:00:00:00:01", "urn:uuid:a", (1, "192.168.1.64", 80))
ELSEWHERE = (2, "192.168.1.64", 80)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (KNOWN, True),
        (replace(KNOWN, place=ELSEWHERE), True),
        (DeviceFacts("hik ds-1", "SN2024A1", "", "", ELSEWHERE), True),
        (DeviceFacts("hik ds-1", "", "", "urn:uuid:a", ELSEWHERE), True),
        (DeviceFacts("hik ds-1", "", "02:00:00:00:00:01", "", ELSEWHERE), False),
        (DeviceFacts("hik ds-1", "", "", "", ELSEWHERE), False),
        (DeviceFacts("hik ds-1", "", "", "", KNOWN.place), True),
        (DeviceFacts("dahua", "", "", "", KNOWN.place), False),
        (DeviceFacts("hik ds-1", "SN9999", "02:00:00:00:00:99", "urn:uuid:z", KNOWN.place), False),
        (DeviceFacts("hik ds-1", "SN9999", "02:00:00:00:00:01", "urn:uuid:a", ELSEWHERE), False),
        (DeviceFacts("dahua", "SN2024A1", "", "", ELSEWHERE), False),
        (replace(KNOWN, endpoint="urn:uuid:new", place=ELSEWHERE), True),
    ],
)
def test_neither_address_nor_mac_alone_makes_it_the_same(found: DeviceFacts, expected: bool) -> None:
    assert same(KNOWN, found) is expected


@pytest.mark.parametrize("serial", ["", "0", "0000000", "1", "123456", "1234567890", "N/A", "none", "unknown"])
def test_a_serial_number_that_many_share_proves_nothing(serial: str) -> None:
    known = DeviceFacts("x", serial, "", "", (1, "a", 80))
    assert not same(known, DeviceFacts("x", serial, "", "", (2, "b", 80)))


def test_another_serial_number_at_the_address_is_a_change() -> None:
    assert changed(KNOWN, replace(KNOWN, serial="SN9999")) == {"serial"}
    assert changed(KNOWN, replace(KNOWN, endpoint="urn:uuid:new")) == set()
    assert changed(KNOWN, replace(KNOWN, serial="", mac="")) == set()


def test_what_is_not_known_says_nothing_at_the_same_place() -> None:
    village, host, _ = KNOWN.place
    nameless = DeviceFacts("", "", "", "", (village, host, None))
    assert same(KNOWN, nameless)
    assert not same(KNOWN, replace(nameless, place=(village, host, 8080)))
    assert not same(KNOWN, replace(nameless, place=(2, host, None)))


@pytest.mark.parametrize("spelled", ["urn:uuid:A", "uuid:a", "a", "URN:UUID:a"])
def test_an_endpoint_is_the_same_however_it_is_spelled(spelled: str) -> None:
    assert same(KNOWN, DeviceFacts("", "", "", spelled, ELSEWHERE))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("rtsp://192.168.9.9:554/live/1?x=1", True),
        ("rtsp://192.168.9.9/live/1?x=1", True),
        ("rtsp://192.168.9.9/live/1", False),
        ("rtsp://192.168.9.9:8554/live/1?x=1", False),
        ("rtsps://192.168.9.9/live/1?x=1", False),
        ("rtsp://192.168.9.8/live/1?x=1", False),
    ],
)
def test_a_stream_is_the_same_with_and_without_the_usual_port(url: str, expected: bool) -> None:
    assert same_stream("rtsp://192.168.9.9/live/1?x=1", url) is expected
    assert same_stream(url, "rtsp://192.168.9.9/live/1?x=1") is expected


def found(host: str, endpoint: str = "", port: int = 80, **more: str | None) -> FoundDevice:
    return FoundDevice(host, port, "unicast", endpoint=endpoint, **more)  # type: ignore[arg-type]


def test_a_search_keeps_one_entry_per_device_however_it_answers() -> None:
    devices = FoundDevices(1)
    devices.add(found("10.0.0.1", port=554, reason="onvif_off"))
    devices.add(found("10.0.0.1", "urn:uuid:a", name="村口"))
    assert devices.knows(found("10.0.0.1", "urn:uuid:a"))
    devices.add(found("10.0.0.1", "urn:uuid:a", mac="02:00:00:00:00:01"))
    devices.add(found("10.0.0.2", port=8080))
    assert [(one.host, one.endpoint, one.name, one.mac) for one in devices.all()] == [
        ("10.0.0.1", "urn:uuid:a", "村口", "02:00:00:00:00:01"),
        ("10.0.0.2", "", "", ""),
    ]


def test_two_devices_behind_one_address_are_two() -> None:
    devices = FoundDevices(1)
    devices.add(found("10.0.0.1", "urn:uuid:a", 80))
    devices.add(found("10.0.0.1", "urn:uuid:b", 8080))
    assert len(devices) == 2


def test_a_host_that_announces_thousands_of_devices_is_kept_small() -> None:
    devices = FoundDevices(1)
    for number in range(1000):
        devices.add(found("10.0.0.1", f"urn:uuid:{number}", 1000 + number))
    assert len(devices) == MAX_PER_HOST
