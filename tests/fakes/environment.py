"""The environment of processes that a test starts."""

import os


def unmeasured() -> dict[str, str]:
    """Ours without what makes Python measure coverage: it loads packages of its own, and takes a third of the speed."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
