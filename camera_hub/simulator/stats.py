"""A device's counters: connections, logins, sessions, calls. Tests use them to check how considerate the hub is."""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class DeviceStats:
    """Totals of one device, except `sessions` and `pull_points`, which are those open now."""

    rtsp_connections: int = 0
    http_connections: int = 0
    logins: int = 0  # requests with credentials
    logins_failed: int = 0  # … that were wrong
    basic_logins: int = 0  # requests whose credentials came in clear text
    probes: int = 0
    pull_points: int = 0
    pull_points_opened: int = 0
    sync_points: int = 0
    frames_dropped: int = 0
    requests: Counter[str] = field(default_factory=Counter)  # RTSP methods, ONVIF operations, HTTP paths
    sessions: Counter[str] = field(default_factory=Counter)  # playing now, by "<channel key>/<stream>"
    plays: Counter[str] = field(default_factory=Counter)  # PLAYs ever, by the same
    frames: Counter[str] = field(default_factory=Counter)  # pictures sent to whoever played, by the same
    openings: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=64))
    """The last sessions that were opened, each from DESCRIBE to the answer to PLAY or the connection's end: monotonic
    seconds, which all processes of a machine share."""

    def as_json(self) -> dict[str, Any]:
        return {
            "rtsp_connections": self.rtsp_connections,
            "http_connections": self.http_connections,
            "logins": self.logins,
            "logins_failed": self.logins_failed,
            "basic_logins": self.basic_logins,
            "probes": self.probes,
            "pull_points": self.pull_points,
            "pull_points_opened": self.pull_points_opened,
            "sync_points": self.sync_points,
            "frames_dropped": self.frames_dropped,
            "requests": dict(self.requests),
            "sessions": {name: count for name, count in self.sessions.items() if count},
            "plays": dict(self.plays),
            "frames": dict(self.frames),
            "openings": list(self.openings),
        }
