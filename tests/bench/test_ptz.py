"""The whole of `bench ptz`, small: a real hub, a simulated dome, a page's WebSocket, and never a word about speed."""

import io
import json

import pytest

from camera_hub.bench.lines import Lines
from camera_hub.bench.ptz import STUBBORN, PtzPlan, run
from camera_hub.clock import SystemClock


@pytest.mark.slow
async def test_presses_and_cuts_are_measured() -> None:
    out = io.StringIO()
    await run(PtzPlan(presses=2, cuts=1, cameras=3), SystemClock(), Lines(out))
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    cuts = [line for line in lines if line["figure"] == "cut_to_still_s"]
    presses = {line["figure"]: line for line in lines if line not in cuts}
    assert set(presses) == {"press_idle_ms", "release_idle_ms", "press_busy_ms", "release_busy_ms"}
    assert all(line["n"] == 2 and 0 < line["p50"] <= line["p95"] <= line["max"] for line in presses.values())
    assert (presses["press_busy_ms"]["bar_p95"], presses["press_idle_ms"]["beside"]) == (50, {})
    assert [line["fault"] for line in cuts] == [fault or None for fault in STUBBORN]
    assert all(0 < line["first"] == line["max"] for line in cuts)
