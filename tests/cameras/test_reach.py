"""Which addresses are connected to: kinds that no camera has, the hub itself, and a village's ranges."""

import ipaddress

import pytest

from camera_hub.cameras.device_checks import DevicePlace
from camera_hub.cameras.discovery import ranges
from camera_hub.cameras.reach import IpAddress, OwnService, ReachPolicy, canonical, checking, reach
from camera_hub.errors import HubError, Kind, Reason

OWN = ipaddress.ip_address("10.1.0.5")
OWN_V6 = ipaddress.ip_address("fd00:1::5")
HUB = ReachPolicy(
    own=frozenset({OWN, OWN_V6}),
    broadcasts=frozenset({ipaddress.ip_address("10.1.0.255")}),
    services=frozenset({OwnService(None, 8000), OwnService(ipaddress.ip_address("127.0.0.1"), 8554)}),
)
DEMO = ReachPolicy(HUB.own, HUB.broadcasts, HUB.services, local_devices=True)
VILLAGE = ranges.parsed(["192.168.1.0/24", "10.1.0.0/28", "10.2.0.1-10.2.0.9"])

NEVER = {
    "0.0.0.0": "unspecified",
    "0.1.2.3": "reserved",
    "224.0.0.1": "multicast",
    "239.255.255.250": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "broadcast",
    "10.1.0.255": "broadcast",
    "169.254.1.1": "link_local",
    "169.254.169.254": "link_local",
    # link-local in its other spellings, and as an address within an address
    "::ffff:169.254.1.1": "link_local",
    "::ffff:a9fe:101": "link_local",
    "::169.254.1.1": "embedded",
    "::ffff:0:169.254.1.1": "embedded",
    "64:ff9b::169.254.1.1": "embedded",
    "64:ff9b:1::a9fe:101": "embedded",
    "64:ff9b:1:a9fe:1:100::": "embedded",
    "2002:a9fe:101::1": "embedded",
    "2001:0:a9fe:101::1": "embedded",
    "2001:db8::5efe:a9fe:101": "embedded",
    "2001:db8::200:5efe:a9fe:101": "embedded",
    "fe80::1": "link_local",
    "fe80::1%eth0": "not_an_address",
    "2001:db8::1%2": "not_an_address",
    "2851995905": "not_an_address",
    "0xa9fe0101": "not_an_address",
    "0xa9.0xfe.1.1": "not_an_address",
    "0251.0376.0001.0001": "not_an_address",
    "169.254.257": "not_an_address",
    "１６９.254.1.1": "not_an_address",
    " 192.168.1.64": "not_an_address",
    "192.168.1.64\n": "not_an_address",
    "192.168.1.64 ": "not_an_address",
    "camera.village": "not_an_address",
    "": "not_an_address",
    "::": "unspecified",
    "ff02::c": "multicast",
    "100::1": "reserved",
    "fec0::1": "reserved",
    "2001:20::1": "reserved",
    "4000::1": "reserved",
}
HERE = {
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "::ffff:127.0.0.1": "loopback",
    "::1": "loopback",
    "10.1.0.5": "own_address",
    "::ffff:10.1.0.5": "own_address",
    "fd00:1::5": "own_address",
}


@pytest.mark.parametrize(("address", "why"), [*NEVER.items(), *HERE.items()])
def test_an_address_that_no_camera_has_is_refused_whoever_asks(address: str, why: str) -> None:
    with pytest.raises(HubError) as township:
        reach(address, 80, allowed=None, policy=HUB)
    assert (township.value.kind, township.value.reason) == (Kind.INVALID, Reason.ADDRESS_REFUSED)
    assert township.value.params == {"why": why}
    with pytest.raises(HubError) as village:
        reach(address, 80, allowed=ranges.parsed(["10.1.0.0/24"]), policy=HUB)
    assert (village.value.reason, village.value.params) == (Reason.ADDRESS_REFUSED, {})


