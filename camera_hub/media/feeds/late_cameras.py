"""Cameras whose main stream came too late, and how long it is left alone. Pure."""

REST = 120.0
REST_CAP = 1800.0
RELAPSE = 600.0
"""Late again that soon after a rest: the next one is twice as long."""


class LateCameras:
    """By camera. Times are seconds of the monotonic clock."""

    def __init__(self) -> None:
        self._marks: dict[int, tuple[float, float]] = {}  # until when, how long the rest was

    def found(self, camera_id: int, now: float) -> None:
        """Its main stream is late now."""
        until, rest = self._marks.get(camera_id, (float("-inf"), REST / 2))
        if now < until:
            return
        rest = min(REST_CAP, rest * 2) if now - until < RELAPSE else REST
        self._marks[camera_id] = (now + rest, rest)

    def rests(self, camera_id: int, now: float) -> bool:
        """Whether the camera's main stream is left alone."""
        return now < self._marks.get(camera_id, (now, 0.0))[0]

    def forget(self, now: float) -> None:
        """Let go of what is long over."""
        self._marks = {camera: mark for camera, mark in self._marks.items() if now - mark[0] < RELAPSE}
