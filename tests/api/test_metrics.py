"""/metrics: who may read it, and that its page is what Prometheus reads."""

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from camera_hub.access.policy import Role
from camera_hub.health.rounds.rounds import Rounds
from camera_hub.media.readings import FeedReading, MediaReadings, Readings, RelayReading
from camera_hub.relay.process.totals import Totals
from camera_hub.settings import MetricsSettings, Settings
from tests.api.conftest import Hub

FEED = {"phase": "live", "packets": 9, "bytes": 900, "gop_seconds": None, "jitter": 0.002, "tracks": 3}


@pytest.mark.parametrize(
    ("role", "status"),
    [(None, 401), (Role.VILLAGE_ADMIN, 403), (Role.OPERATOR, 403), (Role.MAINTAINER, 200), (Role.TOWNSHIP_ADMIN, 200)],
)
async def test_only_those_who_read_the_system_see_it(hub: Hub, role: Role | None, status: int) -> None:
    answer = await (await hub.client(role)).get("/metrics")
    assert answer.status_code == status


async def test_a_scraper_shows_its_token_and_no_other_opens(hub: Hub) -> None:
    hub.parts[Settings] = hub.parts[Settings].model_copy(
        update={"metrics": MetricsSettings(token=SecretStr("scrape-7f"))}
    )
    client = await hub.client(None)
    for shown, status in (("Bearer scrape-7f", 200), ("Bearer scrape-7", 401), ("Bearer ", 401), ("scrape-7f é", 401)):
        answer = await client.get("/metrics", headers={b"authorization": shown.encode()})
        assert answer.status_code == status, shown
    hub.parts[Settings] = hub.parts[Settings].model_copy(update={"metrics": MetricsSettings()})
    assert (await client.get("/metrics", headers={"authorization": "Bearer "})).status_code == 401


async def test_it_is_what_prometheus_reads(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    relay = RelayReading(0, 2, True, 5, {"cpu_seconds": 1.5, "datagrams": {"bad_stun": 4}, "sent_packets": 77})
    monkeypatch.setattr(hub.parts[Rounds], "postponed", 3)
    readings = Readings([relay], [FeedReading(0, 12, "sub", FEED)], {"looks": 8, "waiting": 1})
    monkeypatch.setattr(hub.parts[MediaReadings], "read", lambda: readings)
    answer = await (await hub.client(Role.MAINTAINER)).get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    found = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    relay_0 = ("relay", "0")
    feed = (("camera", "12"), relay_0, ("stream", "sub"))
    assert found["camera_hub_relay_up", relay_0] == 1
    assert found["camera_hub_relay_starts_total", relay_0] == 2
    assert found["camera_hub_relay_sent_packets_total", relay_0] == 77
    assert found["camera_hub_relay_datagrams_dropped_total", ("kind", "bad_stun"), relay_0] == 4
    assert found["camera_hub_feed_live", *feed] == 1
    assert found["camera_hub_feed_bytes_total", *feed] == 900
    assert found["camera_hub_feed_jitter", *feed] == 0.002
    assert ("camera_hub_feed_gop_seconds", *feed) not in found  # nobody knows it yet
    assert found["camera_hub_eye_looks_total",] == 8
    assert found["camera_hub_announcements_hellos_total",] == 0
    assert found["camera_hub_moves_asked_total",] == 0
    assert found["camera_hub_identity_asked_total",] == 0
    assert found["camera_hub_rounds_postponed_total",] == 3
    assert ("camera_hub_rounds_skipped_total",) in found


def test_sums_of_what_was_sent_never_fall_when_viewers_go() -> None:
    track = dict.fromkeys(
        ("frames", "packets", "bytes", "rtx", "rtx_missed", "pli", "replays", "dropped_frames", "lost"), 0
    )
    one = {"sends": 3, "pacer_waits": 1, "tracks": [track | {"packets": 10}, track | {"packets": 5, "rtx": 2}]}
    two = {"tracks": [track | {"packets": 1}]}  # not connected: it has no outlet yet
    totals = Totals()
    before = totals.read([one, two])
    assert (before["sent_packets"], before["sent_rtx"], before["sent_sends"]) == (16, 2, 3)
    totals.add_ended(one)
    assert totals.read([two]) == before
