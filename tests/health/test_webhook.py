"""The outbox: nothing is lost, order is kept, the same notice has the same id, and no key is logged."""

import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from camera_hub.errors import HubError
from camera_hub.health.history import Retention
from camera_hub.health.notices.webhook import Webhook
from camera_hub.running import Backoff
from camera_hub.settings import NoticeSettings
from camera_hub.store.database import Database
from camera_hub.store.tables import Alarm, Notice
from tests.fakes.clock import ManualClock
from tests.fakes.receiver import Receiver, receiver


@pytest.fixture
async def sink() -> AsyncIterator[Receiver]:
    async with receiver() as fake:
        yield fake


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=5) as client:
        yield client


def webhook(sink: Receiver, clock: ManualClock, database: Database) -> Webhook:
    return Webhook(NoticeSettings(webhook_url=sink.url), clock, database, backoff=Backoff(first=10, cap=10, floor=10))


async def add_notices(database: Database, clock: ManualClock, *kinds: str) -> None:
    async with database.write() as session:
        alarm = Alarm(level="hub", cause="hub_uplink", opened_at=clock.now())
        session.add(alarm)
        await session.flush()
        for kind in kinds:
            session.add(
                Notice(
                    alarm_id=alarm.id,
                    kind=kind,
                    payload={"kind": kind, "alarm": {"id": alarm.id}},
                    created_at=clock.now(),
                    next_attempt_at=clock.now(),
                )
            )


async def rows(database: Database) -> list[Notice]:
    async with database.read() as session:
        return list(await session.scalars(select(Notice).order_by(Notice.id)))


async def test_notices_are_told_in_order(
    sink: Receiver, client: httpx.AsyncClient, database: Database, clock: ManualClock
) -> None:
    await add_notices(database, clock, "opened", "closed")
    hook = webhook(sink, clock, database)
    assert await hook.deliver_next(client)
    assert await hook.deliver_next(client)
    assert not await hook.deliver_next(client)
    assert [(told["id"], told["kind"]) for told in sink.told] == [(1, "opened"), (2, "closed")]
    assert all(row.delivered_at == clock.now() and row.error is None for row in await rows(database))


@pytest.mark.parametrize("answer", [500, 302, 429, None])
async def test_what_was_not_taken_is_told_again_later_with_the_same_id(
    answer: int | None, sink: Receiver, client: httpx.AsyncClient, database: Database, clock: ManualClock
) -> None:
    await add_notices(database, clock, "opened", "closed")
    sink.answers = [answer, 204]
    hook = webhook(sink, clock, database)
    assert await hook.deliver_next(client)
    assert not await hook.deliver_next(client)  # the second waits behind the first
    clock.move(10)
    assert await hook.deliver_next(client)
    assert await hook.deliver_next(client)
    assert [told["id"] for told in sink.told] == [1, 1, 2]
    assert (hook.delivered, hook.failed) == (2, 1)
    assert [row.attempts for row in await rows(database)] == [2, 1]


@pytest.mark.slow
async def test_an_hour_without_a_receiver_loses_nothing(
    client: httpx.AsyncClient, database: Database, clock: ManualClock
) -> None:
    await add_notices(database, clock, "opened", "closed")
    async with receiver() as gone:
        pass
    hook = webhook(gone, clock, database)
    for _ in range(360):
        assert await hook.deliver_next(client)
        clock.move(10)
    async with receiver() as back:
        hook = webhook(back, clock, database)
        while await hook.deliver_next(client):
            pass
        assert [told["id"] for told in back.told] == [1, 2]


async def test_a_refused_notice_is_given_up_after_five_tries_and_named_so(
    sink: Receiver, client: httpx.AsyncClient, database: Database, clock: ManualClock
) -> None:
    await add_notices(database, clock, "opened", "closed")
    sink.answers = [400, 400, 400, 400, 400, 200]
    hook = webhook(sink, clock, database)
    for _ in range(5):
        assert await hook.deliver_next(client)
        clock.move(10)
    assert await hook.deliver_next(client)
    first, second = await rows(database)
    assert (first.error, first.delivered_at is not None, second.error) == ("HTTP 400", True, None)


async def test_a_notice_of_yesterday_is_not_told_any_more(
    sink: Receiver, client: httpx.AsyncClient, database: Database, clock: ManualClock
) -> None:
    await add_notices(database, clock, "opened")
    clock.move(timedelta(days=2).total_seconds())
    assert await webhook(sink, clock, database).deliver_next(client)
    assert sink.told == []
    assert (await rows(database))[0].error == "given up: older than a day"


async def test_without_a_receiver_notices_do_not_pile_up(database: Database, clock: ManualClock) -> None:
    await add_notices(database, clock, "opened")
    clock.move(timedelta(days=14).total_seconds())
    await add_notices(database, clock, "closed")
    await Retention(14.0, database, clock).delete_old(clock.now() - timedelta(days=12))
    assert [notice.kind for notice in await rows(database)] == ["closed"]


async def test_the_key_in_the_address_is_never_logged(
    sink: Receiver,
    client: httpx.AsyncClient,
    database: Database,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await add_notices(database, clock, "opened")
    sink.answers = [500]
    with caplog.at_level(logging.DEBUG, logger="camera_hub"):
        await webhook(sink, clock, database).deliver_next(client)
    assert "127.0.0.1" in caplog.text
    assert "s3cret" not in caplog.text
    assert "s3cret" not in ((await rows(database))[0].error or "")


async def test_the_running_part_delivers_by_itself(sink: Receiver, database: Database) -> None:
    clock = ManualClock(auto=True)
    await add_notices(database, clock, "opened")
    async with webhook(sink, clock, database) as hook:
        while not hook.delivered:
            await clock.settle()
    assert [told["id"] for told in sink.told] == [1]


async def test_without_an_address_nothing_runs_and_a_strange_one_is_refused(
    database: Database, clock: ManualClock
) -> None:
    async with Webhook(NoticeSettings(), clock, database) as hook:
        assert hook.delivered == 0
    with pytest.raises(HubError, match="http"):
        async with Webhook(NoticeSettings(webhook_url="file:///etc/passwd"), clock, database):
            pass
