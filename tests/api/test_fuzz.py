"""The whole API under requests derived from its description, by every role: no server error, every answer as described.

On PostgreSQL only by the role that reaches most and by one that is bound to a village. What lands is judged by the same
few requests each time (tests.conftest); CAMERA_HUB_FUZZ=60 looks thirty times as far.
"""

import logging
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from schemathesis import Response
from schemathesis.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from camera_hub.access.policy import OF_PERSONS, Role
from camera_hub.access.sessions import Sessions
from camera_hub.api.routing import COOKIE
from camera_hub.clock import SystemClock
from camera_hub.media.child_process import Spawn
from camera_hub.settings import DatabaseSettings, DiscoverySettings, MediaSettings, ServerSettings, Settings
from camera_hub.store.database import Database
from tests.api.conftest import HOST, Hub, running_hub
from tests.api.fuzz import Call, calls

EXAMPLES = int(os.environ.get("CAMERA_HUB_FUZZ", "2"))
"""Valid requests per operation, and as many invalid ones."""
EXPECTED = {502, 503, 504, 507}
"""Server errors that are answers: a device that is not there, a resource that is used up; their shape is checked."""
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]

log = logging.getLogger(__name__)
Recorder = Callable[[str, object], None]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def requests(app: FastAPI) -> list[Call]:
    return calls(app.openapi(), EXAMPLES)


@pytest.fixture
async def site(app: FastAPI, database: Database, tmp_path: Path, spawn: Spawn) -> AsyncIterator[Hub]:
    """A hub in real time that holds one of everything, with the id 1."""
    settings = Settings(
        server=ServerSettings(data_dir=tmp_path / "data"),
        media=MediaSettings(udp_port=0, rtsp_port=0, load_limit=1.0),
        discovery=DiscoverySettings(multicast=False, host_timeout=0.2, onvif_timeout=1.0, local_devices=True),
        database=DatabaseSettings(url=database.url.render_as_string(hide_password=False)),
    )
    async with running_hub(app, settings, database, SystemClock(), spawn) as hub:
        admin = await hub.client(Role.TOWNSHIP_ADMIN)
        camera = {"village_id": hub.village, "name": "村口", "main_url": "rtsp://192.0.2.1/1"}
        await made(admin, "/api/devices/url", camera)
        await made(admin, "/api/cameras/approve", {"ids": [1]}, 200)
        await made(admin, "/api/scenes", {"name": "早", "layout": "1", "cameras": [1]})
        await made(admin, "/api/tours", {"name": "巡", "stops": [{"camera_id": 1}]})
        await made(admin, "/api/rtsp-out/tokens", {"name": "墙"})
        await made(admin, "/api/notices/channels", {"name": "外", "url": "http://127.0.0.1:9/"})
        yield hub


async def made(admin: httpx.AsyncClient, path: str, body: object, status: int = 201) -> None:
    answer = await admin.post(path, json=body)
    assert answer.status_code == status, answer.text


BOTH_DATABASES = {Role.TOWNSHIP_ADMIN, Role.VILLAGE_ADMIN}
ONE_DATABASE = [role for role in OF_PERSONS if role not in BOTH_DATABASES]


@pytest.mark.parametrize("role", sorted(BOTH_DATABASES))
async def test_no_request_is_a_server_error_on_any_database(
    site: Hub, role: Role, requests: list[Call], caplog: pytest.LogCaptureFixture, record_property: Recorder
) -> None:
    await play(site, role, requests, caplog, record_property)


@pytest.mark.one_database
@pytest.mark.parametrize("role", [None, *ONE_DATABASE], ids=str)
async def test_no_request_is_a_server_error_and_every_answer_is_as_described(
    site: Hub, role: Role | None, requests: list[Call], caplog: pytest.LogCaptureFixture, record_property: Recorder
) -> None:
    await play(site, role, requests, caplog, record_property)


async def play(
    site: Hub, role: Role | None, requests: list[Call], caplog: pytest.LogCaptureFixture, record_property: Recorder
) -> None:
    caplog.set_level(logging.INFO, log.name)
    backend = site.parts[Database].url.get_backend_name()
    browser = await site.client(role)
    statuses: Counter[int] = Counter()
    wrong: dict[str, str] = {}
    for call in requests:
        parts = call.parts()
        answer = await browser.request(**parts)
        statuses[answer.status_code] += 1
        said = f"{call.name}: {answer.status_code} {answer.text[:300]!r} to {str(parts)[:600]}"
        if answer.status_code >= 500 and answer.status_code not in EXPECTED:
            wrong.setdefault(call.name, said)
        else:
            try:
                call.case.validate_response(Response.from_any(answer), checks=CHECKS)
            except (AssertionError, ExceptionGroup) as error:
                wrong.setdefault(call.name, f"{said}\n{error} {getattr(error, 'exceptions', '')}")
        if role is not None and answer.status_code == 401:  # signed out by this request or one before
            sessions: Sessions = site.parts[Sessions]
            browser.cookies.clear()
            browser.cookies.set(COOKIE, await sessions.start(site.accounts[role].id), domain=HOST)
    record_property("calls", sum(statuses.values()))
    log.info("%s on %s: %d calls, %s", role, backend, sum(statuses.values()), dict(sorted(statuses.items())))
    assert "\n\n".join(wrong.values()) == ""
    assert [
        record.getMessage() for record in caplog.records if record.exc_info and record.levelno >= logging.ERROR
    ] == []
    assert statuses[401] > (len(requests) // 2 if role is None else 0) or statuses[401] < len(requests) // 20
