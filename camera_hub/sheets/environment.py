"""What the processes of this room are given of the hub's environment."""

import os

from camera_hub import allocator

_PASSED_ON = ("PATH", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ")
"""An allow-list: the environment may hold database passwords, which must not reach what parses hostile bytes."""


def clean_environment() -> dict[str, str]:
    """Variables for a process that reads or writes a sheet."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | allocator.environment()
