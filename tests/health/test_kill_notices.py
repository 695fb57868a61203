"""Killed at a few random points; `python -m tests.health.kill_notices --kills 200` does it at many."""

from pathlib import Path

import pytest

from tests.health.kill_notices import run


@pytest.mark.slow
async def test_killed_while_alarms_are_announced_and_delivered_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    outcome = await run(3, tmp_path)
    assert outcome.notices > 0
    assert outcome.good, outcome
