"""The bench's cameras are on loopback, which a hub refuses unless its settings allow it; earlier versions have no such
setting."""

import asyncio
from asyncio.subprocess import DEVNULL
from collections.abc import Mapping
from pathlib import Path

_ASK = "from camera_hub.settings import DiscoverySettings as d; raise SystemExit('local_devices' not in d.model_fields)"


async def local_devices(python: str | Path, environment: Mapping[str, str], folder: str | None) -> dict[str, str]:
    """The environment that lets the hub of that interpreter pull cameras on this machine."""
    process = await asyncio.create_subprocess_exec(
        python, "-c", _ASK, env=environment, cwd=folder, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL
    )
    return {"CAMERA_HUB_DISCOVERY__LOCAL_DEVICES": "true"} if await process.wait() == 0 else {}
