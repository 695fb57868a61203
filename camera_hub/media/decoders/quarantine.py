"""Cameras whose pictures have ended an eye too often. Pure."""

from collections import deque


class Quarantine:
    """`limit` strikes within `window` seconds quarantine a camera until the oldest of them is `window` old."""

    def __init__(self, limit: int = 3, window: float = 300.0) -> None:
        self._limit = limit
        self._window = window
        self._at: dict[int, deque[float]] = {}

    def strike(self, camera_id: int, now: float) -> None:
        """The camera's picture ended an eye."""
        self._at.setdefault(camera_id, deque(maxlen=self._limit)).append(now)

    def holds(self, camera_id: int, now: float) -> bool:
        """Whether the camera's pictures are not decoded for now."""
        strikes = self._at.get(camera_id)
        if strikes is None:
            return False
        while strikes and now - strikes[0] >= self._window:
            strikes.popleft()
        if not strikes:
            del self._at[camera_id]
            return False
        return len(strikes) >= self._limit
