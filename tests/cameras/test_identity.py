"""When two devices are one."""

from dataclasses import replace

import pytest

from camera_hub.cameras.register.identity import DeviceFacts, changed, same

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
