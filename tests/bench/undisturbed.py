"""Benchmarks that the machine does not disturb."""

from collections.abc import Awaitable, Callable
from typing import Any

LOST = ("loss", "client_drops", "tracks_silent", "source_dropped", "repeated", "latency_unknown", "lost")
TRIES = 3


async def undisturbed(measure: Callable[[], Awaitable[list[dict[str, Any]]]]) -> list[dict[str, Any]]:
    """The lines of the first run in which nothing was lost.

    A busy machine loses packets in the sockets of clients and sources, which says nothing of what is tested: that all
    of it is counted, checked and written. When something is lost each time, it is the benchmark's doing: the lines of
    the last run tell.
    """
    for _ in range(TRIES - 1):
        lines = await measure()
        if not any(_disturbed(line) for line in lines):
            return lines
    return await measure()


def _disturbed(line: dict[str, Any]) -> bool:
    counters = [*line.get("feed_counters", {}).values(), *line.get("track_counters", {}).values()]
    return any(line.get(name) for name in LOST) or any(counters) or line.get("latency_frames") == 0
