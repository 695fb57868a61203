"""Records are found by whoever took part and by each tour that has some, deleted since or not."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import delete, select, text

from camera_hub.access.policy import Role
from camera_hub.patrol.records.listing import RecordList, RecordQuery, RecordTour
from camera_hub.patrol.records.reviews import runs_of, took_part
from camera_hub.store.tables import Finding, Run, RunEvent, RunResult, Tour, User
from tests.patrol.records.site import SealedSite


async def people(site: SealedSite, *names: str) -> list[int]:
    async with site.database.write() as session:
        users = [
            User(
                username=name, display_name=name, role=Role.OPERATOR.value, all_villages=True, password_hash="-",
                created_at=site.clock.now(),
            )
            for name in names
        ]  # fmt: skip
        session.add_all(users)
        await session.flush()
        return [one.id for one in users]


async def event(site: SealedSite, run: int, kind: str, by: int | None, detail: Mapping[str, Any] | None = None) -> None:
    async with site.database.write() as session:
        at = (await session.get_one(Run, run)).started_at
        session.add(RunEvent(run_id=run, at=at, kind=kind, position=1, user_id=by, detail=dict(detail or {})))


async def test_who_had_a_patrol_between_two_others_finds_it_and_is_offered(site: SealedSite) -> None:
    between, last, never, admin = await people(site, "中", "末", "无关", "管")
    async with site.chain() as chain:
        run, other = [await site.patrol(chain) for _ in range(2)]
    await event(site, run, "handed_over", site.operator.user_id, {"to": between, "to_name": "中"})
    await event(site, run, "handed_over", admin, {"from": between, "to": last, "to_name": "末"})
    async with site.database.write() as session:
        (await session.get_one(Run, run)).operator_id = last
    records = RecordList(site.database)

    async def of(user: int) -> list[int]:
        return [one.id for one in await records.listed(site.leader, RecordQuery(operator_id=user))]

    assert await of(site.operator.user_id) == [other, run]
    assert await of(between) == [run]
    assert await of(last) == [run]
    assert await of(never) == []
    assert await of(admin) == []  # who only made somebody else the operator took no part
    offered = {one.id for one in (await records.counts(site.leader)).operators}
    assert offered == {site.operator.user_id, between, last}


async def test_finding_by_user_and_asking_of_a_run_say_the_same(site: SealedSite) -> None:
    """One person each, who took part by one thing alone."""
    ways = ("started", "last", "steered", "given", "said", "confirmed", "found", "gave", "nothing")
    users = dict(zip(ways, await people(site, *ways), strict=True))
    async with site.chain() as chain:
        runs = {way: await site.patrol(chain, sealed=False) for way in ways}
    async with site.database.write() as session:
        (await session.get_one(Run, runs["started"])).started_by = users["started"]
        (await session.get_one(Run, runs["last"])).operator_id = users["last"]
        results = select(RunResult).where(RunResult.run_id == runs["confirmed"])
        confirmed = (await session.scalars(results)).first()
        finding = await session.scalar(select(Finding).where(Finding.run_id == runs["found"]))
        assert confirmed is not None
        assert finding is not None
        confirmed.confirmed_by, finding.user_id = users["confirmed"], users["found"]
    await event(site, runs["steered"], "next", users["steered"])
    await event(site, runs["given"], "handed_over", None, {"to": users["given"]})
    await event(site, runs["said"], "result_changed", None, {"before_by": users["said"]})
    await event(site, runs["gave"], "handed_over", users["gave"], {"to": None})
    for way, user in users.items():
        async with site.database.read() as session:
            asked = list(await session.scalars(select(Run.id).where(took_part(user))))
            found = list(await session.scalars(select(Run.id).where(runs_of(user))))
        assert found == asked == ([] if way in ("gave", "nothing") else [runs[way]]), way
    offered = {one.id for one in (await RecordList(site.database).counts(site.leader)).operators}
    assert offered == {site.operator.user_id, *(user for way, user in users.items() if way not in ("gave", "nothing"))}


async def test_tours_with_records_are_offered_though_they_were_deleted(site: SealedSite) -> None:
    async with site.chain() as chain:
        runs = [await site.patrol(chain) for _ in range(2)]
    async with site.database.write() as session:
        tours = [(await session.get_one(Run, run)).tour_id for run in runs]
        gone = await session.get_one(Tour, tours[0])
        gone.retired_at = site.clock.now()
        session.add(Tour(name="从未巡查", created_at=site.clock.now()))
    records = RecordList(site.database)
    counts = await records.counts(site.leader)
    assert counts.tours == [
        RecordTour(tours[1], "重点路段", retired=False),
        RecordTour(tours[0], "重点路段", retired=True),
    ]
    found = await records.listed(site.leader, RecordQuery(tour_id=tours[0]))
    assert [one.id for one in found] == [runs[0]]


async def test_a_deleted_account_is_not_offered_and_its_records_stay(site: SealedSite) -> None:
    async with site.chain() as chain:
        run = await site.patrol(chain, sealed=False)
    async with site.database.write() as session:
        await session.execute(delete(User).where(User.id == site.operator.user_id))
    records = RecordList(site.database)
    assert (await records.counts(site.leader)).operators == []
    assert [one.id for one in await records.listed(site.leader, RecordQuery())] == [run]


@pytest.mark.one_database
async def test_records_of_somebody_are_looked_up_by_index_and_not_by_reading_a_year(site: SealedSite) -> None:
    """SQLite's plan; PostgreSQL weighs by the number of rows, which a test does not have."""
    statement = select(Run.id).where(runs_of(7)).order_by(Run.id.desc()).limit(50)
    asked = statement.compile(site.database.engine.sync_engine, compile_kwargs={"literal_binds": True})
    async with site.database.read() as session:
        plan = [str(row[-1]) for row in await session.execute(text(f"EXPLAIN QUERY PLAN {asked}"))]
    assert [line for line in plan if line.startswith("SCAN") and "runs" not in line.split()[1]] == [], plan
