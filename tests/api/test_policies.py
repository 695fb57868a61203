"""Every route states its policy; who may not, is refused."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from camera_hub.access.policy import (
    OF_PERSONS,
    Action,
    Actor,
    Role,
    VillageGrant,
    actions,
    allows,
    next_change,
    require_village,
    role_actions,
    villages_at,
)
from camera_hub.api.routing import Stated, check_parts, check_policies, needs, part, public
from camera_hub.app import create_app
from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.settings import Settings
from tests.api.conftest import Hub, stated_routes

WHEP = (
    "/api/cameras/{camera_id}/whep",
    "/api/cameras/{camera_id}/whep/{quality}",
    "/api/whep/{viewer}",
    "/whep/{token}/{camera_id}",
    "/whep/{token}/{camera_id}/{quality}",
    "/whep/{token}/{camera_id}/sessions/{viewer}",
)
PUBLIC = {
    ("GET", "/api/setup"),
    ("POST", "/api/setup"),
    ("POST", "/api/session"),
    ("POST", "/api/screen/enrol"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    *(("OPTIONS", path) for path in WHEP),  # a preflight brings no login
}
ROUTES = stated_routes()


def _name(route: Stated) -> str:
    return f"{'/'.join(route.methods)} {route.path}"


@pytest.mark.parametrize("route", ROUTES, ids=_name)
def test_every_route_states_its_policy(route: Stated) -> None:
    assert route.stated
    assert {(method, route.path) for method in route.methods} <= PUBLIC or route.action is not None


def test_the_public_routes_are_these_and_no_others() -> None:
    assert {(method, route.path) for route in ROUTES if route.action is None for method in route.methods} == PUBLIC


@pytest.mark.parametrize("included", [False, True])
def test_a_route_without_policy_stops_the_hub(included: bool) -> None:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    router = APIRouter(prefix="/api/bare")

    @router.get("/judged", dependencies=[needs(Action.VIEW)])
    async def judged() -> None: ...

    @router.get("/public", dependencies=[public()])
    async def open_to_all() -> None: ...

    if included:
        outer = APIRouter()
        outer.include_router(router)
        app.include_router(outer)
    check_policies(app)

    target = router if included else app

    @target.websocket("/bare-socket")
    async def bare_socket() -> None: ...

    with pytest.raises(RuntimeError, match=r"WS .*/bare-socket"):
        check_policies(app)


def test_a_framework_route_that_cannot_state_a_policy_stops_the_hub() -> None:
    with pytest.raises(RuntimeError, match=r"/openapi\.json"):
        check_policies(FastAPI())


def test_a_part_that_is_missing_stops_the_hub() -> None:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/api/asks", dependencies=[public()])
    async def asks(clock: Annotated[Clock, part(Clock)]) -> None: ...

    with pytest.raises(RuntimeError, match=r"Clock .*/api/asks"):
        check_parts(app, {})
    check_parts(app, {Clock: None})
    with pytest.raises(RuntimeError, match="Runs"):
        create_app(Settings(), {Clock: None})


NOBODY = "999999"
"""An id that no object has: who may is told so, who may not is told nothing."""


@pytest.mark.slow
@pytest.mark.parametrize("role", [None, *OF_PERSONS], ids=str)
async def test_each_role_reaches_its_routes_and_no_others(hub: Hub, role: Role | None) -> None:
    """Every HTTP route, asked with an empty body: judged before anything else is looked at."""
    browser: httpx.AsyncClient = await hub.client(role)
    for route in ROUTES:
        if route.methods == ("WS",) or route.path == "/api/session":
            continue
        may = route.action is None or (role is not None and route.action in role_actions(role))
        path = re.sub(r"\{[^}]+\}", NOBODY, route.path)
        for method in route.methods:
            answer = await browser.request(method, path)
            said = f"{role} {method} {route.path}: {answer.status_code} {answer.text[:200]}"
            if may:
                assert answer.status_code < 500, said
                assert answer.status_code not in (401, 403, 405), said
            else:
                nobody = role is None or route.action is Action.BE_SCREEN  # a user's session is no screen's
                assert answer.status_code == (401 if nobody else 403), said


async def test_a_number_that_no_row_has_is_no_failure(hub: Hub) -> None:
    """Databases keep 64 bits; a path may hold any number of digits."""
    browser: httpx.AsyncClient = await hub.client(Role.TOWNSHIP_ADMIN)
    asked = [(method, route.path) for route in ROUTES if "{" in route.path for method in route.methods]
    assert len(asked) > 20
    for method, path in [*asked, ("GET", "/api/cameras?village_id={village_id}")]:
        answer = await browser.request(method, re.sub(r"\{[^}]+\}", str(10**30), path), json={})
        assert answer.status_code < 500, f"{method} {path}: {answer.status_code} {answer.text[:200]}"


def test_a_village_admin_is_bound_to_villages_and_others_are_not() -> None:
    admin = Actor(1, "li", "李", Role.VILLAGE_ADMIN, frozenset({7, 9}))
    lost = Actor(2, "wu", "吴", Role.VILLAGE_ADMIN)
    operator = Actor(3, "wang", "王", Role.OPERATOR)
    assert (admin.bound, lost.bound, operator.bound) == (True, True, False)
    for village in (7, 9):
        assert allows(admin, Action.REGISTER, village)
        require_village(admin, village, "camera")
    assert not allows(admin, Action.REGISTER, 8)
    assert not allows(lost, Action.VIEW, 7)
    assert allows(operator, Action.VIEW, 8)
    assert not allows(operator, Action.REGISTER, 8)
    require_village(operator, 8, "camera")
    for actor in (admin, lost):
        for outside in (8, None):
            with pytest.raises(HubError, match="there is no such camera"):
                require_village(actor, outside, "camera")


@pytest.mark.parametrize("role", Role)
def test_whoever_is_bound_to_villages_does_nothing_for_the_township(role: Role) -> None:
    """A contractor is a maintainer of some villages: what shows or changes all of them is not theirs."""
    bound, nowhere = Actor(1, "a", "a", role, frozenset({7})), Actor(1, "a", "a", role, frozenset())
    township = {
        Action.APPROVE,
        Action.MANAGE_VILLAGES,
        Action.MANAGE_USERS,
        Action.EDIT_TOURS,
        Action.RUN_TOURS,
        Action.READ_RECORDS,
        Action.SIGN_RECORDS,
        Action.CHECK_COUNTY,
        Action.READ_SYSTEM,
        Action.MANAGE_SYSTEM,
        Action.MANAGE_STREAM_TOKENS,
        Action.USE_SCREENS,
        Action.MANAGE_SCREENS,
    }
    assert actions(bound) == role_actions(role) - township
    for action in Action:
        assert allows(bound, action, 7) == (action in role_actions(role) - township)
        assert not allows(bound, action, 8)
        assert not allows(nowhere, action, 7)


NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("begins", "ends", "valid"),
    [
        (None, None, True),
        (NOON, None, True),
        (NOON + HOUR, None, False),
        (None, NOON, False),  # the end itself is over
        (None, NOON + HOUR, True),
        (NOON - HOUR, NOON + HOUR, True),
        (NOON - 2 * HOUR, NOON - HOUR, False),
    ],
)
def test_a_grant_gives_access_from_its_beginning_until_before_its_end(
    begins: datetime | None, ends: datetime | None, valid: bool
) -> None:
    grants = [VillageGrant(7, begins, ends), VillageGrant(8)]
    assert villages_at(grants, NOON) == ({7, 8} if valid else {8})


def test_the_next_change_is_the_nearest_beginning_or_end_to_come() -> None:
    grants = [VillageGrant(7, NOON - HOUR, NOON + 3 * HOUR), VillageGrant(8, NOON + HOUR), VillageGrant(9)]
    assert next_change(grants, NOON) == NOON + HOUR
    assert next_change(grants, NOON + HOUR) == NOON + 3 * HOUR
    assert next_change(grants, NOON + 3 * HOUR) is None
    assert next_change([], NOON) is None


def test_leaders_only_read() -> None:
    writing = {
        Action.ACKNOWLEDGE,
        Action.REGISTER,
        Action.APPROVE,
        Action.MANAGE_VILLAGES,
        Action.MANAGE_USERS,
        Action.EDIT_TOURS,
        Action.RUN_TOURS,
    }
    assert not role_actions(Role.LEADER) & writing
    assert role_actions(Role.TOWNSHIP_ADMIN) == frozenset(Action) - {Action.BE_SCREEN}
