"""The pairs of UDP ports of sessions."""

from camera_hub.relay.rtsp.udp import open_udp_pair
from tests.fakes.giving_up import given_up_at_each_turn, open_sockets


async def test_a_session_that_is_given_up_while_its_ports_are_opened_leaves_none_open() -> None:
    before = open_sockets()

    async def work() -> None:
        pair = await open_udp_pair("127.0.0.1", lambda _: None)
        pair.close()

    def look() -> None:
        assert open_sockets() == before

    await given_up_at_each_turn(work, look)
