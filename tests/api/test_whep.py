"""WHEP as foreign players see it: logins, headers, sessions of their owner alone, and their end with the token."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from camera_hub.access.stream_tokens import TokenScope
from camera_hub.api.whep import ice_server_links
from camera_hub.clock import SystemClock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import EventBus
from camera_hub.media.engine import MediaEngine
from camera_hub.settings import Settings
from camera_hub.store.database import Database
from tests.api.hub_with_media import OPERATOR, Site, serving
from tests.media.conftest import FakeSources, eventually, media, site, sources

pytestmark = pytest.mark.one_database

__all__ = ["media", "site", "sources"]

SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}
OFFER = "v=0\r\na=ice-ufrag:play\r\n"
ICE: list[dict[str, Any]] = [
    {"urls": "stun:stun.example:3478"},
    {"urls": ["turn:turn.example?transport=udp"], "username": 'u"1', "credential": "se\\cret"},
]
ALL = TokenScope()
PORTAL = "https://portal.example"


@pytest.fixture
def settings(tmp_path: Any) -> Settings:
    return Settings.model_validate(
        {
            "server": {"data_dir": tmp_path},
            "media": {"udp_port": 0, "load_limit": 1.0, "ice_servers": ICE, "whep_origins": [PORTAL]},
            "eye": {"processes": 1},
        }
    )


@pytest.fixture
async def hub(media: MediaEngine, bus: EventBus, site: Database, settings: Settings) -> AsyncIterator[Site]:
    async with serving(media, bus, SystemClock(), site, settings) as hub:
        yield hub


@pytest.fixture
async def player(hub: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=hub.url, trust_env=False, timeout=60) as client:
        yield client


async def made(hub: Site, scope: TokenScope = ALL, **values: Any) -> tuple[int, str]:
    values = {"expires_at": None, "max_sessions": 4, **values}
    token, text = await hub.media.stream_tokens.create(OPERATOR, "大屏", scope, **values)
    await hub.media.players.on_tokens_changed()
    return token.id, text


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


@pytest.mark.parametrize("way", ["bearer", "basic", "path", "session"])
async def test_a_player_plays_by_its_login_and_ends_what_it_began(
    hub: Site, player: httpx.AsyncClient, way: str
) -> None:
    token, text = await made(hub)
    address = f"/whep/{text}/1/sub" if way == "path" else "/api/cameras/1/whep"
    login = {"bearer": bearer(text), "basic": basic("decoder", text), "path": {}, "session": bearer("op")}[way]
    answer = await player.post(address, content=OFFER, headers=SDP | login)
    assert (answer.status_code, answer.text) == (201, "answer"), answer.text
    assert answer.headers["content-type"].startswith("application/sdp")
    assert answer.headers["accept-patch"] == "application/trickle-ice-sdpfrag"
    assert re.fullmatch(r'"[0-9a-f]{16}"', answer.headers["etag"])
    assert 'rel="ice-server"' in answer.headers["link"]
    if way != "session":
        (line,) = await hub.media.players.lines(limit=9)
        assert (line.token_id, line.camera_id, line.address, line.running) == (token, 1, "127.0.0.1", True)
        assert line.agent.startswith("python-httpx")
        assert hub.media.players.running() == {token: 1}
    location = answer.headers["location"]
    viewer = location.rpartition("/")[2]
    assert len(viewer) >= 16
    _, other = await made(hub)
    for stranger in (bearer(other), basic("x", other), bearer("village")):
        for method in ("DELETE", "PATCH"):
            headers = stranger | FRAGMENT | {"If-Match": "*"}
            asked = await player.request(method, f"/api/whep/{viewer}", headers=headers, content=OFFER)
            assert asked.status_code == 404, "another player's session is none"
    assert (await player.delete(f"/whep/{other}/1/sessions/{viewer}")).status_code == 404
    assert (await player.delete(f"/api/whep/{viewer}")).status_code == 401
    assert (await player.delete(location, headers=login)).status_code == 200
    assert (await player.delete(location, headers=login)).status_code == 404
    if way != "session":
        ended = await over(hub)
        assert (ended.end_reason, ended.transport) == ("closed", "webrtc")
        assert hub.media.players.running() == {}


@pytest.mark.parametrize("way", ["bearer", "basic", "path"])
async def test_an_offer_of_a_browser_with_many_codecs_needs_no_session(
    hub: Site, player: httpx.AsyncClient, way: str
) -> None:
    _, text = await made(hub)
    address = f"/whep/{text}/1" if way == "path" else "/api/cameras/1/whep"
    login = {"bearer": bearer(text), "basic": basic("decoder", text), "path": {}}[way]
    offer = OFFER + "a=x-many:" + "y" * 200_000 + "\r\n"
    answer = await player.post(address, content=offer, headers=SDP | login)
    assert answer.status_code == 201, answer.text
    refused = await player.post("/api/cameras/1/whep", content=offer, headers=SDP)
    assert refused.status_code == 401, "whoever has no login is told so"


async def over(hub: Site) -> Any:
    async def ended() -> bool:
        return not (await hub.media.players.lines(limit=1))[0].running

    await eventually(ended)
    return (await hub.media.players.lines(limit=1))[0]


async def test_no_login_or_a_wrong_one_is_told_how_to_log_in(hub: Site, player: httpx.AsyncClient) -> None:
    revoked, text = await made(hub)
    await hub.media.stream_tokens.revoke(revoked)
    wrong = "0" * 32
    for address, headers in (
        ("/api/cameras/1/whep", {}),
        ("/api/cameras/1/whep", bearer(wrong)),
        ("/api/cameras/1/whep", bearer("nonsense")),
        ("/api/cameras/1/whep", basic("op", "nonsense")),
        ("/api/cameras/1/whep", {"Authorization": "Basic %%%"}),
        ("/api/cameras/1/whep", basic("x", text)),
        (f"/whep/{wrong}/1", {}),
        (f"/whep/{text}/1", {}),
        ("/whep/nonsense/1", {}),
    ):
        answer = await player.post(address, content=OFFER, headers=SDP | headers)
        assert answer.status_code == 401, address
        challenges = answer.headers.get_list("www-authenticate")
        assert [one.split()[0] for one in challenges] == ["Bearer", "Basic"]
        assert all("realm=" in one for one in challenges)
        assert wrong not in answer.text
        assert text not in answer.text
    signed_in = await player.post("/whep/nonsense/1", content=OFFER, headers=SDP | bearer("op"))
    assert signed_in.status_code == 404, "a path without a token is no address"


async def test_a_token_opens_what_it_covers_and_so_many_at_once(hub: Site, player: httpx.AsyncClient) -> None:
    _, text = await made(hub, TokenScope(village_id=1), max_sessions=1)
    assert (await player.post(f"/whep/{text}/5", content=OFFER, headers=SDP)).status_code == 404
    assert (await player.post(f"/whep/{text}/6", content=OFFER, headers=SDP)).status_code == 404, "not approved"
    assert (await player.post(f"/whep/{text}/99", content=OFFER, headers=SDP)).status_code == 404
    assert (await player.post(f"/whep/{text}/1", content="broken", headers=SDP)).status_code == 422
    assert hub.media.players.running() == {}, "what was refused holds nothing"
    assert (await player.post(f"/whep/{text}/1", content=OFFER, headers=SDP)).status_code == 201
    assert (await player.post(f"/whep/{text}/2", content=OFFER, headers=SDP)).status_code == 429


async def test_a_revoked_token_ends_its_players(hub: Site, player: httpx.AsyncClient) -> None:
    token, text = await made(hub)
    location = (await player.post(f"/whep/{text}/1", content=OFFER, headers=SDP)).headers["location"]
    await hub.media.stream_tokens.revoke(token)
    assert (await over(hub)).end_reason == "revoked"
    assert hub.media.readings.summary()["viewers"] == 0
    assert (await player.delete(location)).status_code == 401


async def test_who_tries_tokens_is_braked_and_who_has_one_is_not(hub: Site, player: httpx.AsyncClient) -> None:
    _, text = await made(hub)
    answers = await asyncio.gather(
        *(player.post(f"/whep/{number:032x}/1", content=OFFER, headers=SDP) for number in range(60))
    )
    codes = [answer.status_code for answer in answers]
    assert set(codes) == {401, 429}
    assert codes.count(401) >= 20
    last = next(answer for answer in answers if answer.status_code == 429)
    assert int(last.headers["retry-after"]) >= 1
    assert (await player.post(f"/whep/{text}/1", content=OFFER, headers=SDP)).status_code == 201


async def test_what_may_be_posted_is_told_to_anybody_and_turn_logins_to_those_who_have_one(
    hub: Site, player: httpx.AsyncClient
) -> None:
    _, text = await made(hub)
    for address, secret in (("/api/cameras/1/whep", False), (f"/whep/{text}/1", True), (f"/whep/{'0' * 32}/1", False)):
        answer = await player.options(address)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["accept-post"] == "application/sdp"
        links = answer.headers.get_list("link")
        assert '<stun:stun.example:3478>; rel="ice-server"' in links
        assert any("turn:" in link for link in links) == secret
    assert "PATCH" in (await player.options("/api/whep/x")).headers["allow"]
    assert (await player.get(f"/whep/{text}/1")).status_code == 405
    assert (await player.put(f"/whep/{text}/1")).status_code == 405


def test_ice_servers_become_links_without_a_way_out_of_the_header() -> None:
    assert ice_server_links(ICE, secrets=True)[1] == (
        '<turn:turn.example?transport=udp>; rel="ice-server"; username="u\\"1"; credential="se\\\\cret"; '
        'credential-type="password"'
    )
    evil: list[dict[str, Any]] = [{"urls": ["stun:a>\r\nX: 1", "stun:ok"], "username": "a\r\nb"}]
    assert ice_server_links(evil, secrets=True) == [
        '<stun:ok>; rel="ice-server"; username="ab"; credential-type="password"'
    ]


@pytest.mark.parametrize("origin", [PORTAL, "https://evil.example", None])
async def test_only_pages_of_the_named_sites_may_play(hub: Site, player: httpx.AsyncClient, origin: str | None) -> None:
    _, text = await made(hub)
    headers = {"Origin": origin} if origin else {}
    asking = headers | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    preflight = await player.options(f"/whep/{text}/1", headers=asking)
    answer = await player.post(f"/whep/{text}/1", content=OFFER, headers=SDP | headers)
    refused = await player.post("/api/cameras/1/whep", content=OFFER, headers=SDP | headers)
    foreign = await player.post("/api/cameras/1/whep", content=OFFER, headers=SDP | headers | bearer("op"))
    assert (answer.status_code, refused.status_code) == (201, 401)
    assert foreign.status_code == (403 if origin == "https://evil.example" else 201)
    allowed = origin if origin == PORTAL else None
    for one in (preflight, answer, refused):
        assert one.headers.get("access-control-allow-origin") == allowed
        assert "access-control-allow-credentials" not in one.headers
        assert "origin" in one.headers["vary"].lower()
    if allowed:
        assert preflight.status_code == 204
        for name in ("POST", "PATCH", "DELETE"):
            assert name in preflight.headers["access-control-allow-methods"]
        for name in ("authorization", "content-type", "if-match"):
            assert name in preflight.headers["access-control-allow-headers"].lower()
        assert {"Location", "Link", "ETag"} <= set(answer.headers["access-control-expose-headers"].split(", "))


async def test_candidates_are_accepted_and_what_else_a_patch_may_be_is_refused_by_its_number(
    hub: Site, player: httpx.AsyncClient
) -> None:
    _, text = await made(hub)
    answer = await player.post(f"/whep/{text}/1", content=OFFER, headers=SDP)
    location, tag = answer.headers["location"], answer.headers["etag"]
    candidates = (
        "a=ice-ufrag:play\r\na=ice-pwd:x\r\nm=video 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 1 ::1 9 typ host\r\n"
    )
    restart = candidates.replace("play", "anew")
    for status, fragment, headers in (
        (204, candidates, FRAGMENT | {"If-Match": tag}),
        (204, candidates, FRAGMENT | {"If-Match": "*"}),
        (422, restart, FRAGMENT | {"If-Match": "*"}),
        (428, candidates, FRAGMENT),
        (412, candidates, FRAGMENT | {"If-Match": '"another"'}),
        (400, "hello", FRAGMENT | {"If-Match": tag}),
        (415, candidates, SDP | {"If-Match": tag}),
        (413, "x" * 70_000, FRAGMENT | {"If-Match": tag}),
    ):
        patched = await player.patch(location, content=fragment, headers=headers)
        assert patched.status_code == status, patched.text
    assert (await player.delete(location)).status_code == 200
    gone = await player.patch(location, content=candidates, headers=FRAGMENT | {"If-Match": tag})
    assert gone.status_code == 404


async def test_what_cannot_be_agreed_on_is_406_and_what_is_no_offer_says_why(
    hub: Site, player: httpx.AsyncClient, sources: FakeSources
) -> None:
    sources.errors[2] = HubError(Kind.UNSUPPORTED, "no H.264", reason=Reason.NO_H264)
    _, text = await made(hub)
    for status, address, content, headers in (
        (406, f"/whep/{text}/2", OFFER, SDP),
        (415, f"/whep/{text}/1", OFFER, {}),
        (422, f"/whep/{text}/1", b"\xff", SDP),
        (413, f"/whep/{text}/1", b"x" * 300_000, SDP),
        (422, f"/whep/{text}/1/best", OFFER, SDP),
        (422, f"/whep/{text}/{10**30}", OFFER, SDP),
    ):
        answer = await player.post(address, content=content, headers=headers)
        assert answer.status_code == status, answer.text
        assert answer.json()["detail"]
    assert hub.media.players.running() == {}
