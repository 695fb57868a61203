"""When two devices are one."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.cameras.discovery.found import MAX_PER_HOST, FoundDevice, FoundDevices
from camera_hub.cameras.identity import (
    DeviceFacts,
    Likeness,
    Mark,
    against,
    changed,
    compared,
    differing,
    marks,
    same,
    same_stream,
)

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


UNIT = replace(KNOWN, place=ELSEWHERE)


@pytest.mark.parametrize(
    ("found", "shared", "both", "expected"),
    [
        (UNIT, (), False, "same"),
        (UNIT, (), True, "may_be_same"),  # both answer: a second way to it, or units that are all alike
        (UNIT, ("serial", "mac", "endpoint"), False, "may_be_same"),
        (UNIT, ("serial", "mac"), False, "may_be_same"),
        (replace(UNIT, mac="", endpoint=""), (), False, "may_be_same"),
        (replace(UNIT, serial="", endpoint=""), (), False, "may_be_same"),
        (replace(UNIT, serial="", endpoint=""), ("mac",), False, "may_be_same"),
        (replace(UNIT, serial="SN9999"), (), False, "may_be_same"),
        (replace(UNIT, serial="SN9999", endpoint="urn:uuid:z"), (), False, "may_be_same"),
        (replace(UNIT, serial="SN9999", endpoint="urn:uuid:z"), ("mac",), False, "different"),
        (replace(UNIT, mac="02:00:00:00:00:09", endpoint="urn:uuid:z"), ("serial",), False, "different"),
        (replace(UNIT, endpoint="urn:uuid:z"), (), False, "may_be_same"),  # reset, or a unit with the same plate
        (replace(KNOWN, endpoint="urn:uuid:z"), (), False, "same"),  # some firmware makes a new one at each reset
        (replace(UNIT, serial="", mac="", endpoint=""), (), False, "different"),
        (replace(KNOWN, serial="SN9999"), (), False, "same"),  # two of three, at its own place
        (replace(KNOWN, serial="SN9999", mac="02:00:00:00:00:09"), (), False, "may_be_same"),
    ],
)
def test_weak_marks_raise_the_question_and_never_answer_it(
    found: DeviceFacts, shared: tuple[str, ...], both: bool, expected: str
) -> None:
    weak = frozenset(one for one in marks(KNOWN) if one[0] in shared)
    assert compared(KNOWN, found, shared=weak, both_answer=both).likeness == expected


@pytest.mark.parametrize("mac", ["00:00:23:34:45:66", "00:11:22:33:44:55"])
def test_an_address_that_firmware_came_with_says_nothing(mac: str) -> None:
    known, found = replace(KNOWN, mac=mac), replace(UNIT, mac=mac, serial="SN9999", endpoint="urn:uuid:z")
    assert compared(known, found).likeness is Likeness.DIFFERENT
    assert "mac" not in differing(KNOWN, found)


def test_the_evidence_is_told() -> None:
    found = replace(UNIT, serial="SN9999")
    one = compared(KNOWN, found, shared=frozenset(one for one in marks(KNOWN) if one[0] == "mac"))
    assert (one.agree, one.weak, one.differ) == (frozenset({"endpoint"}), frozenset({"mac"}), frozenset({"serial"}))


facts_ = st.builds(
    DeviceFacts,
    st.sampled_from(["", "hik ds-1", "dahua"]),
    st.sampled_from(["", "SN2024A1", "sn2024a1", "SN2024A2", "0000", "123456"]),
    st.sampled_from(["", "02:00:00:00:00:01", "02:00:00:00:00:02", "00:11:22:33:44:55"]),
    st.sampled_from(["", "urn:uuid:4f1a-1", "4F1A-1", "uuid:4f1a-2"]),
    st.tuples(st.integers(1, 2), st.sampled_from(["192.168.1.64", "192.168.1.65"]), st.sampled_from([None, 80, 8080])),
)


_POSSIBLE: list[Mark] = [("serial", "sn2024a1"), ("mac", "02:00:00:00:00:01"), ("endpoint", "4f1a-1")]


@given(facts_, facts_, st.booleans(), st.data())
def test_whatever_is_compared(known: DeviceFacts, found: DeviceFacts, both: bool, data: st.DataObject) -> None:
    shared = data.draw(st.frozensets(st.sampled_from(_POSSIBLE)))
    one = compared(known, found, shared=shared, both_answer=both)
    other = compared(found, known, shared=shared, both_answer=both)
    assert (one.likeness, one.agree, one.weak, one.differ) == (other.likeness, other.agree, other.weak, other.differ)
    assert not one.agree & one.weak
    assert not (one.agree | one.weak) & one.differ
    equal = {name for name, value in marks(known) & marks(found)}
    assert one.agree | one.weak <= equal
    assert one.differ.isdisjoint(equal)
    if one.likeness is Likeness.SAME and not one.at_one_place:
        assert len(one.agree) > 1
        assert not both
        assert not one.differ
    if one.likeness is Likeness.DIFFERENT:
        assert not one.agree or one.at_one_place
    if known.place[0] != found.place[0] or known.place[1] != found.place[1]:
        assert not one.at_one_place
    more = compared(known, found, shared=shared | marks(known), both_answer=both)
    assert more.likeness is not Likeness.SAME or more.at_one_place, "shared marks never answer it"


def test_at_a_known_place_its_endpoint_alone_speaks_against_a_device_until_a_person_knows_better() -> None:
    stranger = DeviceFacts("", "", "", "urn:uuid:z", KNOWN.place)
    assert against(KNOWN, stranger) == {"endpoint"}
    assert against(KNOWN, stranger, endpoint_varies=True) == frozenset()
    assert against(KNOWN, replace(KNOWN, endpoint="urn:uuid:z")) == frozenset()
    assert against(KNOWN, replace(KNOWN, serial="SN9999"), endpoint_varies=True) == {"serial"}
    assert against(KNOWN, DeviceFacts("", "", "", "", KNOWN.place)) == frozenset()
