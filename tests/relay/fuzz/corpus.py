"""What the fuzzer begins with: files named <target>-<what it is>; crashers of former days among them, kept for ever."""

from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"


def corpus(target: str) -> dict[str, bytes]:
    """The files of one target, by name, in order."""
    return {path.name: path.read_bytes() for path in sorted(CORPUS.glob(f"{target}-*"))}
