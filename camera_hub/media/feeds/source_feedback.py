"""What running feeds teach the sources that they are pulled from: addresses that serve, codecs, missing key frames."""

from collections.abc import Callable

from camera_hub.errors import Reason
from camera_hub.media.background import Background
from camera_hub.media.feeds.feed_states import FeedReport
from camera_hub.media.interface import Sources
from camera_hub.relay.messages import FeedPhase

NOT_THE_ADDRESS = frozenset({Reason.UNREACHABLE, Reason.PORT_CLOSED, Reason.TIMED_OUT, Reason.STALLED})
"""What a device or its link is the cause of; the relay's own tries are enough."""


class SourceFeedback:
    """Of all streams."""

    def __init__(self, sources: Sources, background: Background) -> None:
        self._sources = sources
        self._background = background
        self._known: dict[int, tuple[str, int | None, int | None]] = {}

    def on_phase(self, stream_id: int, report: FeedReport) -> None:
        """The stream plays at its address, or fails there."""
        if report.live:
            self._sources.plays(stream_id)
        elif report.state.phase is FeedPhase.FAILED:
            if report.state.reason in NOT_THE_ADDRESS:
                self._sources.rest(stream_id)
            else:
                self._sources.doubt(stream_id)

    def learn(self, stream_id: int, report: FeedReport, then: Callable[[], None]) -> None:
        """Keep what the stream reports of itself; `then` is called once it is kept, at once where nothing is new."""
        codec, size = report.state.codec, (report.state.width, report.state.height)
        if codec is None or self._known.get(stream_id) == (codec, *size):
            then()
            return
        self._known[stream_id] = (codec, *size)

        async def keep() -> None:
            try:
                await self._sources.learned(stream_id, codec, *size)
            except BaseException:
                self._known.pop(stream_id, None)  # the next report is tried again
                raise
            finally:
                then()

        self._background.start(f"learn about stream {stream_id} {codec} {size}", keep())

    def peculiar(self, device_id: int, kind: str, value: str) -> None:
        """Keep what a session found out about its device."""
        name = f"peculiarity {kind} of device {device_id}"
        self._background.start(name, self._sources.peculiar(device_id, kind, value))

    def want_key_frame(self, stream_id: int) -> None:
        """Ask the camera for a key frame, once at a time."""
        if not self._background.runs(name := f"sync point of stream {stream_id}"):
            self._background.start(name, self._sources.sync_point(stream_id))
