"""The target of redirects. A client that connects here has followed one; what it sends is recorded."""

import asyncio
from types import TracebackType
from typing import Self

_KEPT = 4096


class Canary:
    """Listens on a free port and answers nothing."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.port = 0
        self.connections = 0
        self.heard: list[bytes] = []
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._listen, self.address, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            self.heard.append(await reader.read(_KEPT))
            del self.heard[:-100]
        finally:
            self._writers.discard(writer)
            writer.close()
