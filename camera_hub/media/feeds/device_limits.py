"""How many sessions a device allows at once: a setting, and fewer for a while after it has refused one. Pure."""

LEARNED_SECONDS = 300.0
"""How long a lower limit that was learned holds: other software that had the sessions may be gone by then."""


class DeviceLimits:
    """Per device (FeedSpec.device); an unnamed one has no limit. Times are monotonic seconds."""

    def __init__(self, usual: int) -> None:
        self._usual = usual
        self._learned: dict[str, tuple[int, float]] = {}

    def of(self, device: str) -> int | None:
        """Sessions at most; None: any number."""
        if not device:
            return None
        return min(self._usual, self._learned.get(device, (self._usual, 0.0))[0])

    def on_refused(self, device: str, playing: int, now: float) -> None:
        """The device refused a further session while so many played."""
        self._learned[device] = (max(1, playing), now + LEARNED_SECONDS)

    def on_playing(self, device: str, playing: int) -> None:
        """So many play: it allows at least that."""
        if device in self._learned and playing > self._learned[device][0]:
            self._learned[device] = (playing, self._learned[device][1])

    def forget(self, now: float) -> list[str]:
        """Devices whose learned limit has just expired."""
        over = [device for device, (_, until) in self._learned.items() if until <= now]
        for device in over:
            del self._learned[device]
        return over
