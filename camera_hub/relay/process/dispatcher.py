"""Runs the hub's commands: decodes each, calls its handler, replies.

Whatever is wrong with a command is its reply, never the end of the relay.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from camera_hub.errors import HubError, Kind
from camera_hub.wire import Message, Pipe, PipeFrame

log = logging.getLogger(__name__)

REPLY_SECONDS = 10.0
"""The next command waits for the hub to read the replies before it, but no longer."""

Decoded = TypeVar("Decoded")
Head = dict[str, Any]
Reply = Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Empty(Message):
    """The head of a command without values."""


@dataclass(frozen=True, slots=True)
class Command:
    """What one type of message does: `decode` its head, `run` with the result; what that returns is the reply's head.

    Both may raise HubError, `decode` MessageError too.
    """

    decode: Callable[[Head], Any]
    run: Callable[[Any], Awaitable[Reply]]


def command(decode: Callable[[Head], Decoded], run: Callable[[Decoded], Awaitable[Reply]]) -> Command:
    """A Command, with the types of both halves checked against each other."""
    return Command(decode, run)


class Dispatcher:
    """The table of commands, by type."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._commands: dict[str, Command] = {}
        self.slow_replies = 0

    def add(self, commands: Mapping[str, Command]) -> None:
        """Accept these commands from now on."""
        self._commands.update(commands)

    async def handle(self, frame: PipeFrame) -> None:
        """Run one command, and reply where a reply is wanted."""
        try:
            found = self._commands.get(frame.type)
            if found is None:
                raise HubError(Kind.INVALID, f"the relay does not know the command {frame.type[:40]!r} (now)")
            answer = await found.run(found.decode(frame.head))
        except ValueError as error:
            await self._refuse(frame, HubError(Kind.INVALID, f"{frame.type}: {error}"))
        except HubError as error:
            await self._refuse(frame, error)
        except Exception:  # one bad message must not take every picture with it
            log.exception("%s failed unexpectedly", frame.type)
            await self._refuse(frame, HubError(Kind.INTERNAL, f"{frame.type} failed in the relay; its log says why"))
        else:
            await self._reply(frame, dict(answer or {}))

    async def _refuse(self, frame: PipeFrame, error: HubError) -> None:
        if "id" in frame.head:
            await self._reply(frame, {"error": error.body()})
        else:
            log.warning("%s refused: %s", frame.type, error)

    async def _reply(self, frame: PipeFrame, head: dict[str, Any]) -> None:
        if "id" not in frame.head:
            return
        try:
            self._pipe.post_reply(frame, head)
        except HubError as error:
            if error.kind is not Kind.TOO_LARGE:
                return  # the hub is gone; `receive` says so next
            self._pipe.post_reply(frame, {"error": error.body()})
        if not self._pipe.backlog:
            return
        try:
            async with asyncio.timeout(REPLY_SECONDS):
                await self._pipe.drain()
        except TimeoutError:
            self.slow_replies += 1
            log.warning("the hub has not read the reply to %s for %g s; going on", frame.type, REPLY_SECONDS)
        except HubError:
            return
