"""The first start through the API."""

import httpx
import pytest
from sqlalchemy import delete

from camera_hub.access.policy import Role
from camera_hub.access.setup import FirstSetup
from camera_hub.store.database import Database
from camera_hub.store.tables import User
from tests.api.conftest import PASSWORD, Hub


@pytest.fixture
async def empty(hub: Hub) -> httpx.AsyncClient:
    """A browser before a hub that has no users yet."""
    database: Database = hub.parts[Database]
    async with database.write() as session:
        await session.execute(delete(User))
    return await hub.client(None)


async def test_the_link_makes_the_first_admin_who_is_signed_in_at_once(hub: Hub, empty: httpx.AsyncClient) -> None:
    setup: FirstSetup = hub.parts[FirstSetup]
    token = await setup.new_token()
    assert (await empty.get("/api/setup")).json() == {"needed": True}
    body = {"token": token, "username": "zhang", "display_name": " 张主任 ", "password": PASSWORD}
    answer = await empty.post("/api/setup", json=body)
    assert answer.status_code == 201
    assert answer.json()["display_name"] == "张主任"
    assert (await empty.get("/api/session")).json()["role"] == Role.TOWNSHIP_ADMIN
    assert (await empty.get("/api/setup")).json() == {"needed": False}
    assert (await empty.post("/api/setup", json=body)).json()["reason"] == "setup_link_bad"


async def test_a_guessed_link_is_refused(empty: httpx.AsyncClient) -> None:
    body = {"token": "guess", "username": "zhang", "display_name": "张", "password": PASSWORD}
    answer = await empty.post("/api/setup", json=body)
    assert (answer.status_code, answer.json()["reason"]) == (403, "setup_link_bad")
