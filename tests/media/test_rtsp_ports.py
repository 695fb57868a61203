"""The relays' RTSP ports: open while somebody may come, again after a restart, and again where that failed."""

from collections.abc import AsyncIterator

import pytest

from camera_hub.errors import HubError, Kind
from camera_hub.media.background import Background
from camera_hub.media.rtsp_out.ports import RtspPorts
from tests.fakes.clock import ManualClock
from tests.media.parts import RecordingRelay


class Site:
    def __init__(self, background: Background, clock: ManualClock) -> None:
        self.relay = RecordingRelay(answers={"rtsp.listen": {"port": 8554, "detail": ""}})
        self.wanted = True
        self.clock = clock
        self.ports = RtspPorts([self.relay], background, clock, lambda: self.wanted)

    def asked(self) -> list[bool]:
        return [post["listen"] for post in self.relay.posts]


@pytest.fixture
async def site(clock: ManualClock) -> AsyncIterator[Site]:
    async with Background() as background:
        yield Site(background, clock)


async def test_they_are_open_while_that_is_wanted(site: Site) -> None:
    await site.ports.update()
    await site.ports.update()
    assert site.asked() == [True]
    assert site.ports.of_village(3) == 8554
    site.wanted = False
    site.relay.answers["rtsp.listen"] = {"port": None}
    await site.ports.sweep()
    assert site.asked() == [True, False]
    assert site.ports.states()[0].port is None


async def test_a_new_process_opens_its_port_again(site: Site) -> None:
    await site.ports.update()
    site.ports.on_relay_started(0)
    assert site.ports.of_village(3) is None
    await site.clock.settle()
    assert site.asked() == [True, True]


@pytest.mark.parametrize("failure", [HubError(Kind.BUSY, "the port is taken"), {"port": "any"}])
async def test_a_port_that_does_not_open_is_tried_again_now_and_then(
    site: Site, failure: HubError | dict[str, object]
) -> None:
    site.relay.answers["rtsp.listen"] = failure
    await site.ports.update()
    assert site.ports.of_village(3) is None
    site.relay.answers["rtsp.listen"] = {"port": 8554}
    await site.ports.sweep()
    assert site.asked() == [True], "not at once"
    site.clock.move(30)
    await site.ports.sweep()
    assert site.ports.of_village(3) == 8554


async def test_a_port_that_does_not_shut_is_tried_again_now_and_then(site: Site) -> None:
    await site.ports.update()
    site.wanted = False
    site.relay.answers["rtsp.listen"] = HubError(Kind.TIMEOUT, "no reply within 10 s")
    await site.ports.sweep()
    assert site.ports.of_village(3) == 8554, "it is not known to be shut"
    site.relay.answers["rtsp.listen"] = {"port": None}
    site.clock.move(30)
    await site.ports.sweep()
    assert site.asked() == [True, False, False]
    assert site.ports.of_village(3) is None