def test_within_ranges_all_refusals_are_one() -> None:
    said = set()
    for address, port in [
        *((one, 80) for one in [*NEVER, *HERE, "192.168.2.1", "8.8.8.8", "fd00::1"]),
        ("10.2.0.1", 0),
    ]:
        with pytest.raises(HubError) as caught:
            reach(address, port, allowed=VILLAGE, policy=HUB)
        said.add((caught.value.detail, caught.value.reason, str(caught.value.params)))
    assert len(said) == 1


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("192.168.1.64", True),
        ("::ffff:192.168.1.64", True),
        ("192.168.1.0", False),  # the network's own address and its broadcast address are no device's
        ("192.168.1.255", False),
        ("10.2.0.9", True),
        ("10.2.0.10", False),
        ("192.168.2.64", False),
        ("2001:db8::1", False),
    ],
)
def test_a_village_reaches_its_ranges_alone(address: str, inside: bool) -> None:
    check = checking(VILLAGE, lambda: HUB)
    if inside:
        check(address, 554)
    else:
        with pytest.raises(HubError):
            check(address, 554)
    if not address.endswith((".0", ".255")):
        checking(None, lambda: HUB)(address, 554)


def test_a_village_without_ranges_reaches_nothing_and_is_told_whom_to_ask() -> None:
    for address in ("192.168.1.64", "127.0.0.1", "nonsense"):
        with pytest.raises(HubError) as caught:
            reach(address, 80, allowed=[], policy=HUB)
        assert caught.value.reason == Reason.NO_RANGES
        assert "township admin" in caught.value.detail


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_is_a_port(port: int) -> None:
    with pytest.raises(HubError) as caught:
        reach("192.168.1.64", port, allowed=None, policy=HUB)
    assert caught.value.params == {"why": "port"}


@pytest.mark.parametrize(
    ("address", "port", "why"),
    [
        ("127.20.0.1", 80, None),
        ("127.20.0.1", 8554, None),  # the hub's RTSP port is at 127.0.0.1 alone
        ("127.0.0.1", 8554, "own_service"),
        ("::ffff:127.0.0.1", 8554, "own_service"),
        ("127.20.0.1", 8000, "own_service"),  # its pages are at every address
        ("10.1.0.5", 8000, "own_service"),
        ("::1", 8000, "own_service"),
        ("10.1.0.5", 80, None),
        ("169.254.1.1", 80, "link_local"),
        ("64:ff9b::7f00:1", 80, "embedded"),
    ],
)
def test_a_demo_has_its_devices_on_this_machine_but_not_the_hub_itself(
    address: str, port: int, why: str | None
) -> None:
    if why is None:
        reach(address, port, allowed=None, policy=DEMO)
        return
    with pytest.raises(HubError) as caught:
        reach(address, port, allowed=None, policy=DEMO)
    assert caught.value.params == {"why": why}


def test_ranges_hold_in_a_demo_too() -> None:
    own = ranges.parsed(["127.20.1.1-127.20.1.9"])
    reach("127.20.1.9", 80, allowed=own, policy=DEMO)
    for address in ("127.20.2.1", "127.0.0.1", "::ffff:127.20.2.1"):
        with pytest.raises(HubError):
            reach(address, 80, allowed=own, policy=DEMO)
    with pytest.raises(HubError):
        reach("127.20.1.9", 8000, allowed=own, policy=DEMO)


@pytest.mark.parametrize(
    ("text", "ip"),
    [
        ("192.168.1.64", ipaddress.ip_address("192.168.1.64")),
        ("::FFFF:192.168.1.64", ipaddress.ip_address("192.168.1.64")),
        ("2001:DB8:0::1", ipaddress.ip_address("2001:db8::1")),
        ("fe80::1%1", None),
        ("127.1", None),
    ],
)
def test_an_address_has_one_form(text: str, ip: IpAddress | None) -> None:
    assert canonical(text) == ip


def test_an_approved_address_that_an_earlier_version_stored_as_it_was_typed_is_still_the_same() -> None:
    mapped = DevicePlace("[::ffff:c0a8:140]:80", "[::ffff:c0a8:140]:80", "::ffff:c0a8:140", ())
    mapped.check("192.168.1.64", 554, HUB)
    with pytest.raises(HubError) as other:
        mapped.check("192.168.1.65", 554, HUB)
    assert other.value.reason == Reason.ADDRESS_CHANGED
