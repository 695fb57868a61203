"""Which run of a benchmark is judged."""

from typing import Any

import pytest

from tests.bench.undisturbed import TRIES, undisturbed

CLEAR = {"loss": 0.0, "client_drops": 0, "latency_frames": 9, "feed_counters": {"gaps": 0}}


@pytest.mark.parametrize(
    "spoilt", [{"loss": 0.1}, {"client_drops": 2}, {"latency_frames": 0}, {"feed_counters": {"gaps": 1}}, {"lost": 3}]
)
async def test_a_run_that_was_disturbed_is_taken_again(spoilt: dict[str, Any]) -> None:
    runs = [[CLEAR, CLEAR | spoilt], [CLEAR, CLEAR]]

    async def measure() -> list[dict[str, Any]]:
        return runs.pop(0)

    assert await undisturbed(measure) == [CLEAR, CLEAR]


async def test_what_is_lost_each_time_is_judged() -> None:
    runs = 0

    async def measure() -> list[dict[str, Any]]:
        nonlocal runs
        runs += 1
        return [CLEAR | {"loss": 0.5}]

    assert await undisturbed(measure) == [CLEAR | {"loss": 0.5}]
    assert runs == TRIES
