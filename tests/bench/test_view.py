"""The whole of `bench view`, small: a real site and the real pages in Chromium, and never a word about speed."""

import io
import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from camera_hub.bench.lines import Lines
from camera_hub.bench.plan import VIEW_FIGURES, Checkout, ViewPlan
from camera_hub.bench.view import run
from camera_hub.clock import SystemClock
from camera_hub.errors import HubError


@pytest.mark.browser
async def test_a_person_at_the_wall_is_measured() -> None:
    if shutil.which("chromium") is None:
        assert not os.environ.get("CAMERA_HUB_REQUIRE_BROWSER"), "chromium is not installed"
        pytest.skip("chromium is not installed")
    out = io.StringIO()
    await run(ViewPlan(frozenset({"warm", "switch"}), repeat=1, cameras=6), SystemClock(), Lines(out))
    lines = {line["figure"]: line for line in map(json.loads, out.getvalue().splitlines())}
    assert set(lines) == {
        "first_picture_warm_ms",
        "first_picture_warm_from_offer_ms",
        "first_picture_warm_from_navigation_ms",
        "switch_ms",
        "live_ms",
        "live_age_ms",
    }
    assert (lines["switch_ms"]["n"], lines["switch_ms"]["bar_p95"], lines["live_ms"]["bar_p95"]) == (2, 150, 300)
    assert all(0 < line["p50"] <= line["p95"] <= line["max"] for line in lines.values())
    assert lines["switch_ms"]["max"] <= lines["live_ms"]["max"], "the live edge is not before the first frame"


@pytest.mark.browser
@pytest.mark.foreign
async def test_the_hub_takes_turns_with_itself_and_with_the_peers_that_are_here() -> None:
    if shutil.which("chromium") is None:
        assert not os.environ.get("CAMERA_HUB_REQUIRE_BROWSER"), "chromium is not installed"
        pytest.skip("chromium is not installed")
    here = [name for name in ("go2rtc", "mediamtx") if shutil.which(name)]
    out = io.StringIO()
    plan = ViewPlan(
        frozenset({"warm"}),
        repeat=1,
        cameras=6,
        peers=("go2rtc", "mediamtx"),
        checkouts=(Checkout("same", sys.executable),),
    )
    await run(plan, SystemClock(), Lines(out))
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert {line["peer"] for line in lines if "missing" in line} == {"go2rtc", "mediamtx"} - set(here)
    servers = ["hub", "hub@same", *here]
    assert {line["server"] for line in lines if line.get("figure") == "unwatched"} == set(servers)
    measured = {(line["figure"], line["server"]): line for line in lines if "n" in line}
    assert measured.keys() == {("first_picture_warm_ms", server) for server in (*servers, "hub/whep", "hub@same/whep")}
    assert all(0 < line["p50"] <= line["p95"] <= line["max"] for line in measured.values())
    ratio = next(line for line in lines if "ratio" in line and line["to"] == "hub@same" and line["of"] == "p50")
    own = measured["first_picture_warm_ms", "hub"]["p50"] / measured["first_picture_warm_ms", "hub@same"]["p50"]
    assert ratio["ratio"] == pytest.approx(own, rel=0.01)


async def test_without_a_browser_nothing_is_measured_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    out = io.StringIO()
    with pytest.raises(HubError, match="apt-get install chromium"):
        await run(ViewPlan(frozenset(VIEW_FIGURES), repeat=1, cameras=6), SystemClock(), Lines(out))
    assert out.getvalue() == ""


async def test_without_playwright_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "playwright", None)
    with pytest.raises(HubError, match=r"camera-hub\[bench\]"):
        await run(ViewPlan(frozenset({"warm"}), repeat=1, cameras=6), SystemClock(), Lines(io.StringIO()))
