"""The bench's own ends of RTSP and ICE, against plain sockets."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aioice import stun

from camera_hub.bench.clip import Clip
from camera_hub.bench.ice import IceEnd
from camera_hub.bench.sdp import Remote
from camera_hub.bench.source import LANES, Lane, Reader
from camera_hub.clock import SystemClock
from camera_hub.simulator.model import StreamSpec
from camera_hub.simulator.picture.loops import ParameterSets
from camera_hub.simulator.rtsp.packets import Packet

CLIP = Clip(
    StreamSpec(fps=25),
    ParameterSets(b"\x67\x42\xe0\x1f", b"\x68\xce"),
    ((Packet(b"key", False), Packet(b"frame", True)), (Packet(b"next", True),)),
)


def packets(data: bytes, places: list[tuple[int, int]]) -> list[tuple[int, int, bool, bytes]]:
    """Sequence, timestamp, marker and payload of each."""
    found = []
    for start, end in places:
        assert data[start - 4 : start] == struct.pack("!BBH", 0x24, 0, end - start)
        _, second, sequence, stamp, _ = struct.unpack("!BBHII", data[start : start + 12])
        found.append((sequence, stamp, second > 127, data[start + 12 : end]))
    return found


def test_a_lane_goes_on_over_the_end_of_its_clip() -> None:
    lane, sent = Lane(CLIP, 0, SystemClock()), []

    def write(data: bytes, places: list[tuple[int, int]]) -> bool:
        sent.extend(packets(data, places))
        return len(sent) < 5

    lane.readers.add(write)
    for _ in range(4):
        lane.send()
    assert [payload for *_, payload in sent] == [b"key", b"frame", b"next", b"key", b"frame", b"next"]
    assert [sequence for sequence, *_ in sent] == list(range(6))
    assert [stamp for _, stamp, *_ in sent] == [3600, 3600, 7200, 10800, 10800, 14400]
    assert [marker for *_, marker, _ in sent] == [False, True, True, False, True, True]
    assert lane.dropped == 2, "the two frames that the reader did not take"


@asynccontextmanager
async def session(lanes: list[Lane], path: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    server = await asyncio.get_running_loop().create_server(lambda: Reader(lanes, CLIP), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield reader, writer
        finally:
            writer.close()
            await writer.wait_closed()


async def ask(
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter], method: str, path: str, transport: str = ""
) -> str:
    reader, writer = streams
    line = f"Transport: {transport}\r\n" if transport else ""
    writer.write(f"{method} rtsp://127.0.0.1/{path} RTSP/1.0\r\nCSeq: 1\r\n{line}\r\n".encode())
    async with asyncio.timeout(60):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        size = int(head.split("Content-Length: ")[1].split("\r\n")[0])
        return head + (await reader.readexactly(size)).decode()


async def test_a_reader_gets_the_lane_of_its_path_interleaved() -> None:
    lanes = [Lane(CLIP, number, SystemClock()) for number in range(LANES)]
    async with session(lanes, "3") as streams:
        assert "H264/90000" in await ask(streams, "DESCRIBE", f"{LANES + 3}")
        assert "interleaved=0-1" in await ask(streams, "SETUP", f"{LANES + 3}/trackID=1", "RTP/AVP/TCP;unicast")
        assert "200 OK" in await ask(streams, "PLAY", f"{LANES + 3}")
        assert [number for number, lane in enumerate(lanes) if lane.readers] == [3]
        streams[1].write(b"$\x01\x00\x02ab")  # a report of the reader's
        lanes[3].send()
        async with asyncio.timeout(60):
            assert (await streams[0].readexactly(4))[:2] == b"$\x00"
        assert "200 OK" in (await ask_beside_media(streams))


async def ask_beside_media(streams: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> str:
    """An answer that comes behind the rest of a frame."""
    streams[1].write(b"OPTIONS * RTSP/1.0\r\nCSeq: 2\r\n\r\n")
    async with asyncio.timeout(60):
        return (await streams[0].readuntil(b"RTSP/1.0 200 OK\r\n")).decode("latin-1")


async def test_a_reader_that_asks_for_udp_gets_datagrams() -> None:
    lanes = [Lane(CLIP, number, SystemClock()) for number in range(LANES)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind(("127.0.0.1", 0))
        own.setblocking(False)
        port = own.getsockname()[1]
        async with session(lanes, "0") as streams:
            answer = await ask(streams, "SETUP", "0/trackID=1", f"RTP/AVP;unicast;client_port={port}-{port + 1}")
            assert "server_port=" in answer
            await ask(streams, "PLAY", "0")
            lanes[0].send()
            async with asyncio.timeout(60):
                data = [await asyncio.get_running_loop().sock_recv(own, 2048) for _ in range(2)]
    assert [one[12:] for one in data] == [b"key", b"frame"]


@pytest.fixture
async def ends() -> AsyncIterator[tuple[IceEnd, socket.socket]]:
    """An ICE end whose server is a bare socket."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server,
    ):
        for one in (own, server):
            one.bind(("127.0.0.1", 0))
            one.settimeout(10)
        end = IceEnd(own, SystemClock())
        connecting = asyncio.create_task(end.connect(Remote("su", "sp", (), *server.getsockname()), 20.0))
        await asyncio.sleep(0)
        yield end, server
        end.answered.set()
        await connecting


def heard(server: socket.socket) -> stun.Message:
    return stun.parse_message(server.recv(2048))


async def test_it_controls_until_the_server_insists(ends: tuple[IceEnd, socket.socket]) -> None:
    end, server = ends
    first = heard(server)
    assert first.attributes["USERNAME"] == f"su:{end.ufrag}"
    assert first.check_message_integrity(b"sp")
    assert {"ICE-CONTROLLING", "USE-CANDIDATE"} <= first.attributes.keys()
    refusal = stun.Message(
        message_method=stun.Method.BINDING, message_class=stun.Class.ERROR, transaction_id=first.transaction_id
    )
    refusal.attributes["ERROR-CODE"] = (487, "Role conflict")
    end.received(bytes(refusal))
    assert not end.answered.is_set()
    end.check()
    second = heard(server)
    assert "ICE-CONTROLLED" in second.attributes
    assert not {"ICE-CONTROLLING", "USE-CANDIDATE"} & second.attributes.keys()


async def test_it_answers_the_checks_of_full_ice(ends: tuple[IceEnd, socket.socket]) -> None:
    end, server = ends
    heard(server)
    for password, answered in (("wrong", False), (end.password, True)):
        check = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        check.attributes["USERNAME"] = f"{end.ufrag}:su"
        check.add_message_integrity(password.encode())
        end.received(bytes(check))
        server.setblocking(False)
        if answered:
            answer = heard(server)
            assert (answer.message_class, answer.transaction_id) == (stun.Class.RESPONSE, check.transaction_id)
            assert answer.check_message_integrity(end.password.encode())
        else:
            with pytest.raises(BlockingIOError):
                server.recv(2048)
    end.received(b"\x00\x01garbage")
