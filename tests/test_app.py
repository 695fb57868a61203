"""The whole hub starts from the ground upwards and stops from the top down."""

import logging
from pathlib import Path
from typing import get_args

import pytest

from camera_hub.api.live import LivePages
from camera_hub.api.schemas.media import Topic
from camera_hub.app import parts
from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.media.child_process import Spawn
from camera_hub.settings import MediaSettings, ServerSettings, Settings
from tests.access.conftest import cheap_passwords
from tests.fakes.clock import ManualClock

ROOMS = [
    "core",
    "access",
    "devices",
    "register",
    "media",
    "joining",
    "bulk",
    "ptz",
    "device events",
    "device settings",
    "recordings",
    "ledger",
    "health",
    "notices",
    "retention",
    "records",
    "patrol",
    "plans",
    "screens",
    "pages",
]
"""In the order in which they are started: each uses only those above it in this list."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        server=ServerSettings(data_dir=tmp_path / "data"),
        media=MediaSettings(udp_port=0, rtsp_port=0, load_limit=1.0),
    )


def happened(caplog: pytest.LogCaptureFixture, what: str) -> list[str]:
    """The rooms to which that happened, in its order."""
    told = [record.getMessage() for record in caplog.records if record.name == "camera_hub.wiring.rooms"]
    return [name for name, _, did in (line.partition(": ") for line in told) if did == what]


@pytest.mark.slow
async def test_rooms_stop_in_the_opposite_order(
    settings: Settings, clock: ManualClock, spawn: Spawn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "camera_hub.wiring.rooms")
    async with parts(settings, clock, cheap_passwords(), spawn) as running:
        assert happened(caplog, "started") == ROOMS
        assert happened(caplog, "stopping") == []
        pages: LivePages = running[LivePages]
        assert {*pages.changes.shared, *pages.changes.personal} == set(get_args(Topic)), "a topic that nobody reads"
    assert happened(caplog, "stopping") == ROOMS[::-1]
    assert happened(caplog, "stopped") == ROOMS[::-1]


@pytest.mark.slow
async def test_a_hub_that_cannot_start_stops_what_has_started(
    settings: Settings, clock: Clock, spawn: Spawn, caplog: pytest.LogCaptureFixture
) -> None:
    """Then the next one finds folder and database free."""
    caplog.set_level(logging.DEBUG, "camera_hub.wiring.rooms")
    broken = settings.server.data_dir / "audit.anchor"
    broken.mkdir(parents=True)
    with pytest.raises(HubError, match=r"audit\.anchor cannot be read"):
        async with parts(settings, clock, cheap_passwords(), spawn):
            raise AssertionError("a hub without an anchor for its audit chain")
    below = ROOMS[: ROOMS.index("records")]
    assert happened(caplog, "started") == below
    assert happened(caplog, "stopped") == ["records", *below[::-1]]
    broken.rmdir()
    async with parts(settings, clock, cheap_passwords(), spawn):
        pass
