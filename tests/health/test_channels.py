"""Channels and rules: who gets which alarm, what the settings file does, and that addresses never come back."""

import pytest
from sqlalchemy import select

from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus, NoticeChannelChanged
from camera_hub.health.notices.channels import MAX_CHANNELS, ChannelDraft, NoticeChannels, seal_owner
from camera_hub.health.notices.rules import EVERYTHING, RuleView, is_meant
from camera_hub.settings import NoticeSettings
from camera_hub.store.database import Database
from camera_hub.store.tables import NoticeChannel
from tests.fakes.clock import ManualClock
from tests.health.fake_sealer import FakeSealer

URL = "https://robot.example:8443/send?key=s3cret"


@pytest.fixture
def channels(database: Database, bus: EventBus, clock: ManualClock) -> NoticeChannels:
    return NoticeChannels(database, bus, clock, FakeSealer())


@pytest.mark.parametrize(
    ("rule", "meant"),
    [
        (RuleView(), True),
        (RuleView(village_id=7), True),
        (RuleView(village_id=8), False),
        (RuleView(aspect="media"), True),
        (RuleView(aspect="clock"), False),
        (RuleView(min_severity="warning"), True),
        (RuleView(min_severity="major"), True),
        (RuleView(min_severity="critical"), False),
        (RuleView(7, "media", "minor"), True),
        (RuleView(7, "media", "critical"), False),
    ],
)
def test_a_rule_matches_by_village_aspect_and_severity(rule: RuleView, meant: bool) -> None:
    assert rule.matches(7, "media", "major") is meant


def test_any_rule_is_enough_and_none_is_not() -> None:
    assert is_meant([RuleView(8), RuleView(7)], 7, "media", "major")
    assert not is_meant([], 7, "media", "major")
    assert not is_meant([RuleView(7)], None, "media", "critical"), "the hub's own alarms belong to no village"


async def test_an_address_is_sealed_and_only_its_host_is_shown(
    database: Database, bus: EventBus, channels: NoticeChannels
) -> None:
    with bus.subscribe(NoticeChannelChanged) as events:
        view = await channels.add(ChannelDraft("robot", URL, 3.0))
        assert await events.next() == NoticeChannelChanged(view.id)
    assert (view.host, view.rules, view.enabled, view.timeout_s) == ("robot.example", (EVERYTHING,), True, 3.0)
    assert "s3cret" not in repr(view)
    async with database.read() as session:
        row = (await session.scalars(select(NoticeChannel))).one()
    assert row.url_sealed is not None
    assert b"s3cret" not in row.url_sealed
    assert FakeSealer().open(row.url_sealed, seal_owner(view.id)) == URL


@pytest.mark.parametrize("url", ["file:///etc/passwd", "robot.example", "http://", "http://[::1", "http://host:99999/"])
async def test_an_unusable_address_is_refused_without_repeating_it(url: str, channels: NoticeChannels) -> None:
    with pytest.raises(HubError, match="http") as refused:
        await channels.add(ChannelDraft("robot", url))
    assert (refused.value.kind, refused.value.reason) == (Kind.INVALID, "webhook_url")
    assert await channels.list() == []


async def test_names_are_unique_villages_exist_and_channels_are_few(channels: NoticeChannels) -> None:
    first = await channels.add(ChannelDraft("robot", URL))
    with pytest.raises(HubError, match="named 'robot' already"):
        await channels.add(ChannelDraft("robot", URL))
    with pytest.raises(HubError, match="does not exist"):
        await channels.change(first.id, ChannelDraft(rules=(RuleView(village_id=99),)))
    with pytest.raises(HubError, match="no such channel"):
        await channels.change(99, ChannelDraft(enabled=False))
    for number in range(1, MAX_CHANNELS):
        await channels.add(ChannelDraft(f"robot {number}", URL))
    with pytest.raises(HubError, match="remove one first"):
        await channels.add(ChannelDraft("one more", URL))
    await channels.remove(first.id)
    assert len(await channels.list()) == MAX_CHANNELS - 1


async def test_the_settings_make_a_channel_change_its_address_and_disable_it(
    database: Database, channels: NoticeChannels
) -> None:
    await channels.follow_settings(NoticeSettings())
    assert await channels.list() == []
    await channels.follow_settings(NoticeSettings(webhook_url=URL, webhook_timeout=7.0))
    (view,) = await channels.list()
    assert (view.name, view.host, view.from_settings, view.enabled) == (
        "notices.webhook_url",
        "robot.example",
        True,
        True,
    )
    assert (view.rules, view.timeout_s) == ((EVERYTHING,), 7.0)
    await channels.change(view.id, ChannelDraft(enabled=False, rules=(RuleView(aspect="media"),)))
    await channels.follow_settings(NoticeSettings(webhook_url="http://other.example/"))
    (view,) = await channels.list()
    assert (view.host, view.enabled, view.rules) == ("other.example", False, (RuleView(aspect="media"),))
    await channels.change(view.id, ChannelDraft(enabled=True))
    for forbidden in (channels.change(view.id, ChannelDraft(url=URL)), channels.remove(view.id)):
        with pytest.raises(HubError, match="settings file"):
            await forbidden
    await channels.follow_settings(NoticeSettings())
    (view,) = await channels.list()
    assert (view.enabled, view.host) == (False, "")
    with pytest.raises(HubError, match="no address"):
        await channels.change(view.id, ChannelDraft(enabled=True))
    await channels.follow_settings(NoticeSettings(webhook_url=URL))
    (view,) = await channels.list()
    assert (view.enabled, view.host, view.rules) == (True, "robot.example", (RuleView(aspect="media"),))
    with pytest.raises(HubError, match=r"webhook.*http"):
        await channels.follow_settings(NoticeSettings(webhook_url="file:///etc/passwd"))
