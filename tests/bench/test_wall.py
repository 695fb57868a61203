"""The whole of `bench wall`, small: a real hub with its database, relay and eye, and never a word about speed."""

import io
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from camera_hub.bench.lines import Lines
from camera_hub.bench.plan import Picture, Spans
from camera_hub.bench.wall import overload, run, soak
from camera_hub.bench.wall.plan import HubVariant, Load, OverloadPlan, SoakPlan, WallPlan
from camera_hub.clock import SystemClock
from tests.bench.undisturbed import undisturbed

HUB = HubVariant("hub", Path(sys.executable))
SMALL = Picture(300_000, 320, 240, gop_seconds=1, fps=15)


def read(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(text) for text in out.getvalue().splitlines()]


async def measured(work: Callable[[Lines], Awaitable[bool]]) -> list[dict[str, Any]]:
    """The lines that it writes when the machine does not disturb it."""

    async def measure() -> list[dict[str, Any]]:
        out = io.StringIO()
        assert await work(Lines(out)), out.getvalue()
        return read(out)

    return await undisturbed(measure)


def judge(line: dict[str, Any], tiles: int) -> None:
    assert line["loss"] == line["client_drops"] == line["tracks_silent"] == 0
    assert line["packets"] > 0
    assert line["decrypts"] is True
    assert line["latency_frames"] > 0
    assert line["latency_unknown"] == 0, "every frame arrives as it was sent"
    assert 0 < line["latency_p50_ms"] <= line["latency_p95_ms"] <= line["latency_max_ms"]
    assert line["tiles"] == tiles


@pytest.mark.slow
async def test_a_whole_hub_is_measured_and_a_missing_peer_spoils_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    plan = WallPlan(Load(2, 2, SMALL), Spans(1.0, 1.5), (HUB,), ("go2rtc",))
    hub, go2rtc, summary = await measured(lambda lines: run.run(plan, SystemClock(), lines))
    judge(hub, 2)
    names = [one["name"] for one in hub["processes"]]
    assert names[:2] == ["camera_hub serve", "camera_hub.relay"]
    assert set(names[2:]) <= {"camera_hub.eye"}, "an eye runs while there is something to look at"
    assert 0 < hub["pss_mb"] <= hub["rss_mb"]
    assert 0 < hub["alone_mb"] <= hub["rss_mb"]
    assert (go2rtc["server"], go2rtc["missing"]) == ("go2rtc", "go2rtc is not in PATH")
    assert summary["medians"]["hub"]["measured"] == 1
    assert summary["ratios"]["hub"]["cpu"] is None
    assert summary["not_measured"] == {"go2rtc": "go2rtc is not in PATH"}


@pytest.mark.slow
async def test_a_relay_is_measured_by_itself_with_several_tiles_of_a_camera() -> None:
    hub = HubVariant("relay", Path(sys.executable))
    plan = WallPlan(Load(2, 5, SMALL, tiles_per_viewer=3), Spans(1.0, 1.5), (hub,), (), relay_alone=True)
    relay, _ = await measured(lambda lines: run.run(plan, SystemClock(), lines))
    judge(relay, 5)
    assert [one["name"] for one in relay["processes"]] == ["camera_hub.relay"]


@pytest.mark.slow
async def test_further_tiles_come_and_go() -> None:
    plan = OverloadPlan(Load(2, 2, SMALL, tiles_per_viewer=2), 3, Spans(1.0, 1.5), HUB)
    lines = await measured(lambda lines: overload.run(plan, SystemClock(), lines))
    before, first, second, during, after, summary = lines
    judge(before, 2)
    judge(during, 2)
    assert [line["told"] for line in (first, second)] == [{"live": 2}, {"live": 1}]
    assert during["second_half"]["told"] == {"live": 3}
    assert during["second_half"]["live_delivered_share"] > 0
    assert after["overload"] == "after"
    assert summary["second_half"]["offers_refused"] == {}
    assert summary["new_tile_ms"] > 0


@pytest.mark.slow
async def test_a_soak_samples_and_sums_up() -> None:
    plan = SoakPlan(Load(2, 2, SMALL), minutes=2 / 60, hub=HUB, warm_up=0.5, every=1.0)
    *samples, summary = await measured(lambda lines: soak.run(plan, SystemClock(), lines))
    assert len(samples) == summary["samples"] >= 1
    for sample in samples:
        judge(sample, 2)
        assert sample["told"] == {"live": 2}
        assert sample["descriptors"] > 0
    assert summary["lost"] == 0
    assert summary["range"]["descriptors"]["min"] > 0


@pytest.mark.slow
async def test_a_hub_that_does_not_start_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho it is broken >&2\nexit 3\n")
    python.chmod(0o755)
    out = io.StringIO()
    plan = WallPlan(Load(2, 2, SMALL), Spans(1.0, 1.0), (HubVariant("hub@broken", python),), ())
    assert not await run.run(plan, SystemClock(), Lines(out))
    broken, summary = read(out)
    assert "it is broken" in broken["failed"]
    assert summary["not_measured"] == {"hub@broken": broken["failed"]}
