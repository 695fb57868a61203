"""The outbox: nothing is lost, order is kept per channel, no receiver waits for another, and no key is logged."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from camera_hub.events import EventBus
from camera_hub.health.notices.channels import ChannelDraft, NoticeChannels
from camera_hub.health.notices.delivery import ChannelDelivery, NoticeDelivery
from camera_hub.health.notices.sending import ChannelTarget, HttpClients
from camera_hub.running import Backoff
from camera_hub.store.database import Database
from camera_hub.store.tables import Alarm, Notice, NoticeChannel
from tests.fakes.clock import ManualClock
from tests.fakes.receiver import Receiver, receiver
from tests.health.fake_sealer import FakeSealer

STEADY = Backoff(first=60, cap=60, floor=60)


@pytest.fixture
async def sink() -> AsyncIterator[Receiver]:
    async with receiver() as fake:
        yield fake


@pytest.fixture
async def client() -> AsyncIterator[HttpClients]:
    async with HttpClients() as client:
        yield client


async def add_channel(database: Database, clock: ManualClock, url: str, name: str = "robot") -> int:
    channels = NoticeChannels(database, EventBus(), clock, FakeSealer())
    return (await channels.add(ChannelDraft(name=name, url=url))).id


async def delivery_to(sink: Receiver, clock: ManualClock, database: Database, client: HttpClients) -> ChannelDelivery:
    """The delivery of the one channel, made when it is not there yet."""
    async with database.read() as session:
        number = await session.scalar(select(NoticeChannel.id))
    number = number or await add_channel(database, clock, sink.url)
    return ChannelDelivery(ChannelTarget(number, "robot", "127.0.0.1", sink.url, 5.0), clock, database, client, STEADY)


async def add_notices(database: Database, clock: ManualClock, channel: int, *kinds: str) -> None:
    async with database.write() as session:
        alarm = Alarm(level="hub", cause="hub_uplink", opened_at=clock.now())
        session.add(alarm)
        await session.flush()
        for kind in kinds:
            session.add(
                Notice(
                    channel_id=channel,
                    alarm_id=alarm.id,
                    kind=kind,
                    payload={"kind": kind, "alarm": {"id": alarm.id}},
                    created_at=clock.now(),
                    next_attempt_at=clock.now(),
                )
            )
            await session.flush()


async def rows(database: Database) -> list[Notice]:
    async with database.read() as session:
        return list(await session.scalars(select(Notice).order_by(Notice.id)))


@pytest.fixture
async def channel(sink: Receiver, database: Database, clock: ManualClock) -> int:
    return await add_channel(database, clock, sink.url)


async def test_notices_are_sent_in_order(
    sink: Receiver, client: HttpClients, database: Database, clock: ManualClock, channel: int
) -> None:
    await add_notices(database, clock, channel, "opened", "closed")
    delivery = await delivery_to(sink, clock, database, client)
    assert await delivery.deliver_next()
    assert await delivery.deliver_next()
    assert not await delivery.deliver_next()
    assert [(sent["id"], sent["kind"]) for sent in sink.told] == [(1, "opened"), (2, "closed")]
    assert all(row.delivered_at == clock.now() and row.error is None for row in await rows(database))


@pytest.mark.parametrize("answer", [500, 302, 429, None])
async def test_what_was_not_accepted_is_sent_again_later_with_the_same_id(
    answer: int | None,
    sink: Receiver,
    client: HttpClients,
    database: Database,
    clock: ManualClock,
    channel: int,
) -> None:
    await add_notices(database, clock, channel, "opened", "closed")
    sink.answers = [answer, 204]
    delivery = await delivery_to(sink, clock, database, client)
    assert await delivery.deliver_next()
    assert not await delivery.deliver_next()  # the second waits behind the first
    clock.move(60)
    assert await delivery.deliver_next()
    assert await delivery.deliver_next()
    assert [sent["id"] for sent in sink.told] == [1, 1, 2]
    assert (delivery.delivered, delivery.failed) == (2, 1)
    assert [row.attempts for row in await rows(database)] == [2, 1]


async def test_an_hour_without_a_receiver_loses_nothing(
    client: HttpClients, database: Database, clock: ManualClock
) -> None:
    async with receiver() as gone:
        channel = await add_channel(database, clock, gone.url)
    await add_notices(database, clock, channel, "opened", "closed")
    delivery = await delivery_to(gone, clock, database, client)
    for _ in range(60):
        assert await delivery.deliver_next()
        clock.move(60)
    async with receiver() as back:
        delivery = await delivery_to(back, clock, database, client)
        while await delivery.deliver_next():
            pass
        assert [sent["id"] for sent in back.told] == [1, 2]


async def test_an_hour_of_503_loses_nothing_either(
    sink: Receiver, client: HttpClients, database: Database, clock: ManualClock, channel: int
) -> None:
    await add_notices(database, clock, channel, "opened", "closed", "opened")
    sink.answers = [503]
    delivery = await delivery_to(sink, clock, database, client)
    for _ in range(60):
        assert await delivery.deliver_next()
        clock.move(60)
    assert all(row.delivered_at is None for row in await rows(database))
    sink.answers, sink.told = [200], []
    while await delivery.deliver_next():
        pass
    assert [sent["id"] for sent in sink.told] == [1, 2, 3]


async def test_a_notice_that_the_receiver_fails_at_again_and_again_does_not_hold_those_behind_it(
    sink: Receiver, client: HttpClients, database: Database, clock: ManualClock, channel: int
) -> None:
    await add_notices(database, clock, channel, "opened", "closed", "opened")
    sink.answers = [500, 500, 500, 500, 500, 200]
    delivery = await delivery_to(sink, clock, database, client)
    for _ in range(5):
        assert await delivery.deliver_next()
        clock.move(60)
    while await delivery.deliver_next():
        pass
    first, second, third = await rows(database)
    assert first.error == "given up: HTTP 500, while the next one was accepted"
    assert (second.error, third.error) == (None, None)
    assert all(row.delivered_at is not None for row in (first, second, third))
    assert [sent["id"] for sent in sink.told] == [1, 1, 1, 1, 1, 2, 3]


async def test_a_refused_notice_is_given_up_after_five_tries(
    sink: Receiver, client: HttpClients, database: Database, clock: ManualClock, channel: int
) -> None:
    await add_notices(database, clock, channel, "opened", "closed")
    sink.answers = [400, 400, 400, 400, 400, 200]
    delivery = await delivery_to(sink, clock, database, client)
    for _ in range(5):
        assert await delivery.deliver_next()
        clock.move(60)
    assert await delivery.deliver_next()
    first, second = await rows(database)
    assert (first.error, first.delivered_at is not None, second.error) == ("HTTP 400", True, None)


async def test_a_notice_of_yesterday_is_sent_no_more(
    sink: Receiver, client: HttpClients, database: Database, clock: ManualClock, channel: int
) -> None:
    await add_notices(database, clock, channel, "opened")
    clock.move(timedelta(days=2).total_seconds())
    assert await (await delivery_to(sink, clock, database, client)).deliver_next()
    assert sink.told == []
    assert (await rows(database))[0].error == "given up: older than a day"


async def test_the_key_in_the_address_is_never_logged(
    sink: Receiver,
    client: HttpClients,
    database: Database,
    clock: ManualClock,
    channel: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await add_notices(database, clock, channel, "opened")
    sink.answers = [500]
    with caplog.at_level(logging.DEBUG, logger="camera_hub"):
        await (await delivery_to(sink, clock, database, client)).deliver_next()
    assert "127.0.0.1" in caplog.text
    assert "s3cret" not in caplog.text
    assert "s3cret" not in ((await rows(database))[0].error or "")


async def test_no_receiver_waits_for_another(sink: Receiver, database: Database, bus: EventBus, channel: int) -> None:
    """One never answers, one always fails: the third gets all of its notices meanwhile."""
    clock = ManualClock(auto=True)
    async with receiver() as failing, receiver(answering=False) as hanging:
        failing.answers = [500]
        channels = [channel]
        for name, other in (("failing", failing), ("hanging", hanging)):
            channels.append(await add_channel(database, clock, other.url, name))
        for number in channels:
            await add_notices(database, clock, number, *["opened"] * 5)
        async with NoticeDelivery(clock, bus, database, FakeSealer(), backoff=STEADY):
            await hanging.contacted.wait()
            while len(sink.told) < 5 or len(failing.told) < 2:
                await clock.settle()
    assert [sent["id"] for sent in sink.told] == [1, 2, 3, 4, 5]
    assert {sent["id"] for sent in failing.told} == {6}
    async with database.read() as session:
        open_of = select(func.count()).select_from(Notice).where(Notice.delivered_at.is_(None))
        assert await session.scalar(open_of.where(Notice.channel_id == channels[2])) == 5


async def test_the_running_part_follows_its_channels(database: Database, bus: EventBus, sink: Receiver) -> None:
    clock = ManualClock(auto=True)
    verbs = NoticeChannels(database, bus, clock, FakeSealer())
    async with NoticeDelivery(clock, bus, database, FakeSealer()):
        channel = await verbs.add(ChannelDraft(name="robot", url=sink.url))
        await add_notices(database, clock, channel.id, "opened")
        await until_sent(sink, clock, 1)
        while (await rows(database))[0].delivered_at is None:  # what is not noted as sent is sent once more
            await clock.settle()
        await verbs.change(channel.id, ChannelDraft(enabled=False))
        while any(task.get_name() == f"notices to channel {channel.id}" for task in asyncio.all_tasks()):
            await clock.settle()
        await add_notices(database, clock, channel.id, "closed")
        async with receiver() as other:
            await verbs.change(channel.id, ChannelDraft(url=other.url, enabled=True))
            await until_sent(other, clock, 1)
        await verbs.remove(channel.id)
    assert [sent["kind"] for sent in sink.told] == ["opened"]
    assert [sent["kind"] for sent in other.told] == ["closed"]


async def test_a_channel_is_removed_while_a_result_is_being_noted(
    sink: Receiver, client: HttpClients, database: Database, clock: ManualClock, channel: int
) -> None:
    """Both lock the channel first, so that one waits for the other; in another order PostgreSQL ends in a deadlock."""
    if database.is_sqlite:
        return  # it has one writer at a time
    await add_notices(database, clock, channel, "opened")
    delivery = await delivery_to(sink, clock, database, client)
    waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")
    async with database.write() as session:
        row = await session.get_one(NoticeChannel, channel, with_for_update=True)
        noting = asyncio.create_task(delivery.deliver_next())
        while not await session.scalar(waits):
            assert not noting.done()
        await session.delete(row)
    assert await noting
    assert await rows(database) == []


async def until_sent(sink: Receiver, clock: ManualClock, count: int) -> None:
    while len(sink.told) < count:
        await clock.settle()


async def test_a_channel_whose_address_does_not_open_is_left_out(
    sink: Receiver, database: Database, bus: EventBus, channel: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The key file of another hub: the other channels go on."""
    clock = ManualClock(auto=True)
    async with receiver() as other:
        lost = await add_channel(database, clock, other.url, "lost")
        async with database.write() as session:
            row = await session.get_one(NoticeChannel, lost)
            row.url_sealed = b"of another key"
        await add_notices(database, clock, lost, "opened")
        await add_notices(database, clock, channel, "opened")
        async with NoticeDelivery(clock, bus, database, FakeSealer()):
            await until_sent(sink, clock, 1)
    assert other.told == []
    assert "the address of channel lost cannot be decrypted" in caplog.text
