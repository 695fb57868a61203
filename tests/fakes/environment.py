"""Running without measuring coverage, in this process and in those that a test starts."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def unmeasured() -> dict[str, str]:
    """Our environment without what makes Python measure coverage: it loads packages of its own, and takes half of the
    speed."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


@contextmanager
def unmeasured_here() -> Iterator[None]:
    """Measure no coverage here, nor in processes that are started meanwhile."""
    coverage = sys.modules.get("coverage")  # it is there where it measures
    measuring = coverage.Coverage.current() if coverage is not None else None
    if measuring is None:
        yield
        return
    taken = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("COVERAGE_")}
    measuring.stop()
    try:
        yield
    finally:
        os.environ.update(taken)
        measuring.start()
