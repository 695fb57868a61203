"""The fault `thin`: a session over TCP carries only so much, whole packets in their order."""

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

from camera_hub.simulator.rtsp.receiver import Conditions, TcpOutlet


@dataclass
class Transport:
    """Keeps what is written."""

    written: list[bytes] = field(default_factory=list)

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def write(self, data: bytes) -> None:
        self.written.append(data)


class Link:
    def __init__(self) -> None:
        self.now = 50.0
        self.transport = Transport()
        writer = cast(asyncio.StreamWriter, SimpleNamespace(transport=self.transport))
        self.outlet = TcpOutlet(writer, 0, lambda: self.now)
        self.numbers = iter(range(10**6))

    def frame(self, *, rate: float | None, key: bool = False, packets: int = 2) -> bool:
        made = [next(self.numbers).to_bytes(4, "big") + bytes(492) for _ in range(packets)]
        return self.outlet.rtp(made, key=key, conditions=Conditions(rate=rate))

    def arrived(self) -> list[int]:
        data = b"".join(self.transport.written)
        assert all(data[at : at + 4] == b"$\x00\x01\xf0" for at in range(0, len(data), 500))
        return [int.from_bytes(data[at + 4 : at + 8], "big") for at in range(0, len(data), 500)]


def test_a_thin_link_carries_its_rate_and_the_rest_comes_later() -> None:
    link = Link()
    for _ in range(25):  # 256 kbit/s, for 0.75 s after the first one
        assert link.frame(rate=100_000)
        link.now += 1 / 32
    assert link.arrived() == list(range(18))
    assert link.frame(rate=None), "mended: all that waits comes at once"
    assert link.arrived() == list(range(52))


def test_a_camera_s_buffer_ends_somewhere_and_it_goes_on_with_a_key_frame() -> None:
    link = Link()
    taken = [link.frame(rate=1_000, packets=100) for _ in range(40)]
    assert taken == [True] * 22 + [False] * 18
    assert not link.frame(rate=None), "not before the next key frame"
    assert link.frame(rate=None, key=True)
    assert link.arrived() == [*range(2200), 4002, 4003]
