"""What the benches' tests share."""

import os

import pytest


@pytest.fixture(autouse=True)
def unmeasured_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bench hands our environment to its hubs: they run without measuring coverage, as they do for users."""
    for name in [name for name in os.environ if name.startswith("COVERAGE_")]:
        monkeypatch.delenv(name)
