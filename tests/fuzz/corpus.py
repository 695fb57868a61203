"""What the fuzzer begins with: files named <target>-<what it is>; crashers of former days among them, kept for ever."""

from pathlib import Path

CORPUS = Path(__file__).parents[1] / "data" / "corpora"


def files() -> list[Path]:
    """All of them, in order; folders beside them belong to other tests."""
    return sorted(path for path in CORPUS.iterdir() if path.is_file())


def corpus(target: str) -> dict[str, bytes]:
    """The files of one target, by name, in order."""
    return {path.name: path.read_bytes() for path in files() if path.name.startswith(f"{target}-")}
