"""Every route states its policy; who may not, is refused."""

import re

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from camera_hub.access.policy import Action, Actor, Role, actions, allows, require_village
from camera_hub.api.routing import Stated, check_policies, needs, policies, public
from camera_hub.app import create_app
from camera_hub.errors import HubError
from camera_hub.settings import Settings
from tests.api.conftest import Hub

PUBLIC = {
    ("GET", "/api/setup"),
    ("POST", "/api/setup"),
    ("POST", "/api/session"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
}
ROUTES = policies(create_app(Settings()))


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


NOBODY = "999999"
"""An id that no object has: who may is told so, who may not is told nothing."""


@pytest.mark.parametrize("role", [None, *Role], ids=str)
async def test_each_role_reaches_its_routes_and_no_others(hub: Hub, role: Role | None) -> None:
    """Every HTTP route, asked with an empty body: judged before anything else is looked at."""
    browser: httpx.AsyncClient = await hub.client(role)
    for route in ROUTES:
        if route.methods == ("WS",) or route.path == "/api/session":
            continue
        may = route.action is None or (role is not None and route.action in actions(role))
        path = re.sub(r"\{[^}]+\}", NOBODY, route.path)
        for method in route.methods:
            answer = await browser.request(method, path)
            said = f"{role} {method} {route.path}: {answer.status_code} {answer.text[:200]}"
            if may:
                assert answer.status_code < 500, said
                assert answer.status_code not in (401, 403, 405), said
            else:
                assert answer.status_code == (401 if role is None else 403), said


def test_a_village_admin_is_bound_to_the_village_and_others_are_not() -> None:
    admin = Actor(1, "li", "李", Role.VILLAGE_ADMIN, 7)
    lost = Actor(2, "wu", "吴", Role.VILLAGE_ADMIN, None)
    operator = Actor(3, "wang", "王", Role.OPERATOR)
    assert (admin.scope, lost.scope, operator.scope) == (7, 0, None)
    assert allows(admin, Action.REGISTER, 7)
    assert not allows(admin, Action.REGISTER, 8)
    assert not allows(lost, Action.VIEW, 7)
    assert allows(operator, Action.VIEW, 8)
    assert not allows(operator, Action.REGISTER, 8)
    require_village(operator, 8, "camera")
    for village in (8, None):
        with pytest.raises(HubError, match="there is no such camera"):
            require_village(admin, village, "camera")


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
    assert not actions(Role.LEADER) & writing
    assert actions(Role.TOWNSHIP_ADMIN) == frozenset(Action)
