"""Programs of others that tests play against. Absent ones are a skip; CI installs them and fails instead."""

import os
import shutil

import pytest


def foreign(program: str) -> str:
    """Where the program is."""
    found = shutil.which(program)
    if found is None:
        message = f"no {program} on this machine: apt-get install ffmpeg gstreamer1.0-tools"
        if os.environ.get("CAMERA_HUB_REQUIRE_BROWSER"):
            pytest.fail(message)
        pytest.skip(message)
    return found
