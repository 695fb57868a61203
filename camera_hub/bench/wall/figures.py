"""Computes the fields of a wall's line, and the summary of several. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median
from typing import Any

from camera_hub.bench.arrivals import Arrivals, delays
from camera_hub.bench.memory import Memory
from camera_hub.bench.view_frames import spread
from camera_hub.bench.wall.plan import BETTER_OF

MEDIANS = (
    "cpu_percent", "cpu_ms_per_mbit", "cpu_us_per_frame", "cpu_percent_per_feed", "pss_mb", "rss_mb", "alone_mb",
    "latency_p50_ms", "latency_p95_ms", "delivered_share", "loss", "stolen_percent", "machine_percent",
)  # fmt: skip
"""Figures of which the summary has each server's median over the repetitions."""

RATIOS = {
    "cpu": "cpu_ms_per_mbit",
    "memory": "pss_mb",
    "memory_rss": "rss_mb",
    "memory_alone": "alone_mb",
    "latency_p50": "latency_p50_ms",
    "latency_p95": "latency_p95_ms",
}
"""What is compared, and by which figure."""


def per_frame_and_feed(fields: Mapping[str, Any], frames: int, feeds: int) -> dict[str, float | None]:
    """CPU time per delivered frame, and the share of a core that each feed with its tiles takes."""
    return {
        "cpu_us_per_frame": fields["cpu_percent"] * 1e4 * fields["seconds"] / frames if frames else None,
        "cpu_percent_per_feed": fields["cpu_percent"] / feeds,
    }


def memory_fields(found: Memory, cpu: Mapping[int, float]) -> dict[str, Any]:
    """Memory in MB (10⁶ bytes), of the whole server and of each process, whose share of a core is given by its id."""
    return {
        "pss_mb": found.pss * 1024 / 1e6,
        "rss_mb": found.rss * 1024 / 1e6,
        "alone_mb": found.alone * 1024 / 1e6,
        "descriptors": found.descriptors,
        "processes": [
            {
                "name": one.name,
                "pss_mb": one.pss * 1024 / 1e6,
                "rss_mb": one.rss * 1024 / 1e6,
                "cpu_percent": cpu.get(one.pid),
            }
            for one in found.processes
        ],
    }


def latency_fields(
    arrived: Iterable[tuple[int, Arrivals]],
    lane_of: Mapping[tuple[int, int], int],
    written: Mapping[int, Sequence[tuple[float, bytes]]],
) -> dict[str, Any]:
    """The latency of all frames of the timed tiles in milliseconds.

    `arrived`: viewer and what it noted; `lane_of`: the source's lane by (viewer, track); `written`: the source's frames
    by lane. Frames that cannot be recognized are counted in latency_unknown.
    """
    found: list[float] = []
    unknown = noted = decrypted = 0
    for viewer, arrivals in arrived:
        noted, decrypted = noted + arrivals.noted, decrypted + arrivals.decrypted
        by_track: dict[int, list[tuple[float, bytes]]] = {}
        for track, at, end in arrivals.frames:
            by_track.setdefault(track, []).append((at, end))
        for track, received in by_track.items():
            lane = lane_of.get((viewer, track))
            known, rest = delays(written[lane], received) if lane is not None else ([], len(received))
            found += known
            unknown += rest
    fields: dict[str, Any] = {"latency_frames": len(found), "latency_unknown": unknown, "decrypts": noted == decrypted}
    if not found:
        return fields | {"latency_p50_ms": None, "latency_p95_ms": None, "latency_max_ms": None}
    of = spread([1e3 * one for one in found])
    return fields | {"latency_p50_ms": of.p50, "latency_p95_ms": of.p95, "latency_max_ms": of.max}


def summary(lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The medians of each server, and each hub's ratios to the better peer and to every other hub."""
    names = list(dict.fromkeys(str(line["server"]) for line in lines))
    measured = {name: [line for line in lines if line["server"] == name and "cpu_percent" in line] for name in names}
    medians = {name: _medians(found) for name, found in measured.items() if found}
    hubs = [name for name in medians if name.split("@")[0].split("-")[0] in ("hub", "relay")]
    stolen = [float(line["stolen_percent"]) for found in measured.values() for line in found]
    return {
        "medians": medians,
        "ratios": {name: ratios(medians[name], {peer: medians.get(peer, {}) for peer in BETTER_OF}) for name in hubs},
        "ratios_to_hubs": {
            f"{name} to {other}": ratios(medians[name], {other: medians[other]})
            for name in hubs
            for other in hubs
            if other != name
        },
        "stolen_percent": {"mean": fmean(stolen), "max": max(stolen)} if stolen else None,
        "not_measured": {
            name: next(line.get("missing", line.get("failed")) for line in lines if line["server"] == name)
            for name in names
            if not measured[name]
        },
    }


def ratios(own: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]) -> dict[str, float | None]:
    """Each compared figure divided by the best of the others; None where one of them has none."""
    found: dict[str, float | None] = {}
    for name, figure in RATIOS.items():
        theirs = [other[figure] for other in others.values() if other.get(figure) is not None]
        mine = own.get(figure)
        found[name] = mine / min(theirs) if mine is not None and theirs and min(theirs) > 0 else None
    return found


def _medians(lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {"measured": len(lines)}
    for name in MEDIANS:
        values = [line[name] for line in lines if line.get(name) is not None]
        found[name] = median(values) if values else None
    return found


def slope(points: Sequence[tuple[float, float]]) -> float | None:
    """The least-squares slope of (time, value); None with fewer than two times."""
    if len({at for at, _ in points}) < 2:
        return None
    middle, level = fmean(at for at, _ in points), fmean(value for _, value in points)
    spread_of_time = sum((at - middle) ** 2 for at, _ in points)
    return sum((at - middle) * (value - level) for at, value in points) / spread_of_time
