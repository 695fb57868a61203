"""`bench scale`: how many feeds and tracks this machine can carry, with source and viewers running on it as well."""

import math
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

from camera_hub.bench import meter
from camera_hub.bench.crew import Crew, crew
from camera_hub.bench.figures import checked_fields, window
from camera_hub.bench.lines import Lines
from camera_hub.bench.measuring import Feeding, feeding, read
from camera_hub.bench.plan import Picture, ScalePlan, Watch
from camera_hub.bench.servers import Hub, relays
from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.relay.messages import RelayConfig

FIRST_STEP, STEP = 0.125, 1.3
FRAMES = 0.9
"""Share of its frames that a track must show; the rest may be cut off at the edges of a short window."""
_FEED_COUNTERS = ("gaps", "dropped", "bad_packets", "failures")
_TRACK_COUNTERS = ("dropped_frames", "overflows", "thinned_frames")


async def run(plan: ScalePlan, clock: Clock, lines: Lines) -> bool:
    """Write a line per step, and when searching a last one that repeats the best. False if nothing was measured."""
    async with feeding(Picture(plan.bit_rate, *plan.size, plan.gop_seconds)) as source:
        return await climb(plan, lambda step: _line(step, clock, source), lines)


async def climb(plan: ScalePlan, measure: Callable[[ScalePlan], Awaitable[dict[str, Any]]], lines: Lines) -> bool:
    """Measure step by step until one is not carried or the machine is busy."""
    best: dict[str, Any] | None = None
    measured = False
    for step in steps(plan):
        line = await measure(step)
        lines.write(line)
        measured |= "failed" not in line
        if not line.get("carried"):
            break
        best = line
        if line["machine_percent"] >= 100 * plan.busy:
            break
    if plan.search:
        lines.write({"bench": "scale", "limit": True, **(best or {"failed": "not even the first step was carried"})})
    return measured


def steps(plan: ScalePlan) -> Iterator[ScalePlan]:
    """The one plan, or, when searching, an endless series of growing ones with the same tracks per feed."""
    if not plan.search:
        yield plan
        return
    share = FIRST_STEP
    while True:
        yield replace(plan, feeds=math.ceil(plan.feeds * share), tracks=math.ceil(plan.tracks * share))
        share *= STEP


def carried(line: dict[str, Any]) -> bool:
    """Whether every track got every frame, and no feed lost anything on its way in."""
    whole = line["lost"] == 0 and line["fps_min"] >= FRAMES * line["fps"]
    return whole and not any((line["feed_counters"] | line["track_counters"]).values())


def watch_of(plan: ScalePlan) -> Watch:
    """The viewers for the plan's tracks; tracks of the last viewer may repeat feeds."""
    per_viewer = min(plan.tracks, plan.tracks_per_viewer)
    return Watch(math.ceil(plan.tracks / per_viewer), per_viewer, plan.cipher)


def feed_of(viewer: int, track: int, plan: ScalePlan) -> int:
    """The feed that a track shows: all feeds of the viewer's relay in turn."""
    own = range(viewer % plan.relays, plan.feeds, plan.relays)
    return own[(viewer // plan.relays * min(plan.tracks, plan.tracks_per_viewer) + track) % len(own)]


async def _line(plan: ScalePlan, clock: Clock, source: Feeding) -> dict[str, Any]:
    watch = watch_of(plan)
    tracks = watch.viewers * watch.tracks
    line: dict[str, Any] = {
        "bench": "scale",
        "feeds": plan.feeds,
        "tracks": tracks,
        "viewers": watch.viewers,
        "bit_rate": plan.bit_rate,
        "cipher": plan.cipher,
        "relays": plan.relays,
    }
    try:
        async with relays(plan.relays, watch.viewers, Hub) as hub:
            line["gso"] = hub.gso
            empty = meter.rss_bytes(hub.pids)
            await hub.open(source.port, range(plan.feeds), everywhere=False)
            await clock.sleep(
                filling(source.packets_per_second) + plan.gop_seconds if plan.settle is None else plan.settle
            )
            fed = meter.rss_bytes(hub.pids)
            async with crew(plan.load_processes, watch) as clients:
                line |= await _watched(plan, clock, source, hub, clients, watch)
                full = meter.rss_bytes(hub.pids)
                line |= checked_fields(await clients.checked())
                line["carried"] = carried(line)
    except HubError as error:
        return line | {"failed": error.detail}
    return line | {
        "rss_mb_empty": empty / 1e6,
        "rss_mb_fed": fed / 1e6,
        "rss_mb": full / 1e6,
        "rss_kb_per_feed": (fed - empty) / plan.feeds / 1e3,
        "rss_kb_per_track": (full - fed) / tracks / 1e3,
    }


async def _watched(
    plan: ScalePlan, clock: Clock, source: Feeding, hub: Hub, clients: Crew, watch: Watch
) -> dict[str, Any]:
    """Connect everybody and measure."""

    async def answer(viewer: int, offer: str) -> str:
        sdp = await hub.answer(viewer, offer)
        for track in range(watch.tracks):
            await hub.show(viewer, track, feed_of(viewer, track, plan))
        return sdp

    await clients.connect(answer, hub.address)
    await clock.sleep(plan.spans.warm_up)
    late, begun = await source.dropped(), await hub.figures()
    before = await read(clock, source, hub.pids, clients)
    await clock.sleep(plan.spans.seconds)
    after = await read(clock, source, hub.pids, clients)
    reported = await hub.figures()
    fields = window(before, after, source.expected, watch.viewers * watch.tracks)
    return fields | {
        "feed_mbit": source.expected.bit_rate * plan.feeds / 1e6,
        "feed_counters": since(feed_counters(begun), feed_counters(reported)),
        "track_counters": since(track_counters(begun), track_counters(reported)),
        "feed_lateness_ms_max": 1e3 * max(feed["lateness"] for one in reported for feed in one["feeds"].values()),
        "pacer_waits": sum(viewer["pacer_waits"] for one in reported for viewer in one["viewers"].values()),
        "source_dropped": await source.dropped() - late,
        **loop_lag(reported),
    }


def feed_counters(reported: list[dict[str, Any]]) -> dict[str, int]:
    """What went wrong at ingest, over all feeds of all relays."""
    feeds = [feed for one in reported for feed in one["feeds"].values()]
    return {name: sum(int(feed[name]) for feed in feeds) for name in _FEED_COUNTERS}


def track_counters(reported: list[dict[str, Any]]) -> dict[str, int]:
    """What the relays did not send to the viewers, over all tracks."""
    tracks = [track for one in reported for viewer in one["viewers"].values() for track in viewer["tracks"]]
    return {name: sum(int(track[name]) for track in tracks) for name in _TRACK_COUNTERS}


def since(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """By how much the counters grew."""
    return {name: value - before[name] for name, value in after.items()}


def filling(packets_per_second: float) -> float:
    """Seconds until a feed's resend history is full, so that its memory no longer grows."""
    config = RelayConfig()
    return min(config.history_seconds, config.history_packets / packets_per_second)


def loop_lag(reported: list[dict[str, Any]]) -> dict[str, float]:
    """The largest event loop delay that the relays report."""
    found: dict[str, float] = {}
    for one in reported:
        for name, value in one["relay"].items():
            if "lag" in name and isinstance(value, int | float):
                found[name] = max(found.get(name, 0.0), float(value))
    return found
