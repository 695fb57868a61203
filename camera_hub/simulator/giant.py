"""The giant reply: a Content-Length of 1.5 GB, and bytes for as long as the client reads them."""

from camera_hub.simulator.listener import Line

GIANT_LENGTH = 1_500_000_000
_CHUNK = b"a=x\r\n" * 13_000


async def pour(line: Line, head: str) -> None:
    """Send the head with the giant length, then the body until the peer closes."""
    await line.send(f"{head}Content-Length: {GIANT_LENGTH}\r\n\r\n".encode())
    left = GIANT_LENGTH
    while left > 0:
        piece = _CHUNK[:left]
        await line.send(piece)
        left -= len(piece)
