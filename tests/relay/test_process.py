"""A relay as a process of its own, as the hub starts it."""

import asyncio
import socket
import sys

from camera_hub.relay.messages import RelayConfig
from camera_hub.running import running
from camera_hub.wire import Pipe
from tests.relay.camera import camera
from tests.relay.clip import clip
from tests.relay.hub import Hub


async def test_a_relay_process_serves_its_pipe_and_ends_with_it() -> None:
    ours, theirs = socket.socketpair()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "camera_hub.relay",
        "--fd",
        str(theirs.fileno()),
        pass_fds=[theirs.fileno()],
        stderr=asyncio.subprocess.PIPE,
    )
    theirs.close()
    pipe = Pipe(*await asyncio.open_connection(sock=ours))
    hub = Hub(pipe)
    quirks_password = "pass-word-of-the-test"
    async with camera(clip()) as cam, running(hub.listen(), "test hub"):
        reply = await pipe.call(RelayConfig(udp_host="127.0.0.1").head("configure"), deadline=300)
        assert reply.head["udp_port"] > 0
        await hub.open("s1", cam, username="admin", password=quirks_password)
        await hub.state("s1", "live")
        await pipe.close()
        _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    assert b"Traceback" not in errors
    assert quirks_password.encode() not in errors
