"""Jobs: progress, verdicts, cancel, bounds, and who sees them."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from camera_hub.access.policy import Actor, Role
from camera_hub.cameras import jobs as jobs_module
from camera_hub.cameras.jobs import JobItem, Jobs, JobVerdict, JobView
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import EventBus, JobChanged
from tests.cameras.fakes import ADMIN
from tests.fakes.clock import ManualClock

VILLAGE = Actor(7, "west", "west", Role.VILLAGE_ADMIN, frozenset({1}))
OTHER = Actor(8, "east", "east", Role.VILLAGE_ADMIN, frozenset({2}))
CONTRACTOR = Actor(9, "both", "both", Role.MAINTAINER, frozenset({1, 2}))
ITEMS = [JobItem(str(number), f"camera {number}") for number in range(5)]


@pytest.fixture
async def jobs(clock: ManualClock, bus: EventBus) -> AsyncIterator[Jobs]:
    async with Jobs(clock, bus) as jobs:
        yield jobs


async def good(item: JobItem) -> JobVerdict:
    return JobVerdict(True)


async def for_ever(item: JobItem) -> JobVerdict:
    await asyncio.Event().wait()
    raise AssertionError


async def over(jobs: Jobs, bus: EventBus, view: JobView) -> JobView:
    """The job at its end; its end is told by an event."""
    with bus.subscribe(JobChanged) as told:
        async with asyncio.timeout(60):
            while (now := jobs.get(ADMIN, view.id)).state == "running":
                await told.next()
    return now


async def test_every_item_gets_its_verdict(jobs: Jobs, bus: EventBus) -> None:
    """A refused one, and one that fails in a way nobody thought of, keep no other from being worked on."""
    ends: list[JobView] = []

    async def work(item: JobItem) -> JobVerdict:
        if item.key == "1":
            raise HubError(Kind.UNREACHABLE, "no answer", reason=Reason.UNREACHABLE, port=80, ports=[1, 2])
        if item.key == "2":
            raise ZeroDivisionError("secret")
        if item.key == "3":
            return JobVerdict(False, Reason.WRONG_PASSWORD, "refused", {"tries_left": 3})
        return JobVerdict(True)

    async def at_end(view: JobView) -> None:
        ends.append(view)

    done = await over(jobs, bus, jobs.start(ADMIN, "test", 1, ITEMS, work, at_once=2, at_end=at_end))
    assert (done.state, done.total, done.done, done.failed) == ("done", 5, 5, 3)
    found = {one.key: one for one in done.verdicts}
    assert [found[key].reason for key in "01234"] == [None, "unreachable", "internal", "wrong_password", None]
    assert found["1"].params == {"port": 80}
    assert found["3"].params == {"tries_left": 3}
    assert "secret" not in found["2"].detail
    assert found["2"].name == "camera 2"
    assert [one.done for one in ends] == [5]


async def test_no_more_than_allowed_are_worked_on_at_once(jobs: Jobs, bus: EventBus) -> None:
    at_work, most = 0, 0

    async def work(item: JobItem) -> JobVerdict:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0)
        at_work -= 1
        return JobVerdict(True)

    await over(jobs, bus, jobs.start(ADMIN, "test", None, ITEMS, work, at_once=2))
    assert most == 2


async def test_cancel_finishes_what_is_worked_on_and_starts_nothing_more(jobs: Jobs, bus: EventBus) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def work(item: JobItem) -> JobVerdict:
        begun.set()
        await may_end.wait()
        return JobVerdict(True)

    started = jobs.start(ADMIN, "test", 1, ITEMS, work, at_once=2)
    await begun.wait()
    cancelling = asyncio.create_task(jobs.cancel(ADMIN, started.id))
    await asyncio.sleep(0)
    may_end.set()
    view = await cancelling
    assert (view.state, view.done, view.failed) == ("cancelled", 2, 0)
    assert (await jobs.cancel(ADMIN, started.id)) == view


async def test_cancel_does_not_wait_for_ever(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_module, "CANCEL_SECONDS", 0.0)
    ends: list[JobView] = []

    async def at_end(view: JobView) -> None:
        ends.append(view)

    started = jobs.start(ADMIN, "test", 1, ITEMS, for_ever, at_end=at_end)
    view = await jobs.cancel(ADMIN, started.id)
    assert (view.state, view.done) == ("cancelled", 0)
    assert ends == [view]


async def test_an_item_that_does_not_end_is_given_up(
    jobs: Jobs, bus: EventBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "ITEM_SECONDS", 0.0)
    view = await over(jobs, bus, jobs.start(ADMIN, "test", 1, ITEMS[:1], for_ever))
    assert (view.state, [one.reason for one in view.verdicts]) == ("done", ["timed_out"])


async def test_what_fails_at_the_end_is_a_failed_job(jobs: Jobs, bus: EventBus) -> None:
    async def at_end(view: JobView) -> None:
        raise OSError("disk")

    view = await over(jobs, bus, jobs.start(ADMIN, "test", 1, ITEMS, good, at_end=at_end))
    assert (view.state, view.done) == ("failed", 5)


async def test_leaving_cancels_what_runs(clock: ManualClock, bus: EventBus) -> None:
    async with Jobs(clock, bus) as jobs:
        started = jobs.start(ADMIN, "test", 1, ITEMS, for_ever)
    assert jobs.get(ADMIN, started.id).state == "cancelled"


async def test_jobs_are_bounded_and_forgotten(jobs: Jobs, bus: EventBus, clock: ManualClock) -> None:
    for _ in range(jobs_module.AT_ONCE_OF_USER):
        jobs.start(VILLAGE, "test", 1, ITEMS, for_ever)
    with pytest.raises(HubError) as refused:
        jobs.start(VILLAGE, "test", 1, ITEMS, for_ever)
    assert (refused.value.kind, refused.value.reason) == (Kind.BUSY, "jobs_busy")
    with pytest.raises(HubError) as refused:
        jobs.start(ADMIN, "test", 1, [ITEMS[0]] * (jobs_module.MAX_ITEMS + 1), good)
    assert refused.value.kind is Kind.TOO_LARGE
    for _ in range(2 * jobs_module.KEPT):
        last = await over(jobs, bus, jobs.start(ADMIN, "test", 1, [], good))
    assert len(jobs.list(ADMIN)) == jobs_module.KEPT
    clock.move(jobs_module.KEPT_SECONDS)
    with pytest.raises(HubError) as gone:
        jobs.get(ADMIN, last.id)
    assert gone.value.kind is Kind.NOT_FOUND
    assert len(jobs.list(ADMIN)) == jobs_module.AT_ONCE_OF_USER  # those that still run


async def test_who_sees_a_job(jobs: Jobs) -> None:
    """The township all; who is bound to villages their own, while they may still see its villages."""
    by_admin = jobs.start(ADMIN, "test", 1, ITEMS, good)
    by_village = jobs.start(VILLAGE, "test", 1, ITEMS, good)
    by_contractor = jobs.start(CONTRACTOR, "test", None, ITEMS, good)
    lapsed = Actor(CONTRACTOR.user_id, "both", "both", Role.MAINTAINER, frozenset({1}))
    for actor, seen in (
        (ADMIN, [by_admin, by_village, by_contractor]),
        (VILLAGE, [by_village]),
        (OTHER, []),
        (CONTRACTOR, [by_contractor]),
        (lapsed, []),
    ):
        assert {one.id for one in jobs.list(actor)} == {one.id for one in seen}
        for job in {by_admin.id, by_village.id, by_contractor.id} - {one.id for one in seen}:
            with pytest.raises(HubError) as hidden:
                jobs.get(actor, job)
            assert hidden.value.kind is Kind.NOT_FOUND
            with pytest.raises(HubError) as hidden:
                await jobs.cancel(actor, job)
            assert hidden.value.kind is Kind.NOT_FOUND
    with pytest.raises(HubError) as refused:
        jobs.start(OTHER, "test", 1, ITEMS, good)
    assert refused.value.kind is Kind.NOT_FOUND
