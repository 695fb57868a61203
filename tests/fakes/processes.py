"""Helper processes as the machine sees them."""

from pathlib import Path


def children(parent: int, room: str) -> list[int]:
    """Process ids of the relays or eyes ("relay", "eye") that `parent` has started."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            its_parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if its_parent == parent and f"camera_hub.{room}" in command:
            found.append(int(entry.name))
    return found
