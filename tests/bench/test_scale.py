"""`bench scale`: its steps as values, and the whole of it, small."""

import io
import json
from itertools import islice
from typing import Any

import pytest

from camera_hub.bench.lines import Lines
from camera_hub.bench.plan import ScalePlan, Spans, Watch
from camera_hub.bench.scale import (
    carried,
    climb,
    feed_counters,
    feed_of,
    filling,
    loop_lag,
    run,
    since,
    steps,
    track_counters,
    watch_of,
)
from camera_hub.clock import SystemClock
from camera_hub.relay.messages import RelayConfig
from tests.bench.undisturbed import undisturbed


def plan(**values: Any) -> ScalePlan:
    return ScalePlan(
        **{
            "feeds": 4,
            "tracks": 8,
            "tracks_per_viewer": 4,
            "bit_rate": 300_000,
            "cipher": "gcm",
            "size": (320, 240),
            "spans": Spans(warm_up=1.2, seconds=1.0),
            "gop_seconds": 1,
            "settle": 1.0,
            **values,
        }
    )


def test_a_search_steps_up_and_keeps_the_shape() -> None:
    assert [step.feeds for step in steps(plan())] == [4]
    found = list(islice(steps(plan(feeds=200, tracks=320, search=True)), 9))
    assert (found[0].feeds, found[0].tracks) == (25, 40)
    assert (found[8].feeds, found[8].tracks) == (204, 327)


@pytest.mark.parametrize(("relays", "feeds", "viewers"), [(1, 200, 20), (2, 7, 6), (3, 4, 5)])
def test_every_feed_is_watched_at_the_relay_that_pulls_it(relays: int, feeds: int, viewers: int) -> None:
    wanted = plan(feeds=feeds, tracks=viewers * 16, tracks_per_viewer=16, relays=relays)
    assert watch_of(wanted) == Watch(viewers, 16, "gcm")
    seen = {(viewer % relays, feed_of(viewer, track, wanted)) for viewer in range(viewers) for track in range(16)}
    assert {feed for _, feed in seen} == set(range(feeds))
    assert all(feed % relays == relay for relay, feed in seen)


@pytest.mark.parametrize(
    ("feeds_carried", "busy_from", "tried", "limit"),
    [
        (40, 1000, [25, 33, 43], 33),  # 43 lose something
        (1000, 30, [25, 33], 33),  # at 33 the machine is busy, and they are carried
        (10, 1000, [25], None),
    ],
)
async def test_a_search_ends_at_the_first_step_that_is_too_much(
    feeds_carried: int, busy_from: int, tried: list[int], limit: int | None
) -> None:
    out = io.StringIO()

    async def measure(step: ScalePlan) -> dict[str, Any]:
        percent = 85.0 if step.feeds >= busy_from else 20.0
        return {"feeds": step.feeds, "carried": step.feeds <= feeds_carried, "machine_percent": percent}

    assert await climb(plan(feeds=200, tracks=320, search=True), measure, Lines(out))
    *every, last = (json.loads(line) for line in out.getvalue().splitlines())
    assert [line["feeds"] for line in every] == tried
    assert (last["limit"], last.get("feeds")) == (True, limit)
    assert ("failed" in last) == (limit is None)


async def test_a_plan_that_cannot_be_measured_is_no_success() -> None:
    async def measure(step: ScalePlan) -> dict[str, Any]:
        return {"failed": "no relay"}

    assert not await climb(plan(), measure, Lines(io.StringIO()))


def test_what_lost_anything_was_not_carried() -> None:
    line: dict[str, Any] = {
        "lost": 0,
        "fps": 25,
        "fps_min": 24.5,
        "feed_counters": {"gaps": 0},
        "track_counters": {"dropped_frames": 0},
    }
    assert carried(line)
    assert not carried(line | {"lost": 1})
    assert not carried(line | {"fps_min": 20.0})
    assert not carried(line | {"feed_counters": {"gaps": 1}})
    assert not carried(line | {"track_counters": {"dropped_frames": 1}})


def test_counters_count_over_all_relays_and_from_when_the_window_began() -> None:
    track = {"dropped_frames": 1, "overflows": 0, "thinned_frames": 2, "frames": 9}
    feed = {"gaps": 1, "dropped": 0, "bad_packets": 3, "failures": 0, "frames": 9}
    said: list[dict[str, Any]] = [
        {"feeds": {"s0": feed, "s2": feed}, "viewers": {"v0": {"tracks": [track, track]}}},
        {"feeds": {"s1": feed}, "viewers": {"v1": {"tracks": [track]}}},
    ]
    assert feed_counters(said) == {"gaps": 3, "dropped": 0, "bad_packets": 9, "failures": 0}
    assert track_counters(said) == {"dropped_frames": 3, "overflows": 0, "thinned_frames": 6}
    assert since({"gaps": 2}, {"gaps": 5}) == {"gaps": 3}


def test_memory_is_read_when_histories_are_full() -> None:
    assert filling(20) == RelayConfig().history_seconds
    assert filling(RelayConfig().history_packets / 0.5) == 0.5


def test_the_worst_loop_lag_of_all_relays_is_told() -> None:
    said: list[dict[str, Any]] = [{"relay": {"loop_lag_ms": 2.0, "pid": 1}}, {"relay": {"loop_lag_ms": 5, "pid": 2}}]
    assert loop_lag(said) == {"loop_lag_ms": 5.0}
    assert loop_lag([{"relay": {"pid": 1}}]) == {}


@pytest.mark.slow
async def test_feeds_and_tracks_are_carried_and_weighed() -> None:
    async def measure() -> list[dict[str, Any]]:
        out = io.StringIO()
        assert await run(plan(), SystemClock(), Lines(out)), out.getvalue()
        return [json.loads(line) for line in out.getvalue().splitlines()]

    (line,) = await undisturbed(measure)
    assert (line["bench"], line["feeds"], line["tracks"], line["viewers"]) == ("scale", 4, 8, 2)
    assert line["loss"] == line["client_drops"] == line["tracks_silent"] == line["source_dropped"] == 0
    assert not any(line["feed_counters"].values())
    assert line["packets"] > 0
    assert line["decrypts"] is line["decodes"] is True
    assert line["picture"] == "320x240"
    assert line["rss_mb"] > 0
    assert {"rss_kb_per_feed", "rss_kb_per_track", "cpu_percent", "source_percent", "clients_percent"} <= line.keys()
