"""The pipe between processes, over a real socket pair."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.message_decoder import MessageError
from camera_hub.running import running
from camera_hub.wire import MAX_FRAME, VERSION, Message, Pipe, PipeFrame, encode, read_frame

Handler = Callable[[Pipe, PipeFrame], Awaitable[None]]


@asynccontextmanager
async def _pair() -> AsyncIterator[tuple[Pipe, Pipe]]:
    async with AsyncExitStack() as stack:
        pipes = []
        for end in socket.socketpair():
            pipe = Pipe(*await asyncio.open_connection(sock=end))
            stack.push_async_callback(pipe.close)
            pipes.append(pipe)
        yield pipes[0], pipes[1]


async def _serve(pipe: Pipe, handler: Handler) -> None:
    while (frame := await pipe.receive()) is not None:
        await handler(pipe, frame)


async def _drain(pipe: Pipe) -> None:
    while await pipe.receive() is not None:
        pass


def _reader(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


@given(
    st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=20) | st.none() | st.lists(st.booleans())),
    st.binary(max_size=200),
)
def test_what_is_encoded_is_read_back(head: dict[str, object], body: bytes) -> None:
    async def read() -> list[PipeFrame | None]:
        reader = _reader(encode(PipeFrame(head, body)) * 2)
        return [await read_frame(reader) for _ in range(3)]

    assert asyncio.run(read()) == [PipeFrame(head, body), PipeFrame(head, body), None]


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("!B3xII", VERSION + 1, 2, 0) + b"{}",
        struct.pack("!B3xII", VERSION, MAX_FRAME, 1),
        struct.pack("!B3xII", VERSION, 2**32 - 1, 2**32 - 1),
        struct.pack("!B3xII", VERSION, 2, 0) + b"[]",
        struct.pack("!B3xII", VERSION, 2, 0) + b"\xff\xff",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
async def test_a_foreign_or_broken_peer_is_refused(data: bytes) -> None:
    with pytest.raises(HubError) as caught:
        await read_frame(_reader(data))
    assert caught.value.kind is Kind.INVALID


@pytest.mark.parametrize("cut", range(0, 40, 7))
async def test_an_end_anywhere_is_an_end(cut: int) -> None:
    whole = encode(PipeFrame({"type": "x"}, b"0123456789" * 2))
    assert await read_frame(_reader(whole[:cut])) is None


async def test_a_message_over_4_mib_is_not_sent() -> None:
    with pytest.raises(HubError) as caught:
        encode(PipeFrame({"type": "key_frame"}, bytes(MAX_FRAME)))
    assert caught.value.kind is Kind.TOO_LARGE


async def test_replies_find_their_calls_in_any_order() -> None:
    held: list[PipeFrame] = []

    async def answer_backwards(pipe: Pipe, frame: PipeFrame) -> None:
        held.append(frame)
        if len(held) == 3:
            await pipe.send({"type": "note"})
            for request in reversed(held):
                await pipe.reply(request, {"value": request.head["value"] * 10}, request.body)

    async with _pair() as (near, far), running(_serve(far, answer_backwards), "far"):
        calls = asyncio.gather(*(near.call({"type": "ask", "value": n}, b"%d" % n, deadline=60) for n in range(3)))
        note = await near.receive()
        assert note == PipeFrame({"type": "note"})
        async with running(_drain(near), "near"):
            replies = await calls
    assert [(reply.type, reply.head["value"], reply.body) for reply in replies] == [
        ("ask.reply", n * 10, b"%d" % n) for n in range(3)
    ]


async def test_a_refusal_arrives_as_the_peers_own_error() -> None:
    async def refuse(pipe: Pipe, frame: PipeFrame) -> None:
        await pipe.refuse(frame, HubError(Kind.UNSUPPORTED, "no such codec", reason=Reason.NO_H264, codec="h265"))

    async with _pair() as (near, far), running(_serve(far, refuse), "far"), running(_drain(near), "near"):
        with pytest.raises(HubError) as caught:
            await near.call({"type": "ask"})
    error = caught.value
    assert (error.kind, error.reason, error.detail, error.params) == (
        Kind.UNSUPPORTED,
        "no_h264",
        "no such codec",
        {"codec": "h265"},
    )


async def test_a_call_ends_by_its_deadline_and_a_late_reply_is_dropped() -> None:
    async with _pair() as (near, far), running(_drain(near), "near"):
        with pytest.raises(HubError) as caught:
            await near.call({"type": "ask"}, deadline=0.01)
        assert caught.value.kind is Kind.TIMEOUT
        late = await far.receive()
        assert late is not None
        await far.reply(late, {"value": 1})

        async def answer(pipe: Pipe, frame: PipeFrame) -> None:
            await pipe.reply(frame, {"value": 2})

        async with running(_serve(far, answer), "far"):
            assert (await near.call({"type": "ask"})).head["value"] == 2


async def test_all_calls_fail_when_the_peer_goes() -> None:
    async with _pair() as (near, far), running(_drain(near), "near"):
        calls = [asyncio.create_task(near.call({"type": "ask"})) for _ in range(2)]
        assert await far.receive() is not None
        await far.close()
        results = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(result, HubError) and result.kind for result in results] == [Kind.UNAVAILABLE] * 2


async def test_sending_to_a_gone_peer_is_an_expected_failure() -> None:
    async with _pair() as (near, far):
        await far.close()

        async def send_on() -> None:
            for _ in range(100):
                await near.send({"type": "note"}, bytes(65536))

        with pytest.raises(HubError) as caught:
            await send_on()
    assert caught.value.kind is Kind.UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Sample(Message):
    feed: str
    every: float | None = None


def test_messages_tell_their_fields_and_ignore_what_a_newer_peer_adds() -> None:
    assert Sample("s1", 2.0).head("feed.keys") == {"type": "feed.keys", "feed": "s1", "every": 2.0}
    assert Sample.of({"type": "feed.keys", "feed": "s1", "new": 1}) == Sample("s1")
    with pytest.raises(MessageError, match=r"Sample\.feed is missing"):
        Sample.of({"type": "feed.keys"})
