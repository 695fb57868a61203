"""Whose word is taken for where a request came from."""

from ipaddress import ip_network

import pytest
from starlette.types import Message, Receive, Scope, Send

from camera_hub.api.client_address import ClientAddress, origin
from camera_hub.errors import HubError
from camera_hub.settings import load
from tests.api.conftest import Hub

TRUSTED = [ip_network("127.0.0.0/8"), ip_network("10.1.0.0/16"), ip_network("2001:db8::/64")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),  # what the client itself wrote is before it
        ("127.0.0.1", "203.0.113.9, 198.51.100.7, 10.1.2.3", "198.51.100.7"),
        ("127.0.0.1", "10.1.2.4, 10.1.2.3", "10.1.2.4"),
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),  # no proxy of ours
        ("10.2.0.1", "203.0.113.9", "10.2.0.1"),
        ("::ffff:127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "198.51.100.7:4711", "198.51.100.7"),
        ("127.0.0.1", '"[2001:db8:1::7]:4711"', "2001:db8:1::7"),
        ("2001:db8::5", "2001:db8:1::7", "2001:db8:1::7"),
        ("127.0.0.1", "198.51.100.7, unknown", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.7,,", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9," + "10.1.2.3," * 1000 + "10.1.2.3", "10.1.2.3"),
        ("", "198.51.100.7", ""),
    ],
)
def test_the_header_is_read_from_the_right_through_trusted_proxies_only(peer: str, forwarded: str, client: str) -> None:
    assert origin(peer, forwarded, TRUSTED) == client


@pytest.mark.parametrize(
    ("peer", "kind", "scheme", "client"),
    [
        ("127.0.0.1", "http", "https", "198.51.100.7"),
        ("127.0.0.1", "websocket", "wss", "198.51.100.7"),
        ("192.0.2.1", "http", "http", "192.0.2.1"),
        ("192.0.2.1", "websocket", "ws", "192.0.2.1"),
    ],
)
async def test_address_and_scheme_of_the_request_are_the_browsers(
    peer: str, kind: str, scheme: str, client: str
) -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    async def never() -> Message:
        raise AssertionError

    async def nothing(message: Message) -> None:
        raise AssertionError

    headers = [
        (b"x-forwarded-for", b"203.0.113.9"),
        (b"x-forwarded-for", b"198.51.100.7"),
        (b"x-forwarded-proto", b"https"),
    ]
    plain = "http" if kind == "http" else "ws"
    scope = {"type": kind, "client": (peer, 1), "scheme": plain, "headers": headers}
    await ClientAddress(app, ["127.0.0.1"])(scope, never, nothing)
    assert (seen[0]["client"], seen[0]["scheme"]) == ((client, 1), scheme)
    assert scope["client"] == (peer, 1), "the server's own is left alone"


def test_a_proxy_that_is_no_network_is_refused_at_start() -> None:
    with pytest.raises(HubError, match=r"10\.1\.0\.1/16"):
        load(None, {"CAMERA_HUB_SERVER__TRUSTED_PROXIES": '["10.1.0.1/16"]'})


async def test_strangers_behind_a_proxy_are_told_apart_and_none_can_choose_its_address(hub: Hub) -> None:
    """The browser of the test stands on the loopback, as a proxy would."""
    browser = await hub.client(None)

    async def fail(forwarded: str) -> int:
        body = {"username": "leader", "password": "wrong"}
        return (await browser.post("/api/session", json=body, headers={"x-forwarded-for": forwarded})).status_code

    made = [await fail(f"203.0.113.{number}, 198.51.100.7") for number in range(10)]
    assert made == [401] * 5 + [429] * 5
    assert await fail("203.0.113.1, 198.51.100.8") == 401
