"""Devices as rounds reach them: which do not answer, and how wrong their clocks are."""

from dataclasses import dataclass, field

from camera_hub.health.rounds.reachability import PortAnswer
from tests.fakes.stepped import SteppedClock


@dataclass(frozen=True)
class FakeReading:
    offset_s: float | None


@dataclass
class FakeNetwork:
    """Which hosts are silent, and how wrong clocks are by host."""

    time: SteppedClock
    silent: set[str] = field(default_factory=set)
    clocks: dict[str, float] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def reach(
        self, device_id: int, host: str, ports: tuple[int, ...], timeout: float, rtsp_port: int | None = None
    ) -> PortAnswer:
        self.asked.append(host)
        if host not in self.silent:
            return PortAnswer(signalling_ms=9.0, speaks=True)
        await self.time.nap(timeout)
        return PortAnswer(("timed_out", f"no answer on {ports}"))

    async def clock(self, device_id: int, host: str, port: int, path: str) -> FakeReading:
        return FakeReading(self.clocks.get(host, 0.4))
