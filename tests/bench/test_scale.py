"""`bench scale`: its steps as values, and the whole of it, small."""

import io
import json
from itertools import islice
from typing import Any

import pytest

from camera_hub.bench.lines import Lines
from camera_hub.bench.plan import ScalePlan, Spans, Watch
from camera_hub.bench.scale import carried, feed_of, loop_lag, run, steps, watch_of
from camera_hub.clock import SystemClock


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


def test_what_lost_anything_was_not_carried() -> None:
    line: dict[str, Any] = {"lost": 0, "tracks_silent": 0, "feed_counters": {"gaps": 0}}
    assert carried(line)
    assert not carried(line | {"lost": 1})
    assert not carried(line | {"tracks_silent": 1})
    assert not carried(line | {"feed_counters": {"gaps": 1}})


def test_the_worst_loop_lag_of_all_relays_is_told() -> None:
    said: list[dict[str, Any]] = [{"relay": {"loop_lag_ms": 2.0, "pid": 1}}, {"relay": {"loop_lag_ms": 5, "pid": 2}}]
    assert loop_lag(said) == {"loop_lag_ms": 5.0}
    assert loop_lag([{"relay": {"pid": 1}}]) == {}


async def test_feeds_and_tracks_are_carried_and_weighed() -> None:
    out = io.StringIO()
    assert await run(plan(), SystemClock(), Lines(out)), out.getvalue()
    (line,) = (json.loads(line) for line in out.getvalue().splitlines())
    assert (line["bench"], line["feeds"], line["tracks"], line["viewers"]) == ("scale", 4, 8, 2)
    assert line["loss"] == line["client_drops"] == line["tracks_silent"] == line["source_dropped"] == 0
    assert not any(line["feed_counters"].values())
    assert line["packets"] > 0
    assert line["decrypts"] is line["decodes"] is True
    assert line["picture"] == "320x240"
    assert line["rss_mb"] > 0
    assert {"rss_kb_per_feed", "rss_kb_per_track", "cpu_percent", "source_percent", "clients_percent"} <= line.keys()
