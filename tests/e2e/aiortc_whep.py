"""A foreign WHEP client: aiortc as any script uses it; nothing of the hub is imported.

python tests/e2e/aiortc_whep.py URL [--password TOKEN] [--audio] FRAMES: plays that many frames, prints frames,
width × height and frames of sound, plays on until standard input is closed and then nothing has come for four seconds,
and prints when the last frame came (Unix time). With --password it logs in by Basic.
"""

import argparse
import asyncio
import sys
import time

import httpx
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

SILENCE = 4.0
DEADLINE = 300.0


async def play(arguments: argparse.Namespace) -> None:
    connection = RTCPeerConnection()
    tracks: dict[str, MediaStreamTrack] = {}
    connection.on("track", lambda track: tracks.setdefault(track.kind, track))
    for kind in ["audio", "video"] if arguments.audio else ["video"]:
        connection.addTransceiver(kind, direction="recvonly")
    await connection.setLocalDescription(await connection.createOffer())
    login = ("decoder", arguments.password) if arguments.password else None
    async with httpx.AsyncClient(auth=login, trust_env=False) as client:
        answer = await client.post(
            arguments.url, content=connection.localDescription.sdp, headers={"Content-Type": "application/sdp"}
        )
    answer.raise_for_status()
    await connection.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
    heard = [0]

    async def listen(track: MediaStreamTrack) -> None:
        while True:
            await track.recv()
            heard[0] += 1

    listening = asyncio.create_task(listen(tracks["audio"])) if "audio" in tracks else None
    frames, seen_at, size = 0, 0.0, ""
    last_orders = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, last_orders.set)  # readable: closed, as nobody writes to it
    try:
        while True:
            frame = await next_frame(tracks["video"], last_orders)
            assert isinstance(frame, VideoFrame)
            frames, seen_at, size = frames + 1, time.time(), f"{frame.width}x{frame.height}"
            if frames == arguments.frames:
                say(f"{frames} {size} {heard[0]}")
    except (TimeoutError, MediaStreamError):
        say(f"ended {seen_at}")
    finally:
        loop.remove_reader(sys.stdin)
        if listening is not None:
            listening.cancel()
            await asyncio.wait([listening])
        await connection.close()
    if frames < arguments.frames:
        sys.exit(1)


async def next_frame(track: MediaStreamTrack, last_orders: asyncio.Event) -> object:
    """The next frame, however long it takes. Raises TimeoutError when nothing comes although the test has closed our
    standard input."""
    coming = asyncio.ensure_future(track.recv())
    closed = asyncio.ensure_future(last_orders.wait())
    try:
        await asyncio.wait([coming, closed], timeout=DEADLINE, return_when=asyncio.FIRST_COMPLETED)
        async with asyncio.timeout(SILENCE):
            return await coming
    finally:
        coming.cancel()
        closed.cancel()


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("frames", type=int)
parser.add_argument("--password", default="")
parser.add_argument("--audio", action="store_true")
asyncio.run(play(parser.parse_args()))
