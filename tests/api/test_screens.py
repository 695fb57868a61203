"""A screen's browser: enrolled by a code, known by a token that opens the screen's own page and nothing else."""

from typing import Any

import httpx
import pytest

from camera_hub.access.policy import OF_PERSONS, Action, Role, role_actions
from camera_hub.access.screen_tokens import CODE_LIFETIME, ScreenTokens
from camera_hub.api.live import WISH
from camera_hub.api.live_changes import Audience
from camera_hub.api.routing import CSRF_HEADER
from camera_hub.api.screen_page import COOKIE, may_ask
from camera_hub.events import AccessChanged, EventBus
from tests.api.conftest import HOST, Hub, stated_routes
from tests.fakes.clock import ManualClock

ROUTES = [(method, route.path, route.action) for route in stated_routes() for method in route.methods]


def machine(hub: Hub) -> httpx.AsyncClient:
    """The browser behind a screen."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(hub.app), base_url=f"http://{HOST}", headers={CSRF_HEADER: "1"}
    )


async def new_screen(hub: Hub, name: str = "左一屏") -> dict[str, Any]:
    admin = await hub.client(Role.TOWNSHIP_ADMIN)
    answer = await admin.post("/api/screens", json={"name": name, "place": "中心左侧"})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def new_code(hub: Hub, screen_id: int) -> str:
    admin = await hub.client(Role.TOWNSHIP_ADMIN)
    return str((await admin.post(f"/api/screens/{screen_id}/code")).json()["code"])


async def test_a_browser_is_enrolled_by_a_code_that_is_used_once(hub: Hub) -> None:
    screen = await new_screen(hub)
    code = await new_code(hub, screen["id"])
    async with machine(hub) as browser:
        assert (await browser.get("/api/screen")).json()["reason"] == "screen_unknown"
        answer = await browser.post("/api/screen/enrol", json={"code": f"{code[:3]} {code[3:]}"})
        assert answer.status_code == 200, answer.text
        cookie = answer.headers["set-cookie"].lower()
        assert "path=/api/screen;" in f"{cookie};"
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        page = (await browser.get("/api/screen")).json()
        assert (page["id"], page["name"], page["picture"]["layout"]) == (screen["id"], "左一屏", "9")
    async with machine(hub) as other:
        again = await other.post("/api/screen/enrol", json={"code": code})
        assert (again.status_code, again.json()["reason"]) == (403, "screen_code_bad")
    admin = await hub.client(Role.TOWNSHIP_ADMIN)
    shown = (await admin.get(f"/api/screens/{screen['id']}")).json()
    assert shown["enrolled_at"] is not None
    assert code not in str(shown)


async def test_a_code_ends_and_a_newer_one_replaces_it(hub: Hub, clock: ManualClock) -> None:
    screen = await new_screen(hub)
    first, second = await new_code(hub, screen["id"]), await new_code(hub, screen["id"])
    async with machine(hub) as browser:
        if first != second:
            assert (await browser.post("/api/screen/enrol", json={"code": first})).status_code == 403
        clock.move(CODE_LIFETIME.total_seconds() + 1)
        assert (await browser.post("/api/screen/enrol", json={"code": second})).status_code == 403


async def test_codes_cannot_be_tried_out(hub: Hub) -> None:
    screen = await new_screen(hub)
    code = await new_code(hub, screen["id"])
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    async with machine(hub) as browser:
        for _ in range(50):
            answer = await browser.post("/api/screen/enrol", json={"code": wrong})
            if answer.status_code == 429:
                break
        assert answer.json()["reason"] == "too_many_codes"
        assert int(answer.headers["retry-after"]) >= 1
        right = await browser.post("/api/screen/enrol", json={"code": code})
        assert right.status_code == 429, "nor does the right one get through meanwhile"


async def test_a_new_enrolment_and_revoking_end_the_earlier_browser(hub: Hub) -> None:
    screen = await new_screen(hub)
    bus: EventBus = hub.parts[EventBus]
    admin = await hub.client(Role.TOWNSHIP_ADMIN)
    async with machine(hub) as old, machine(hub) as new:
        await old.post("/api/screen/enrol", json={"code": await new_code(hub, screen["id"])})
        code = await new_code(hub, screen["id"])
        assert (await old.get("/api/screen")).status_code == 200, "a code that nobody has used changes nothing"
        await new.post("/api/screen/enrol", json={"code": code})
        assert (await old.get("/api/screen")).status_code == 401
        assert (await new.get("/api/screen")).status_code == 200
        with bus.subscribe(AccessChanged) as told:
            assert (await admin.post(f"/api/screens/{screen['id']}/revoke")).status_code == 200
            assert told.take() == [AccessChanged(-screen["id"])], "open pages are judged again"
        assert (await new.get("/api/screen")).status_code == 401


@pytest.mark.slow
async def test_the_token_opens_the_screens_page_and_nothing_else(hub: Hub) -> None:
    """Also when it is sent where the browser never sends it."""
    screen = await new_screen(hub)
    async with machine(hub) as browser:
        await browser.post("/api/screen/enrol", json={"code": await new_code(hub, screen["id"])})
        token = next(cookie.value for cookie in browser.cookies.jar if cookie.name == COOKIE)
    tokens: ScreenTokens = hub.parts[ScreenTokens]
    actor = await tokens.actor(str(token))
    assert actor is not None
    assert (actor.role, actor.user_id) == (Role.SCREEN, -screen["id"])
    everywhere = {"cookie": f"{COOKIE}={token}; camera_hub_session={token}", "authorization": f"Bearer {token}"}
    for method, path, action in ROUTES:
        if action in (None, Action.BE_SCREEN) or method == "WS":
            continue
        async with machine(hub) as thief:
            answer = await thief.request(method, path.replace("{", "").replace("}", ""), headers=everywhere)
        assert answer.status_code in (401, 404, 422), f"{method} {path}: {answer.status_code}"
        assert answer.status_code == 401 or "{" in path, f"{method} {path}: {answer.status_code}"
    assert role_actions(Role.SCREEN) == {Action.BE_SCREEN}
    for role in OF_PERSONS:
        assert Action.BE_SCREEN not in role_actions(role)
    assert not Audience(villages=frozenset({None, 1}), everybody=True).has(actor), "no change but its own screen's"
    assert Audience(users=frozenset({-screen["id"]})).has(actor)


async def test_only_cameras_of_its_content_have_pictures_for_a_screen(hub: Hub) -> None:
    screen = await new_screen(hub)
    async with machine(hub) as browser:
        await browser.post("/api/screen/enrol", json={"code": await new_code(hub, screen["id"])})
        for path in ("picture", "still"):
            answer = await browser.get(f"/api/screen/cameras/1/{path}")
            assert (answer.status_code, answer.json()["detail"]) == (404, "this screen does not show such a camera")
        assert (await browser.get("/api/screen/media")).json()["audio"] is False


async def test_no_user_becomes_a_screen(hub: Hub) -> None:
    admin = await hub.client(Role.TOWNSHIP_ADMIN)
    body = {"username": "wall", "display_name": "大屏", "role": "screen", "password": "tK7-riverside"}
    assert (await admin.post("/api/users", json=body)).status_code == 422
    user = hub.accounts[Role.OPERATOR].id
    assert (await admin.patch(f"/api/users/{user}", json={"role": "screen"})).status_code == 422


async def test_operators_use_screens_and_admins_keep_them(hub: Hub) -> None:
    screen = await new_screen(hub)
    url = f"/api/screens/{screen['id']}"
    nothing = {"revision": 0, "content": {"kind": "none"}}
    expected = {Role.TOWNSHIP_ADMIN: (200, 200), Role.OPERATOR: (200, 403), Role.LEADER: (403, 403)}
    for role, (uses, keeps) in expected.items():
        browser = await hub.client(role)
        assert (await browser.post(f"{url}/show", json=nothing)).status_code == uses, role
        assert (await browser.put(url, json={"name": "左一屏"})).status_code == keeps, role
        assert (await browser.get(url)).status_code == 200, role
    moved = await (await hub.client(Role.OPERATOR)).post(f"{url}/show", json={**nothing, "revision": 9})
    assert (moved.status_code, moved.json()["reason"]) == (409, "screen_moved")
    assert moved.json()["params"]["screen"]["id"] == screen["id"]


@pytest.mark.parametrize(
    "content",
    [
        {"kind": "cameras", "layout": "7", "cameras": []},
        {"kind": "cameras", "layout": "9x9", "cameras": []},
        {"kind": "cameras", "layout": "4", "cameras": [None] * 37},
        {"kind": "tile", "tile": 36, "camera_id": 1},
        {"kind": "hologram"},
        {},
    ],
)
async def test_contents_that_are_none_are_refused(hub: Hub, content: dict[str, Any]) -> None:
    screen = await new_screen(hub)
    operator = await hub.client(Role.OPERATOR)
    answer = await operator.post(f"/api/screens/{screen['id']}/show", json={"revision": 0, "content": content})
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize(
    ("message", "allowed"),
    [
        ({"type": "show", "viewer": "v", "track": 0, "serial": 1, "camera": None}, True),
        ({"type": "show", "viewer": "v", "track": 0, "serial": 1, "camera": 3}, True),
        ({"type": "show", "viewer": "v", "track": 0, "serial": 1, "camera": 4}, False),
        ({"type": "warm", "cameras": [3]}, True),
        ({"type": "warm", "cameras": [3, 4]}, False),
        ({"type": "listen", "serial": 1, "camera": 3}, False),
        ({"type": "seen", "run": 1, "step": 0, "cameras": []}, False),
    ],
)
def test_a_screens_page_asks_for_cameras_of_its_content_alone(message: dict[str, Any], allowed: bool) -> None:
    assert may_ask(WISH.validate_python(message), {3}.__contains__) is allowed


async def test_what_is_shown_large_in_turn_comes_back_as_it_was_put_on(hub: Hub) -> None:
    screen = await new_screen(hub)
    operator = await hub.client(Role.OPERATOR)
    url = f"/api/screens/{screen['id']}/show"
    content = {"kind": "cameras", "layout": "4", "cameras": [], "magnify_s": 10}
    shown = await operator.post(url, json={"revision": 0, "content": content})
    assert shown.json()["picture"]["magnify_s"] == 10
    too_short = {**content, "magnify_s": 4}
    assert (await operator.post(url, json={"revision": 1, "content": too_short})).status_code == 422
    alone = {**content, "layout": "1"}
    shown = await operator.post(url, json={"revision": 1, "content": alone})
    assert shown.json()["picture"]["magnify_s"] is None, "there is no small tile to be shown large"
