"""Tokens and sessions of RTSP out through the API, with the real relay behind it."""

import re
from datetime import timedelta

import pytest

from camera_hub.access.policy import Role
from camera_hub.access.stream_tokens import StreamTokens
from camera_hub.media.rtsp_out.admission import PlayerRequest
from camera_hub.media.rtsp_out.player_sessions import PlayerSessions
from camera_hub.media.rtsp_out.session_register import StreamRegister
from camera_hub.relay.messages import RtspEnded
from camera_hub.store.database import Database
from tests.api.conftest import Hub
from tests.fakes.clock import ManualClock
from tests.fakes.site import add_village


async def test_a_token_is_made_told_once_and_revoked(hub: Hub, database: Database, clock: ManualClock) -> None:
    admin = await hub.client(Role.TOWNSHIP_ADMIN)
    await add_village(database, clock, "南村", 2)
    before = (await admin.get("/api/rtsp-out")).json()
    assert (before["on"], before["tokens"], before["ports"]) == (True, [], [{"relay": 0, "port": None, "detail": ""}])

    answer = await admin.post("/api/rtsp-out/tokens", json={"name": "大屏"})
    assert answer.status_code == 201
    made = answer.json()
    text = made["text"]
    assert re.fullmatch(r"[0-9a-f]{32}", text)
    port = (await admin.get("/api/rtsp-out")).json()["ports"][0]["port"]
    assert port, "the port is open while there is a token"
    assert [(one["port"], one["path"]) for one in made["addresses"]] == [(port, f"/{text}/1"), (port, f"/{text}/2")]
    listed = await admin.get("/api/rtsp-out")
    assert text not in listed.text
    assert listed.json()["tokens"][0]["name"] == "大屏"

    gone = await admin.delete(f"/api/rtsp-out/tokens/{made['token']['id']}")
    assert gone.json()["revoked_at"]
    assert (await admin.get("/api/rtsp-out")).json()["ports"][0]["port"] is None, "the port is shut again"
    assert (await admin.delete("/api/rtsp-out/tokens/99")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x", "village_id": 999},
        {"name": "x", "cameras": []},
        {"name": "x", "cameras": [999]},
        {"name": "x", "max_sessions": 0},
        {"name": "x", "expires_at": "2020-01-01T00:00:00Z"},
        {"name": "x", "expires_at": "2030-01-01T00:00:00"},
        {"name": "x", "token": "mine"},
    ],
)
async def test_what_makes_no_token_is_refused(hub: Hub, body: dict[str, object]) -> None:
    admin = await hub.client(Role.TOWNSHIP_ADMIN)
    assert (await admin.post("/api/rtsp-out/tokens", json=body)).status_code == 422
    assert (await admin.get("/api/rtsp-out")).json()["tokens"] == []


async def test_nobody_but_the_township_admin_sees_anything_of_it(hub: Hub) -> None:
    for role in hub.accounts:
        client = await hub.client(role)
        for path in ("/api/rtsp-out", "/api/rtsp-out/sessions"):
            expected = 200 if role is Role.TOWNSHIP_ADMIN else 403
            assert (await client.get(path)).status_code == expected


async def test_the_register_is_read_page_by_page(hub: Hub, database: Database, clock: ManualClock) -> None:
    admin = await hub.client(Role.TOWNSHIP_ADMIN)
    cameras = await add_village(database, clock, "南村", 2)
    token = (await admin.post("/api/rtsp-out/tokens", json={"name": "大屏"})).json()["token"]["id"]
    register = StreamRegister(database, clock)
    for number in range(3):
        ask = PlayerRequest("", cameras[0], "10.1.1.9", "x" * 200)
        line = await register.begun(token, ask, "main")
        clock.move(10)
        if number < 2:
            await register.ended(line, RtspEnded("", "closed", "tcp", 5_000_000_000, 3))
    first = (await admin.get("/api/rtsp-out/sessions", params={"limit": 2})).json()
    assert [line["running"] for line in first] == [True, False]
    assert (first[1]["bytes"], first[1]["transport"], first[1]["dropped_frames"]) == (5_000_000_000, "tcp", 3)
    assert (first[1]["camera_name"], first[1]["village_name"]) == ("南村摄像机1", "南村")
    assert (first[1]["token_name"], len(first[1]["agent"])) == ("大屏", 128)
    older = (await admin.get("/api/rtsp-out/sessions", params={"before": first[1]["id"]})).json()
    assert [line["id"] for line in older] == [first[1]["id"] - 1]
    assert (await admin.get("/api/rtsp-out/sessions", params={"token_id": token + 1})).json() == []

    ended = await register.page(limit=9)
    assert ended[1].ended_at is not None
    await register.forget(ended[1].ended_at)
    assert len(await register.page(limit=9)) == 2
    await register.forget(clock.now() + timedelta(days=1))
    assert [line.running for line in await register.page(limit=9)] == [True]


async def test_what_is_over_is_forgotten_after_its_days_and_a_token_with_its_last_line(
    hub: Hub, database: Database, clock: ManualClock
) -> None:
    admin = await hub.client(Role.TOWNSHIP_ADMIN)
    cameras = await add_village(database, clock, "南村", 1)
    out, tokens, register = hub.parts[PlayerSessions], hub.parts[StreamTokens], StreamRegister(database, clock)
    ids = [(await admin.post("/api/rtsp-out/tokens", json={"name": "大屏"})).json()["token"]["id"] for _ in range(3)]
    line = await register.begun(ids[0], PlayerRequest("", cameras[0], "10.1.1.9"), "main")
    for token in ids[:2]:
        await tokens.revoke(token)
    clock.move(timedelta(days=181).total_seconds())
    await register.ended(line, RtspEnded("", "revoked", "tcp", 1, 0))
    await out.sweep()
    assert [token.id for token in await tokens.all()] == [ids[2], ids[0]], "the register still names it"
    clock.move(timedelta(days=181).total_seconds())
    await out.sweep()
    assert [token.id for token in await tokens.all()] == [ids[2]]
    assert await out.lines(limit=9) == []
