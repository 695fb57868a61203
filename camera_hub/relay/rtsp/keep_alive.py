"""RTSP keep-alive of a session with a camera: how often, and by which method. Pure (RFC 2326 sections 10.8, 12.37)."""

from camera_hub.relay.rtsp.message import Response

SESSION_TIMEOUT = 60.0
"""Seconds until a camera ends a session that shows no sign of life, unless it names another time."""
MAX_INTERVAL = 30.0
REPORT_INTERVAL = 5.0
"""Seconds between two RTCP receiver reports, unless the session's timeout is shorter than three of these."""


class KeepAlive:
    """OPTIONS, until the camera says that it knows GET_PARAMETER."""

    def __init__(self) -> None:
        self._timeout = SESSION_TIMEOUT
        self.method = "OPTIONS"

    def set_timeout(self, seconds: int | None) -> None:
        """The timeout in the camera's Session header; None or 0: it names none."""
        self._timeout = float(seconds) if seconds else SESSION_TIMEOUT

    @property
    def report_interval(self) -> float:
        """Seconds between two receiver reports, which many cameras take as a sign of life as well."""
        return min(REPORT_INTERVAL, max(1.0, self._timeout / 3))

    def due(self, since_last: float) -> bool:
        """Whether to send a keep-alive now, `since_last` seconds after the last one. Asked each report_interval."""
        interval = max(self.report_interval, min(self._timeout / 2, MAX_INTERVAL))
        return since_last >= interval - self.report_interval / 2

    def on_answer(self, answer: Response) -> None:
        """Choose the next method by what the camera answers to this one."""
        if self.method == "OPTIONS" and "GET_PARAMETER" in answer.header("public"):
            self.method = "GET_PARAMETER"
        elif self.method == "GET_PARAMETER" and answer.status in (405, 501, 551):
            self.method = "OPTIONS"
