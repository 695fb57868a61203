"""Whether the relay runs on compiled modules."""

from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

_HOT = Path(__file__).parent / "relay" / "ingest" / "video_pipeline"
"""One of the modules that build_tools/compile_modules.py compiles: all of them are, or none."""


def compiled() -> bool:
    """Whether the relay's hot modules are extension modules (mypyc) rather than plain Python, here and now."""
    return any(_HOT.with_name(_HOT.name + suffix).exists() for suffix in EXTENSION_SUFFIXES)
