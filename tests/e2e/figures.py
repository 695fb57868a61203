"""How long things took, and which bars they are held to."""

import os
from collections.abc import Callable
from typing import Any

JUDGED = bool(os.environ.get("CAMERA_HUB_LONG"))
"""Bars of the clock are for a machine that does nothing else, as that of whoever runs the long version. On any other
they would judge the machine: there the seconds are only told."""


def told(record_property: Callable[[str, Any], None], name: str, seconds: float, *, bar: float) -> None:
    """Write down how many seconds something took; with CAMERA_HUB_LONG=1 more than `bar` fails."""
    record_property(f"{name}: seconds", round(seconds, 2))
    assert not JUDGED or seconds <= bar, f"{name} took {seconds:.2f} s, the bar is {bar:g} s"
