"""Computes the fields of a line from two readings. Pure.

Costs are CPU time of the whole server divided by what arrived: per Mbit of media payload and per RTP packet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from camera_hub.bench.check import Checked
from camera_hub.bench.counting import Counts
from camera_hub.bench.meter import Machine, Usage


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything at one moment. `at`: monotonic seconds."""

    at: float
    server: Usage
    source: Usage
    clients: Usage
    machine: Machine
    counts: Counts


@dataclass(frozen=True, slots=True)
class Expected:
    """What should arrive at each track."""

    bit_rate: float
    fps: float


def window(before: Reading, after: Reading, expected: Expected, tracks: int) -> dict[str, Any]:
    """The fields for the time between two readings. `tracks`: how many streams should have arrived."""
    seconds = after.at - before.at
    counted = after.counts - before.counts
    cpu = after.server - before.server
    mbit = counted.payload * 8 / 1e6
    frames = sorted(counted.per_stream.values())
    cores_kernel = (after.machine.kernel - before.machine.kernel) / seconds
    return {
        "seconds": seconds,
        "cpu_ms_per_mbit": _ratio(cpu.total * 1e3, mbit),
        "cpu_ms_per_mbit_user": _ratio(cpu.user * 1e3, mbit),
        "cpu_ms_per_mbit_system": _ratio(cpu.system * 1e3, mbit),
        "cpu_us_per_packet": _ratio(cpu.total * 1e6, counted.packets),
        "cpu_percent": 100 * cpu.total / seconds,
        "delivered_mbit": mbit / seconds,
        "delivered_share": _ratio(mbit * 1e6 / seconds, expected.bit_rate * tracks),
        "packets": counted.packets,
        "loss": counted.loss,
        "lost": counted.lost,
        "late": counted.late,
        "repeated": counted.repeated,
        "client_drops": counted.dropped,
        "tracks_silent": tracks - sum(count > 0 for count in frames),
        "fps": expected.fps,
        "fps_min": frames[0] / seconds if len(frames) == tracks else 0.0,
        "source_percent": 100 * (after.source - before.source).total / seconds,
        "clients_percent": 100 * (after.clients - before.clients).total / seconds,
        "machine_percent": 100 * after.machine.share(before.machine),
        "stolen_percent": 100 * (after.machine.stolen - before.machine.stolen) / seconds,
        "ksoftirqd_percent": 100 * cores_kernel,
    }


def checked_fields(found: Checked) -> dict[str, Any]:
    """The fields of the spot check."""
    return {
        "decrypts": 0 < found.packets == found.decrypted,
        "decodes": found.good,
        "checked_packets": found.packets,
        "checked_frames": found.decoded,
        "payload_bytes_max": found.largest,
        "picture": f"{found.width}x{found.height}",
    }


def ratios(own: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]) -> dict[str, float | None]:
    """Our cost per Mbit divided by that of each other server, as `ratio_to_NAME`; None where that has no figure."""
    return {f"ratio_to_{name}": cost_ratio(own, other) for name, other in others.items()}


def cost_ratio(own: Mapping[str, Any], other: Mapping[str, Any]) -> float | None:
    """Our cost per Mbit divided by the other's."""
    mine, theirs = own.get("cpu_ms_per_mbit"), other.get("cpu_ms_per_mbit")
    return mine / theirs if mine is not None and theirs else None


def _ratio(value: float, by: float) -> float | None:
    return value / by if by > 0 else None
