"""Media as health and patrol see it: every camera shows what the test says."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from camera_hub.errors import Explanation, Param
from camera_hub.eye.messages import Seen
from camera_hub.media.interface import NO_FIGURES, StreamFigures

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FakeSight:
    """What a look answered."""

    reason: str | None = None
    detail: str = ""
    signalling_ms: float | None = 12.0
    stream_ms: float | None = 30.0
    key_frame_ms: float | None = 400.0
    codec: str | None = "h264"
    seen: Seen | None = None
    jpeg: bytes | None = None
    at: datetime = START
    late: bool = False
    params: Mapping[str, Param] = field(default_factory=dict)
    weakness: Explanation | None = None
    figures: StreamFigures = NO_FIGURES


@dataclass
class FakeMedia:
    """`reasons`: why a camera gives no picture. `frozen`, `black`: cameras whose pictures are so.

    `late`: cameras whose pictures come too late. `nap` is how looks that time out let their ten seconds pass.
    """

    reasons: dict[int, str] = field(default_factory=dict)
    frozen: set[int] = field(default_factory=set)
    black: set[int] = field(default_factory=set)
    late: set[int] = field(default_factory=set)
    weak: dict[int, Explanation] = field(default_factory=dict)  # feeds whose pictures arrive all the same
    feeds: dict[int, tuple[str, str | None]] = field(default_factory=dict)
    looks: list[tuple[int, bool]] = field(default_factory=list)
    nap: Callable[[float], Awaitable[None]] | None = None
    warmed: list[tuple[tuple[int, ...], str, float]] = field(default_factory=list)

    async def look(
        self,
        camera_id: int,
        *,
        scores: bool = False,
        memory: str | None = None,
        jpeg: bool = True,
        max_width: int = 0,
        quality: str = "sub",
        deadline: float = 15.0,
    ) -> FakeSight:
        self.looks.append((camera_id, scores))
        if (reason := self.reasons.get(camera_id)) is not None:
            if reason == "timed_out" and self.nap is not None:
                await self.nap(10.0)
            return FakeSight(reason, f"the test says {reason}")
        seen = None
        if scores:
            found = {"black": 0.0 if camera_id in self.black else 95.0}
            if memory is not None:
                found["frozen"] = 0.0 if camera_id in self.frozen else 100.0
            seen = Seen(704, 576, found, "day", f"{camera_id}-{len(self.looks)}")
        return FakeSight(seen=seen, late=camera_id in self.late, weakness=self.weak.get(camera_id))

    def feed_reason(self, camera_id: int) -> tuple[str, str | None] | None:
        if camera_id in self.weak:
            return "live", self.weak[camera_id].reason
        return ("live", "late") if camera_id in self.late else self.feeds.get(camera_id)

    async def warm(self, camera_ids: Sequence[int], holder: str, seconds: float, *, ahead: bool = False) -> None:
        self.warmed.append((tuple(camera_ids), f"{holder}-ahead" if ahead else holder, seconds))
