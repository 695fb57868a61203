"""The target of redirects. A client that connects here has followed one; what it sends is recorded."""

import asyncio
from types import TracebackType
from typing import Self

from camera_hub.simulator.listener import listening

_KEPT = 4096


class Canary:
    """Listens on a free port and answers nothing."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.port = 0
        self.connections = 0
        self.heard: list[bytes] = []
        self._server: asyncio.Server | None = None
        self._listening: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def __aenter__(self) -> Self:
        self._server = await listening(self._accept, self.address, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        tasks = list(self._listening)
        for task, writer in self._listening.items():
            task.cancel()
            writer.transport.abort()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None:  # it was in the queue of the port that is closed now
            writer.transport.abort()
            return
        self.connections += 1
        task = asyncio.create_task(self._listen(reader, writer), name="simulator-canary")
        self._listening[task] = writer
        task.add_done_callback(self._listening.pop)

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.heard.append(await reader.read(_KEPT))
            del self.heard[:-100]
        except ConnectionError:
            pass  # it has gone without a word
        finally:
            writer.close()
