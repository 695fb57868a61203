"""Key-frame throttle: which key frames of a feed are handed to the hub, for looks and stills. Pure."""


class KeyFrameThrottle:
    """At most one key frame per interval, and the next one where it was requested."""

    def __init__(self) -> None:
        self._every: float | None = None
        self._next = False
        self._passed_at: float | None = None

    def set(self, every: float | None) -> None:
        """Pass at most one key frame each `every` seconds; None: no more. 0: the next one, besides the interval set."""
        if every == 0:
            self._next = True
        else:
            self._every = every

    def is_new(self, arrived: float) -> bool:
        """Whether no key frame was handed out since the one that arrived then, itself included."""
        return self._passed_at is None or self._passed_at < arrived

    def passes(self, now: float) -> bool:
        """Whether the key frame that arrived at `now` is handed out; counts as handed out."""
        due = self._every is not None and (self._passed_at is None or now - self._passed_at >= self._every)
        if not self._next and not due:
            return False
        self._next, self._passed_at = False, now
        return True
