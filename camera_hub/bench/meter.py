"""CPU and memory of processes and of the machine, read from /proc (proc(5)).

A process counts with all its threads and children, including ended ones. Loopback delivers a datagram within the
sender's system call, so a server's `system` time includes the kernel's work of receiving; what the kernel moved to its
own threads (ksoftirqd) under load is reported separately, since it would flatter the server that caused it.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds since the start."""

    user: float = 0.0
    system: float = 0.0

    @property
    def total(self) -> float:
        return self.user + self.system

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.user + other.user, self.system + other.system)

    def __sub__(self, other: "Usage") -> "Usage":
        return Usage(self.user - other.user, self.system - other.system)


@dataclass(frozen=True, slots=True)
class Stat:
    """One process: its parent, its name, its CPU time including that of children it has waited for."""

    parent: int
    name: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class Machine:
    """CPU seconds of all cores since boot. `kernel`: those of the kernel's soft interrupt threads."""

    busy: float
    idle: float
    stolen: float
    kernel: float

    def share(self, before: "Machine") -> float:
        """Busy share (0 … 1) of all cores since then."""
        busy, idle = self.busy - before.busy, self.idle - before.idle
        return busy / (busy + idle) if busy + idle > 0 else 0.0


def parse_stat(text: str) -> Stat:
    """Read /proc/PID/stat. The name is in brackets and may contain anything."""
    head, _, rest = text.rpartition(")")
    fields = rest.split()
    user, system, waited_user, waited_system = (int(field) / _TICK for field in fields[11:15])
    return Stat(int(fields[1]), head.partition("(")[2], Usage(user + waited_user, system + waited_system))


def family(stats: dict[int, Stat], roots: Iterable[int]) -> set[int]:
    """The roots that exist, and all their descendants."""
    found = {pid for pid in roots if pid in stats}
    while True:
        more = {pid for pid, stat in stats.items() if stat.parent in found} - found
        if not more:
            return found
        found |= more


def read_stats() -> dict[int, Stat]:
    """Every process on the machine; those that end while we read are left out."""
    stats: dict[int, Stat] = {}
    for entry in os.scandir(PROC):
        if entry.name.isdigit():
            try:
                stats[int(entry.name)] = parse_stat(Path(entry.path, "stat").read_text("utf-8", "replace"))
            except (OSError, ValueError, IndexError):
                continue
    return stats


def usage(roots: Iterable[int], stats: dict[int, Stat] | None = None) -> Usage:
    """CPU time of these processes and all their descendants."""
    stats = read_stats() if stats is None else stats
    return sum((stats[pid].usage for pid in family(stats, roots)), Usage())


def rss_bytes(roots: Iterable[int]) -> int:
    """Resident memory of these processes and all their descendants."""
    total = 0
    for pid in family(read_stats(), roots):
        try:
            total += int((PROC / str(pid) / "statm").read_text().split()[1]) * _PAGE
        except (OSError, IndexError, ValueError):
            continue
    return total


def machine(stats: dict[int, Stat] | None = None) -> Machine:
    """The machine now."""
    stats = read_stats() if stats is None else stats
    kernel = sum(stat.usage.total for stat in stats.values() if stat.name.startswith("ksoftirqd/"))
    return parse_machine((PROC / "stat").read_text(), kernel)


def parse_machine(text: str, kernel: float = 0.0) -> Machine:
    """Read the first line of /proc/stat: user nice system idle iowait irq softirq steal."""
    user, nice, system, idle, waiting, irq, soft, stolen = (int(word) / _TICK for word in text.split()[1:9])
    return Machine(user + nice + system + irq + soft + stolen, idle + waiting, stolen, kernel)
