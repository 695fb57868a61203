"""Asking real sockets on loopback."""

import asyncio

from camera_hub.health.rounds.reachability import reach


async def test_an_open_port_answers_and_a_closed_one_says_why() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        assert await reach("127.0.0.1", (port,), 2.0) is None
        other = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        closed = other.sockets[0].getsockname()[1]
        other.close()
        await other.wait_closed()
        assert await reach("127.0.0.1", (closed, port), 2.0) is None
        assert await reach("127.0.0.1", (closed,), 2.0) == ("port_closed", f"no answer on port {closed}")
