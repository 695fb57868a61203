"""Cameras whose main stream came too late, and for how long it is not used."""

from camera_hub.clock import Clock

REST = 120.0
REST_CAP = 1800.0
RELAPSE = 600.0
"""Late again that soon after a rest: the next one is twice as long."""


class LateCameras:
    """By camera. Times are monotonic seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._marks: dict[int, tuple[float, float]] = {}  # until when, how long the rest was

    def found(self, camera_id: int) -> None:
        """Its main stream is late now."""
        now = self._clock.monotonic()
        until, rest = self._marks.get(camera_id, (float("-inf"), REST / 2))
        if now < until:
            return
        rest = min(REST_CAP, rest * 2) if now - until < RELAPSE else REST
        self._marks[camera_id] = (now + rest, rest)

    def rests(self, camera_id: int) -> bool:
        """Whether the camera's main stream is not used for now."""
        now = self._clock.monotonic()
        return now < self._marks.get(camera_id, (now, 0.0))[0]

    def sweep(self) -> None:
        """Forget what is long over."""
        now = self._clock.monotonic()
        self._marks = {camera: mark for camera, mark in self._marks.items() if now - mark[0] < RELAPSE}
