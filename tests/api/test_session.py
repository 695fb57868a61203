"""Signing in and out through the API, as a browser does."""

import httpx

from camera_hub.access.policy import Role
from camera_hub.api.routing import COOKIE, CSRF_HEADER
from camera_hub.app import create_app
from camera_hub.events import AccessChanged, EventBus
from camera_hub.settings import ServerSettings, Settings
from tests.api.conftest import HOST, PASSWORD, Hub


async def test_a_signed_in_browser_is_known_and_sees_what_it_may_do(hub: Hub) -> None:
    browser = await hub.client(None)
    assert (await browser.get("/api/session")).status_code == 401
    answer = await browser.post("/api/session", json={"username": "village_admin", "password": PASSWORD})
    assert answer.status_code == 200
    me = answer.json()
    assert me == (await browser.get("/api/session")).json()
    assert (me["role"], me["villages"]) == ("village_admin", [{"id": hub.village, "name": "东"}])
    assert "register" in me["actions"]
    assert "approve" not in me["actions"]
    assert me["time_zone"] == "Asia/Shanghai"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Max-Age=43200" in cookie


async def test_signing_out_ends_the_session_for_good(hub: Hub) -> None:
    browser = await hub.client(Role.OPERATOR)
    token = browser.cookies[COOKIE]
    with hub.parts[EventBus].subscribe(AccessChanged) as events:
        assert (await browser.delete("/api/session")).status_code == 200
        assert await events.next() == AccessChanged(hub.accounts[Role.OPERATOR].id), "open pages are judged anew"
    assert COOKIE not in browser.cookies
    browser.cookies.set(COOKIE, token, domain=HOST)
    assert (await browser.get("/api/session")).status_code == 401


async def test_signing_in_again_ends_the_browsers_former_session(hub: Hub) -> None:
    browser, other = await hub.client(Role.OPERATOR), await hub.client(None)
    old = browser.cookies[COOKIE]
    await browser.post("/api/session", json={"username": "leader", "password": PASSWORD})
    other.cookies.set(COOKIE, old, domain=HOST)
    assert (await other.get("/api/session")).status_code == 401


async def test_with_https_the_cookie_is_bound_to_the_host(hub: Hub) -> None:
    settings = Settings(server=ServerSettings(secure_cookies=True))
    app = create_app(settings, hub.parts)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="https://hub", headers={CSRF_HEADER: "1"}
    ) as browser:
        answer = await browser.post("/api/session", json={"username": "leader", "password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith(f"__Host-{COOKIE}=")
        assert "Secure" in cookie
        assert "Path=/" in cookie
        assert (await browser.get("/api/session")).status_code == 200


async def test_a_foreign_page_is_refused_even_with_the_cookie(hub: Hub) -> None:
    browser = await hub.client(Role.OPERATOR)
    answer = await browser.delete("/api/session", headers={"origin": "http://evil.example"})
    assert (answer.status_code, answer.json()["reason"]) == (403, "foreign_origin")
    del browser.headers[CSRF_HEADER]
    answer = await browser.delete("/api/session")
    assert (answer.status_code, answer.json()["reason"]) == (403, "header_missing")
    assert (await browser.get("/api/session")).status_code == 200


async def test_a_program_shows_its_session_as_a_bearer_token_and_needs_no_page_header(hub: Hub) -> None:
    browser, program = await hub.client(Role.OPERATOR), await hub.client(None)
    token = browser.cookies[COOKIE]
    del program.headers[CSRF_HEADER]
    bearer = {"authorization": f"Bearer {token}"}
    assert (await program.get("/api/session", headers=bearer)).status_code == 200
    evil = {**bearer, "origin": "http://evil.example"}
    assert (await program.delete("/api/session", headers=evil)).json()["reason"] == "foreign_origin"
    assert (await program.delete("/api/session", headers={"authorization": f"Basic {token}"})).status_code == 403
    assert (await program.delete("/api/session", headers=bearer)).status_code == 200
    assert (await program.get("/api/session", headers=bearer)).status_code == 401
    assert (await browser.get("/api/session")).status_code == 401


async def test_a_wrong_old_password_counts_as_a_failed_sign_in(hub: Hub) -> None:
    browser = await hub.client(Role.OPERATOR)
    for _ in range(5):
        answer = await browser.put("/api/session/password", json={"old": "wrong", "new": "another-Password"})
        assert answer.json()["reason"] == "old_password_wrong"
    answer = await browser.put("/api/session/password", json={"old": PASSWORD, "new": "another-Password"})
    assert (answer.status_code, answer.json()["reason"]) == (429, "too_many_failures")
    assert answer.headers["retry-after"] == "5"
    assert (await hub.client(Role.OPERATOR)) is not None, "signing in is another matter"


async def test_a_browser_that_signed_in_before_passes_where_a_stranger_waits(hub: Hub) -> None:
    desk, stranger = await hub.client(None), await hub.client(Role.OPERATOR)
    right, wrong = ({"username": "leader", "password": word} for word in (PASSWORD, "wrong"))
    answer = await desk.post("/api/session", json=right)
    assert answer.status_code == 200
    known = next(one for one in answer.headers.get_list("set-cookie") if one.startswith("camera_hub_known="))
    assert "HttpOnly" in known
    assert "SameSite=lax" in known
    assert "Max-Age=15552000" in known
    await desk.delete("/api/session")
    for _ in range(5):
        assert (await stranger.post("/api/session", json=wrong)).status_code == 401
    answer = await stranger.post("/api/session", json=right)
    assert (answer.status_code, answer.json()["params"]) == (429, {"minutes": 1, "retry_in": 5})
    assert answer.headers["retry-after"] == "5"
    answer = await desk.post("/api/session", json=right)
    assert answer.status_code == 200, answer.text


async def test_a_new_password_works_and_a_weak_one_is_no_failed_sign_in(hub: Hub) -> None:
    browser = await hub.client(Role.OPERATOR)
    for _ in range(12):
        answer = await browser.put("/api/session/password", json={"old": PASSWORD, "new": "short"})
        assert answer.json()["reason"] == "password_short"
    answer = await browser.put("/api/session/password", json={"old": PASSWORD, "new": "another-Password"})
    assert answer.status_code == 200
    answer = await browser.post("/api/session", json={"username": "operator", "password": "another-Password"})
    assert answer.status_code == 200


async def test_no_answer_repeats_a_password(hub: Hub) -> None:
    browser = await hub.client(None)
    for body in (
        {"username": "x", "password": "hunter2"},
        {"password": "hunter2"},
        {"username": "x", "pass": "hunter2"},
    ):
        assert "hunter2" not in (await browser.post("/api/session", json=body)).text
