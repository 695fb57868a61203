"""Whether an address answers: a TCP connection, opened and closed. Cheap, and never a login."""

import asyncio
from typing import Protocol

from camera_hub.errors import Reason


class Reach(Protocol):
    """Check an address; None when it answers on one of the ports, else (reason, detail)."""

    async def __call__(self, host: str, ports: tuple[int, ...], timeout: float) -> tuple[str, str] | None: ...


async def reach(host: str, ports: tuple[int, ...], timeout: float) -> tuple[str, str] | None:
    """Try all ports at once; the reason of the first is returned when none answers within `timeout` seconds."""
    answers = await asyncio.gather(*(_connect(host, port, timeout) for port in ports))
    if not answers or None in answers:
        return None
    return str(answers[0]), f"no answer on port {', '.join(map(str, ports))}"


async def _connect(host: str, port: int, timeout: float) -> Reason | None:
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return Reason.TIMED_OUT
    except ConnectionRefusedError:
        return Reason.PORT_CLOSED
    except OSError:
        return Reason.UNREACHABLE
    writer.transport.abort()
    return None
