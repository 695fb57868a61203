"""Steering over the page's WebSocket, against a real server: who is told what, and what is no command."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from camera_hub.access.policy import Actor, Role
from camera_hub.cameras.ptz.lock import PtzHolder
from camera_hub.cameras.ptz.state import PtzState
from camera_hub.cameras.ptz.wishes import HomeWish, MoveWish, PointWish, PresetWish, PtzWish, StepWish, StopWish
from camera_hub.clock import SystemClock
from camera_hub.events import AccessChanged, EventBus, PtzChanged
from camera_hub.media.engine import MediaEngine
from camera_hub.settings import Settings
from camera_hub.store.database import Database
from tests.api.hub_with_media import OPERATOR, VILLAGE_ADMIN, Site, serving
from tests.media.conftest import media, settings, site, sources

pytestmark = pytest.mark.one_database

__all__ = ["media", "settings", "site", "sources"]

PAGE = "page-0001"
OURS, FOREIGN = 1, 5
NOW = SystemClock().now()
STEERED = PtzState(True, PtzHolder("person", 9, "张三", 3), NOW, None, None, None)


@pytest.fixture
async def hub(media: MediaEngine, bus: EventBus, site: Database, settings: Settings) -> AsyncIterator[Site]:
    async with serving(media, bus, SystemClock(), site, settings) as hub:
        yield hub


def ptz(**values: Any) -> str:
    return json.dumps({"type": "ptz", "serial": 1, "camera": OURS, **values})


@pytest.mark.parametrize(
    ("message", "wish"),
    [
        (ptz(do="move", pan=-1, tilt=0.5, zoom=1e-9), MoveWish(-1, 0.5, 1e-9)),
        (ptz(do="stop"), StopWish()),
        (ptz(do="point", x=0, y=1), PointWish(0, 1)),
        (ptz(do="step", pan=1, size=3), StepWish(1, 0, 0, 3)),
        (ptz(do="preset", token="a/../ 预置"), PresetWish("a/../ 预置")),
        (ptz(do="home"), HomeWish()),
    ],
)
async def test_each_command_reaches_the_camera(hub: Site, message: str, wish: PtzWish) -> None:
    async with hub.page(PAGE) as page:
        await page.connection.send(message)
        assert (await page.next("ptz"))["serial"] == 1
    assert hub.steering.commands == [(OPERATOR.user_id, OURS, wish, f"{PAGE}")]
    assert (PAGE, None) in hub.steering.left  # the page has ended


@pytest.mark.parametrize(
    "message",
    [
        '{"type": "ptz", "serial": 1, "camera": 1, "do": "move", "pan": NaN}',
        '{"type": "ptz", "serial": 1, "camera": 1, "do": "move", "pan": 1e999}',
        ptz(do="move", pan=1.5),
        ptz(do="move", pan="left"),
        ptz(do="move", pan=None),
        ptz(do="point", x=-0.1, y=0),
        ptz(do="point", x=0.5),
        ptz(do="step", pan=2),
        ptz(do="step", pan=1, size=4),
        ptz(do="preset", token=""),
        ptz(do="preset", token="a\x00b"),
        ptz(do="preset", token="x" * 129),
        ptz(do="dance"),
        ptz(do="stop", camera=0),
        ptz(do="stop", camera=2**63),
        ptz(do="stop", serial=-1),
        ptz(do="stop", more=1),
        ptz(),
    ],
)
async def test_what_is_no_command_closes_the_connection(hub: Site, message: str) -> None:
    async with hub.page(PAGE) as page:
        await page.next("hello")
        await page.connection.send(message)
        assert await page.closed() == 1003
    assert hub.steering.commands == []


async def test_a_page_is_told_nothing_of_cameras_that_its_user_may_not_see(hub: Site, bus: EventBus) -> None:
    hub.steering.states[FOREIGN] = (2, STEERED)
    hub.steering.states[OURS] = (1, STEERED)
    async with hub.page(PAGE, "village") as page:
        await page.connection.send(ptz(do="move", pan=1, camera=FOREIGN))
        told = (await page.next("ptz", camera=FOREIGN))["state"]
        assert told["last_error"]["reason"] == "not_found"
        assert (told["moving"], told["holder"]) == (False, None)
        bus.publish(PtzChanged(FOREIGN, 2))
        await page.connection.send(ptz(do="stop"))
        told = await page.next("ptz")
        assert told["camera"] == OURS
        assert told["state"]["holder"]["name"] == "张三"


async def test_who_loses_the_right_while_steering_is_stopped_and_told_no_more(hub: Site, bus: EventBus) -> None:
    hub.steering.states[OURS] = (1, STEERED)
    async with hub.page(PAGE, "village") as page:
        await page.connection.send(ptz(do="move", pan=1))
        assert (await page.next("ptz"))["state"]["moving"]
        hub.sessions.actors["village"] = Actor(2, "v", "Village", Role.VILLAGE_ADMIN, frozenset({3}))
        bus.publish(AccessChanged(VILLAGE_ADMIN.user_id))
        await page.next("reload")
        assert hub.steering.left == [(PAGE, None)]
        await page.connection.send(ptz(do="move", pan=1, serial=2))
        told = await page.next("ptz", serial=2)
        assert told["state"]["last_error"]["reason"] == "not_found"
        assert not told["state"]["moving"]


async def test_of_a_flood_of_commands_the_last_one_is_carried_out(hub: Site) -> None:
    async with hub.page(PAGE) as page:
        for serial in range(1, 2001):
            await page.connection.send(ptz(do="move", pan=0.5, serial=serial, camera=1 + serial % 100))
        await page.connection.send(ptz(do="stop", serial=2001))
        await page.next("ptz", serial=2001, camera=OURS)
    assert hub.steering.commands[-1] == (OPERATOR.user_id, OURS, StopWish(), PAGE)
