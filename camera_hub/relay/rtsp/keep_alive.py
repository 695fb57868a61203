"""RTSP keep-alive of a session with a camera: how often, by which method, and what a cut teaches. Pure (RFC 2326
sections 10.8, 12.37).

Which requests keep a session alive differs: some servers count GET_PARAMETER alone, some OPTIONS alone, some close the
connection at a method that they do not know, and for some the RTCP receiver reports are enough. `Public` does not tell.
"""

from dataclasses import dataclass
from typing import Final

from camera_hub.relay.rtsp.message import Response

SESSION_TIMEOUT = 60.0
"""Seconds until a camera ends a session that shows no sign of life, unless it names another time."""
MAX_INTERVAL = 30.0
REPORT_INTERVAL = 5.0
"""Seconds between two RTCP receiver reports, unless the session's timeout is shorter than three of these."""

RTCP: Final = "RTCP"
"""Receiver reports alone."""
METHODS: Final = ("GET_PARAMETER", "OPTIONS", RTCP)
"""In the order in which they are tried."""

SHORTEST = 8.0
"""Seconds; what ends sooner did not end for want of a keep-alive."""


class KeepAlive:
    """OPTIONS, until the camera says that it knows GET_PARAMETER. `learnt`: the method that cuts have taught."""

    def __init__(self, learnt: str | None = None) -> None:
        self._learnt = learnt in METHODS
        self._public_known = False
        self.timeout = SESSION_TIMEOUT
        self.method = learnt if learnt is not None and learnt in METHODS else "OPTIONS"

    def set_timeout(self, seconds: int | None) -> None:
        """The timeout in the camera's Session header; None or 0: it names none."""
        self.timeout = float(seconds) if seconds else SESSION_TIMEOUT

    @property
    def report_interval(self) -> float:
        """Seconds between two receiver reports, which many cameras take as a sign of life as well."""
        return min(REPORT_INTERVAL, max(1.0, self.timeout / 3))

    @property
    def first_at_once(self) -> bool:
        """Whether to ask for the methods that the camera knows as soon as it plays: one that counts GET_PARAMETER
        alone must get one before its session's time is over."""
        return not self._learnt and not self._public_known

    def due(self, since_last: float) -> bool:
        """Whether to send a keep-alive now, `since_last` seconds after the last one. Asked each report_interval."""
        interval = max(self.report_interval, min(self.timeout / 2, MAX_INTERVAL))
        return since_last >= interval - self.report_interval / 2

    def on_public(self, public: str) -> None:
        """The methods that the camera says it knows, in answer to OPTIONS."""
        self._public_known = True
        if self.method == "OPTIONS" and not self._learnt and "GET_PARAMETER" in public.upper():
            self.method = "GET_PARAMETER"

    def on_answer(self, answer: Response) -> None:
        """Choose the next method by what the camera answers to this one."""
        if self.method == "OPTIONS":
            self.on_public(answer.header("public"))
        elif self.method == "GET_PARAMETER" and answer.status in (405, 501, 551):
            self.method, self._learnt = "OPTIONS", True


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a cut taught: the method of the next sessions. `new`: it was not tried since one last worked, so that the
    cut is no failure yet."""

    method: str
    new: bool


class CutHistory:
    """The cuts of one camera's sessions. Times in seconds."""

    def __init__(self) -> None:
        self._tried: list[str] = []
        self._proven: str | None = None  # the method with which a session outlived its timeout twice
        self._doubts = 0  # cuts since
        self._age: float | None = None

    def lasts(self, method: str) -> None:
        """A session has outlived its timeout twice with this method: it works."""
        self._tried.clear()
        self._proven, self._doubts, self._age = method, 0, None

    def lesson(self, method: str, *, played: float, timeout: float, disliked: bool) -> Lesson | None:
        """What a session teaches that played for `played` and was cut or fell silent; `disliked`: the camera hung up
        instead of answering a keep-alive. None: the keep-alive had nothing to do with it.

        A method that is known to work is doubted at the second such cut only: links fail, too. When all have been
        tried, they are tried again.
        """
        before, self._age = self._age, played
        at_timeout = 0.75 * timeout <= played <= 1.5 * timeout + REPORT_INTERVAL
        as_before = before is not None and abs(played - before) <= 0.15 * before
        if not (disliked or (played >= SHORTEST and as_before) or at_timeout):
            return None
        self._doubts += 1
        if method == self._proven and self._doubts < 2:
            return None
        self._tried.append(method)
        left = [one for one in METHODS if one not in self._tried]
        if left:
            # Tried from now on, even if the camera refuses that method and the next session falls back to another.
            self._tried.append(left[0])
            return Lesson(left[0], True)
        self._tried.clear()
        return Lesson(next(one for one in METHODS if one != method), False)
