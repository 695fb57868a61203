"""Several relays: villages are shared among them, and a tile follows its camera's village."""

import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from camera_hub.clock import SystemClock
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus
from camera_hub.media.engine import Media
from camera_hub.media.ports import Quality, RelayNew, Show
from camera_hub.media.processes import environment
from camera_hub.media.relays import Relay, config_of
from camera_hub.settings import Media as MediaSettings
from camera_hub.settings import Settings
from camera_hub.store.database import Database
from tests.media.conftest import FAKE_EYE, FAKE_RELAY, OPERATOR, FakeChosen, FakeSources, tile_in, until

PAGE = "page-0001"


class TwoVillages(FakeSources):
    """Camera 5 is of village 2, all others of village 1."""

    async def choose(self, camera_id: int, quality: Quality, codecs: frozenset[str]) -> FakeChosen:
        return replace(await super().choose(camera_id, quality, codecs), village_id=2 if camera_id == 5 else 1)


@pytest.fixture
async def two(settings: Settings, bus: EventBus, site: Database) -> AsyncIterator[Media]:
    settings = settings.model_copy(update={"media": MediaSettings(relays=2, udp_port=0)})
    commands: dict[str, Any] = {"relay_command": FAKE_RELAY, "eye_command": FAKE_EYE}
    async with Media(settings, SystemClock(), bus, site, TwoVillages(), **commands) as media:
        yield media


async def test_a_tile_is_carried_by_the_relay_of_its_village(two: Media) -> None:
    async with two.page(PAGE, OPERATOR) as news:
        first = (await two.offer(OPERATOR, PAGE, 0, "offer")).viewer
        second = (await two.offer(OPERATOR, PAGE, 1, "offer")).viewer
        await two.show(PAGE, Show(first, 0, 1, 1))
        assert (await tile_in(news, "live")).viewer == second
        await two.show(PAGE, Show(second, 0, 1, 1))
        await two.show(PAGE, Show(first, 0, 2, 5))
        live = await tile_in(news, "live")
        assert (live.viewer, live.serial, live.camera) == (first, 2, 5)
        await two.show(PAGE, Show(first, 0, 3, None))
        assert (await tile_in(news, "empty")).viewer == first


async def test_a_relay_that_dies_leaves_its_tiles_to_the_other(two: Media) -> None:
    async with two.page(PAGE, OPERATOR) as news:
        first = (await two.offer(OPERATOR, PAGE, 0, "offer")).viewer
        await two.offer(OPERATOR, PAGE, 1, "offer")
        await two.show(PAGE, Show(first, 0, 1, 1))
        await tile_in(news, "live")
        pid = two._feeds.relays[1].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(news, lambda n: n == RelayNew(1, 2))
        assert (await tile_in(news, "live")).viewer == first
        assert two.viewers_of(PAGE) == [first]


async def test_a_relay_that_cannot_start_is_told_at_once(settings: Settings) -> None:
    relay = Relay(
        0,
        config_of(settings, 0),
        SystemClock(),
        on_start=lambda relay: None,
        on_message=lambda relay, frame: None,
        command=("/bin/false",),
    )
    with pytest.raises(HubError) as error:
        async with relay:
            pass
    assert error.value.kind is Kind.UNAVAILABLE


def test_relays_take_ports_one_after_the_other(settings: Settings) -> None:
    several = settings.model_copy(update={"media": MediaSettings(udp_port=8189)})
    assert [config_of(several, number).udp_port for number in range(3)] == [8189, 8190, 8191]
    assert config_of(settings, 2).udp_port == 0


def test_helpers_get_no_secret_of_our_environment() -> None:
    ours = {
        "PATH": "/bin",
        "CAMERA_HUB_DATABASE__URL": "postgresql://hub:secret@db/hub",
        "AWS_SECRET": "x",
        "TZ": "UTC",
    }
    passed = environment(ours)
    assert (passed["PATH"], passed["TZ"]) == ("/bin", "UTC")
    assert not any("secret" in value or "SECRET" in name for name, value in passed.items())
    assert "CAMERA_HUB_DATABASE__URL" not in passed
