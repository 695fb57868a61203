"""A foreign ONVIF device: go2rtc's ONVIF server, where it is installed (docs/foreign-devices.md says what differs)."""

import asyncio
import shutil
import socket
from pathlib import Path

import pytest

from camera_hub.cameras.device_checks import DeviceChecks
from camera_hub.cameras.register.register import Register
from camera_hub.clock import SystemClock
from camera_hub.events import EventBus
from camera_hub.store.database import Database
from tests.cameras.fakes import ADMIN, FakeVault
from tests.cameras.vendor_site import describing
from tests.fakes.reach import local

_CONFIG = """
api: {{listen: "127.0.0.1:{api}"}}
rtsp: {{listen: "127.0.0.1:{rtsp}"}}
webrtc: {{listen: ""}}
streams: {{gate: "rtsp://127.0.0.1:{rtsp}/none", bridge: "rtsp://127.0.0.1:{rtsp}/none"}}
"""


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


async def test_go2rtc_s_onvif_server_comes_in_with_its_streams(
    database: Database, bus: EventBus, tmp_path: Path
) -> None:
    program = shutil.which("go2rtc")
    if program is None:
        pytest.skip("no go2rtc on this machine")
    api, rtsp = _free(), _free()
    config = tmp_path / "go2rtc.yaml"
    config.write_text(_CONFIG.format(api=api, rtsp=rtsp))
    output = asyncio.subprocess.PIPE
    server = await asyncio.create_subprocess_exec(program, "-config", config, stdout=output, stderr=output)
    try:
        assert server.stdout is not None
        async with asyncio.timeout(60):
            while b"[api] listen" not in await server.stdout.readline():
                assert server.returncode is None
        async with describing() as describer:
            register = Register(database, bus, SystemClock(), FakeVault(), describer, DeviceChecks(database, local))
            await register.villages.add(["董家村"], "village")
            (village,) = await register.villages.all(ADMIN)
            found = await register.devices.register(
                ADMIN, village.id, "127.0.0.1", api, username="admin", password="village-1"
            )
    finally:
        server.kill()
        await server.communicate()
    assert (found.device.via, found.device.model, found.device.serial) == ("onvif", "go2rtc", "")
    assert sorted(camera.name for camera in found.cameras) == ["bridge", "gate"]
    assert {stream.address for stream in found.device.streams} >= {f"rtsp://127.0.0.1:{rtsp}/…"}
    assert found.device.login_retry_at is None
