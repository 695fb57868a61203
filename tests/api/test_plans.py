"""Plans and special protection periods through the API."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from camera_hub.access.policy import Role
from camera_hub.events import EventBus
from camera_hub.patrol.plans.making import OccurrenceMaker
from camera_hub.patrol.plans.plans import Plans
from camera_hub.patrol.plans.special_periods import SpecialPeriods
from camera_hub.store.database import Database
from camera_hub.store.tables import Tour, TourStop
from tests.api.conftest import Hub
from tests.fakes.clock import ManualClock
from tests.fakes.site import add_village

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
async def tour(hub: Hub, database: Database, clock: ManualClock) -> int:
    bus: EventBus = hub.parts[EventBus]
    maker = OccurrenceMaker(database, ZONE, timedelta(hours=4))
    hub.parts.update(
        {
            Plans: Plans(database, bus, clock, maker, ZONE),
            SpecialPeriods: SpecialPeriods(database, bus, clock, maker, ZONE),
        }
    )
    (camera,) = await add_village(database, clock, "东沟村", 1)
    async with database.write() as session:
        tour = Tour(name="水域", created_at=clock.now().astimezone(UTC))
        session.add(tour)
        await session.flush()
        session.add(TourStop(tour_id=tour.id, position=0, camera_id=camera, dwell_s=20))
    return tour.id


@pytest.fixture
async def operator(hub: Hub) -> httpx.AsyncClient:
    return await hub.client(Role.OPERATOR)


def plan(tour: int, *seasons: tuple[str, str], **more: Any) -> dict[str, Any]:
    spans = [{"first": first, "last": last} for first, last in seasons]
    return {"name": "防溺水", "tour_id": tour, "rule": {"times": ["11:00"]}, "seasons": spans, **more}


async def test_a_plan_keeps_its_seasons(operator: httpx.AsyncClient, tour: int) -> None:
    body = plan(tour, ("06-01", "09-15"), ("11-15", "02-29"))
    made = (await operator.post("/api/plans", json=body)).json()
    assert made["seasons"] == body["seasons"]
    assert (made["first_day"], made["last_day"]) == (None, None)
    path = f"/api/plans/{made['id']}"
    assert (await operator.get(path)).json()["seasons"] == body["seasons"]
    changed = await operator.put(path, json=plan(tour, ("06-01", "09-30"), revision=0))
    assert changed.json()["seasons"] == [{"first": "06-01", "last": "09-30"}]
    preview = await operator.post("/api/plans/preview", json={"plan": plan(tour, ("02-29", "02-29"))})
    assert (preview.json()["times"], preview.json()["per_day"]) == ([], 1)  # in another year
    without = await operator.put(path, json={**plan(tour, revision=1), "seasons": []})
    assert without.json()["seasons"] == []


@pytest.mark.parametrize(
    "day", ["02-30", "04-31", "13-01", "00-10", "6-1", "06-01-", "", "０6-01", "06-00", "2026-06-01"]
)
async def test_a_day_that_no_year_has_is_no_season(operator: httpx.AsyncClient, tour: int, day: str) -> None:
    refused = await operator.post("/api/plans", json=plan(tour, (day, "09-15")))
    assert refused.status_code == 422


async def test_a_season_that_the_plan_never_reaches_is_refused(operator: httpx.AsyncClient, tour: int) -> None:
    body = plan(tour, ("06-01", "09-15"), first_day="2026-10-01", last_day="2027-05-31")
    refused = await operator.post("/api/plans", json=body)
    assert (refused.status_code, refused.json()["reason"]) == (422, "plan_no_weekday")
    many = await operator.post("/api/plans", json=plan(tour, *[("06-01", "06-02")] * 7))
    assert many.status_code == 422


@pytest.mark.one_database
async def test_the_present_year_is_that_of_the_site(hub: Hub, clock: ManualClock) -> None:
    clock.step_wall((datetime(2026, 12, 31, 17, tzinfo=UTC) - clock.now()).total_seconds())  # New Year's night in China
    admin = await hub.client(Role.TOWNSHIP_ADMIN)
    found = (await admin.get("/api/special-periods/suggestions")).json()
    assert {one["last_day"][:4] for one in found} == {"2027"}


async def test_a_site_s_first_year_gets_its_holidays_in_one_step(
    hub: Hub, operator: httpx.AsyncClient, tour: int
) -> None:
    asked = await operator.get("/api/special-periods/suggestions", params={"year": 2026})
    found = asked.json()
    assert len(found) == 7
    assert found[6] == {
        "codes": ["national_day"],
        "first_day": "2026-10-01",
        "last_day": "2026-10-07",
        "begins_at": "2026-09-30T16:00:00Z",
        "ends_at": "2026-10-07T16:00:00Z",
        "announced": True,
        "registered": None,
    }
    computed = (await operator.get("/api/special-periods/suggestions", params={"year": 2098})).json()
    assert [one["announced"] for one in computed] == [False] * len(computed)
    assert (await operator.get("/api/special-periods/suggestions", params={"year": 2150})).json() == []
    span = {one: found[6][one] for one in ("begins_at", "ends_at")}
    body = {"periods": [{"name": "国庆节", **span}, {"name": "国庆节", **span, "draft": True}]}
    made = await operator.post("/api/special-periods/many", json=body)
    assert made.status_code == 201
    assert [(one["name"], one["draft"], one["kind"]) for one in made.json()] == [("国庆节", False, "holiday")]
    assert (await operator.post("/api/special-periods/many", json=body)).json() == []
    again = (await operator.get("/api/special-periods/suggestions", params={"year": 2026})).json()
    assert [one["registered"] for one in again[5:]] == [None, "国庆节"]
    assert (await operator.post("/api/special-periods/many", json={"periods": []})).status_code == 422
    leader = await hub.client(Role.LEADER)
    assert (await leader.get("/api/special-periods/suggestions")).status_code == 403
    assert (await leader.post("/api/special-periods/many", json=body)).status_code == 403
