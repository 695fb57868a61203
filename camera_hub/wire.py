"""The pipe between the hub and its relays and eyes: length-prefixed JSON head plus optional binary body.

Frame: version u8 · 3 bytes of zero · head length u32 · body length u32 · head (JSON, UTF-8) · body. A frame is at most
4 MiB. A head has `type`; a request also has `id`, its reply has `re` (the id) and either its values or `error` (the
body of a `HubError`). The contract requires nothing but a byte stream, so a relay may later run on another machine.
"""

import asyncio
import itertools
import json
import struct
from dataclasses import asdict, dataclass
from typing import Any, Self

from camera_hub.errors import HubError, Kind
from camera_hub.message_decoder import decode

VERSION = 1
MAX_FRAME = 4 * 1024 * 1024
CLOSE_SECONDS = 5.0
_PREFIX = struct.Struct("!B3xII")


@dataclass(frozen=True, slots=True)
class PipeFrame:
    """One message: JSON head and binary body."""

    head: dict[str, Any]
    body: bytes = b""

    @property
    def type(self) -> str:
        return str(self.head.get("type", ""))


@dataclass(frozen=True, slots=True)
class Message:
    """Base of the messages: a head is the fields plus `type`."""

    def head(self, type_: str) -> dict[str, Any]:
        return {"type": type_, **asdict(self)}

    @classmethod
    def of(cls, head: dict[str, Any]) -> Self:
        """Decode a head; unknown keys are ignored. Raises MessageError (a ValueError), which names the wrong field."""
        return decode(cls, head)


def encode(frame: PipeFrame) -> bytes:
    """Bytes of the frame. Raises HubError(TOO_LARGE) beyond MAX_FRAME."""
    head = json.dumps(frame.head, ensure_ascii=False, separators=(",", ":")).encode()
    if len(head) + len(frame.body) > MAX_FRAME:
        raise HubError(Kind.TOO_LARGE, f"a {frame.type} message of {len(head) + len(frame.body)} bytes is over 4 MiB")
    return _PREFIX.pack(VERSION, len(head), len(frame.body)) + head + frame.body


async def read_frame(reader: asyncio.StreamReader) -> PipeFrame | None:
    """The next frame, None at the end of the stream. Raises HubError(INVALID) for a broken or foreign peer."""
    try:
        prefix = await reader.readexactly(_PREFIX.size)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    version, head_size, body_size = _PREFIX.unpack(prefix)
    if version != VERSION or head_size + body_size > MAX_FRAME:
        raise HubError(Kind.INVALID, f"the peer speaks pipe version {version}, or sent over 4 MiB; expected {VERSION}")
    try:
        head = json.loads(await reader.readexactly(head_size))
        body = await reader.readexactly(body_size) if body_size else b""
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    except ValueError as error:
        raise HubError(Kind.INVALID, "the peer sent a head that is not JSON") from error
    if not isinstance(head, dict):
        raise HubError(Kind.INVALID, "the peer sent a head that is not a JSON object")
    return PipeFrame(head, body)


class Pipe:
    """One end of the pipe, over a stream pair: `send`, `call` (request and reply), `receive` (all but replies).

    The owner must keep awaiting `receive`, since replies are matched there. Nothing here starts a task.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[PipeFrame]] = {}

    @property
    def backlog(self) -> int:
        """Bytes written here that the kernel has not accepted yet: they grow while the peer does not read."""
        return self._writer.transport.get_write_buffer_size()

    def post(self, head: dict[str, Any], body: bytes = b"") -> None:
        """Write without waiting; for small, bounded messages from synchronous code."""
        self.write(encode(PipeFrame(head, body)))

    def write(self, encoded: bytes) -> None:
        """Write an encoded frame without waiting. Raises HubError(UNAVAILABLE) when the peer is gone."""
        try:
            self._writer.write(encoded)
        except (ConnectionError, RuntimeError) as error:
            raise _gone() from error

    async def drain(self) -> None:
        """Wait until the kernel has accepted enough. Raises HubError(UNAVAILABLE) when the peer is gone."""
        try:
            await self._writer.drain()
        except (ConnectionError, RuntimeError) as error:
            raise _gone() from error

    async def send(self, head: dict[str, Any], body: bytes = b"") -> None:
        """Write, and wait until the kernel has accepted enough. Raises HubError(UNAVAILABLE) when the peer is gone."""
        self.post(head, body)
        await self.drain()

    async def call(self, head: dict[str, Any], body: bytes = b"", *, deadline: float = 5.0) -> PipeFrame:
        """Send a request and wait for its reply, at most `deadline` seconds.

        Raises HubError: the peer's own error, TIMEOUT, or UNAVAILABLE when the peer is gone.
        """
        number = next(self._ids)
        future: asyncio.Future[PipeFrame] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            async with asyncio.timeout(deadline):
                await self.send({**head, "id": number}, body)
                reply = await future
        except TimeoutError as error:
            raise HubError(Kind.TIMEOUT, f"no reply to {head.get('type')} within {deadline:g} s") from error
        finally:
            self._waiting.pop(number, None)
        if (refused := reply.head.get("error")) is not None:
            raise HubError(
                Kind(refused["error"]), refused["detail"], reason=refused.get("reason"), **(refused.get("params") or {})
            )
        return reply

    async def reply(self, request: PipeFrame, head: dict[str, Any], body: bytes = b"") -> None:
        """Answer a request that carried an `id`."""
        await self.send(_reply(request, head), body)

    def post_reply(self, request: PipeFrame, head: dict[str, Any]) -> None:
        """Answer a request without waiting."""
        self.post(_reply(request, head))

    async def refuse(self, request: PipeFrame, error: HubError) -> None:
        """Answer a request with an error."""
        await self.reply(request, {"error": error.body()})

    async def receive(self) -> PipeFrame | None:
        """The next message that is not a reply; None when the peer has closed (all waiting calls then fail)."""
        while True:
            frame = await read_frame(self._reader)
            if frame is None:
                for future in self._waiting.values():
                    if not future.done():
                        future.set_exception(_gone())
                return None
            number = frame.head.get("re")
            if number is None:
                return frame
            waiting = self._waiting.get(number)
            if waiting is not None and not waiting.done():
                waiting.set_result(frame)

    async def close(self) -> None:
        """Close the stream; idempotent. What the peer does not read within CLOSE_SECONDS is discarded."""
        self._writer.close()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._writer.wait_closed()
        except TimeoutError:
            self._writer.transport.abort()
        except (ConnectionError, OSError):
            return


def _reply(request: PipeFrame, head: dict[str, Any]) -> dict[str, Any]:
    return {"type": f"{request.type}.reply", "re": request.head["id"], **head}


def _gone() -> HubError:
    return HubError(Kind.UNAVAILABLE, "the process at the other end of the pipe is gone; it is being restarted")
