"""Memory of a server's processes, read from /proc (proc(5)).

PSS divides each shared page among all processes that map it, so pages of libraries that this bench's own processes
have loaded, too, count only in part. `alone` is what the server would take on a machine of its own: every anonymous
page, and every page of a file once, however many of the server's processes map it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from camera_hub.bench import meter

_PAGE_FIELDS = frozenset({"Rss", "Anonymous"})
_MAPPING = re.compile(r"^[0-9a-f]+-[0-9a-f]+ \S+ ([0-9a-f]+) \S+ (\d+)\s*(.*)$")


@dataclass(frozen=True, slots=True)
class Pages:
    """Pages of one process in KiB. `files`: resident file pages by (inode, offset in the file)."""

    anonymous: int
    files: dict[tuple[int, int], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProcessMemory:
    """One process; sizes in KiB."""

    pid: int
    name: str
    pss: int
    rss: int
    descriptors: int


@dataclass(frozen=True, slots=True)
class Memory:
    """All processes of a server at one moment. `alone` in KiB."""

    processes: tuple[ProcessMemory, ...]
    alone: int

    @property
    def pss(self) -> int:
        """In KiB."""
        return sum(one.pss for one in self.processes)

    @property
    def rss(self) -> int:
        """In KiB."""
        return sum(one.rss for one in self.processes)

    @property
    def descriptors(self) -> int:
        """Open file descriptors."""
        return sum(one.descriptors for one in self.processes)


def memory(roots: Iterable[int]) -> Memory:
    """Read these processes and all their descendants; those that end meanwhile are left out."""
    found: list[ProcessMemory] = []
    pages: list[Pages] = []
    for pid in sorted(meter.family(meter.read_stats(), roots)):
        folder = meter.PROC / str(pid)
        try:
            sums = parse_sums((folder / "smaps_rollup").read_text())
            mapped = parse_pages((folder / "smaps").read_text("utf-8", "replace"))
            name = process_name((folder / "cmdline").read_bytes())
            descriptors = sum(1 for _ in (folder / "fd").iterdir())
        except OSError:
            continue
        found.append(ProcessMemory(pid, name, sums["Pss"], sums["Rss"], descriptors))
        pages.append(mapped)
    return Memory(tuple(found), alone(pages))


def parse_sums(text: str) -> dict[str, int]:
    """The fields of /proc/PID/smaps_rollup in KiB."""
    fields = re.findall(r"^(\w+):\s+(\d+) kB$", text, re.M)
    return {"Pss": 0, "Rss": 0} | {name: int(value) for name, value in fields}


def parse_pages(text: str) -> Pages:
    """Read /proc/PID/smaps: which pages are the process's own, and which are of files."""
    anonymous, files = 0, dict[tuple[int, int], int]()
    key, resident = (0, 0), 0
    for line in text.splitlines():
        if (mapping := _MAPPING.match(line)) is not None:
            key, resident = (int(mapping[2]), int(mapping[1], 16)), 0
            continue
        name, _, rest = line.partition(":")
        if name not in _PAGE_FIELDS:
            continue
        size = int(rest.split()[0])
        if name == "Rss":
            resident = size
        else:
            of_file = resident - size if key[0] else 0
            anonymous += resident - of_file
            files[key] = max(files.get(key, 0), of_file)
    return Pages(anonymous, {key: size for key, size in files.items() if size})


def alone(processes: Iterable[Pages]) -> int:
    """KiB of all anonymous pages, and of file pages once."""
    anonymous, files = 0, dict[tuple[int, int], int]()
    for one in processes:
        anonymous += one.anonymous
        for key, size in one.files.items():
            files[key] = max(files.get(key, 0), size)
    return anonymous + sum(files.values())


def process_name(cmdline: bytes) -> str:
    """The module or program that a process runs, and the hub's subcommand: "camera_hub serve", "camera_hub.relay"."""
    words = [word.decode("utf-8", "replace") for word in cmdline.split(b"\0") if word]
    if "-m" in words[:-1]:
        at = words.index("-m") + 1
        return " ".join([words[at], *(word for word in words[at + 1 : at + 2] if not word.startswith("-"))])
    return Path(words[0]).name if words else ""
