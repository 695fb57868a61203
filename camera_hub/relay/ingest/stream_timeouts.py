"""Stream timeouts: whether a playing camera still sends packets, and frames that can be shown. Pure.

A decoder needs a key frame to begin with, and none to go on: what ends a session is that nothing can be decoded, never
that the last key frame is long past.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.relay.ingest.feed_state import INTRA_REFRESH, loss_error
from camera_hub.relay.ingest.losses import CAUSES, NO_KEY_FRAME, Loss, LossCause

SYNC_AFTER = 0.5
"""Seconds that a camera has to start with a key frame by itself (nearly all do) before one is requested."""
RESYNC_AFTER = 2.0
"""Seconds without a frame that can be decoded, though packets come, after which one is requested again."""
INTRA_REFRESH_PATIENCE = 3.0
"""So many times the usual timeout is waited for the key frame of a camera that refreshes its picture otherwise."""

_CAUSES = tuple(LossCause)


@dataclass(slots=True)
class StreamTimeouts:
    """Of one session, in monotonic seconds: when PLAY was sent, the last packet of the stream, the last frame that can
    be decoded, the last key frame. `foreign`: packets that are not the stream's. `ordered`: over TCP."""

    play_at: float = 0.0
    packet_at: float | None = None
    frame_at: float | None = None
    key_frame_at: float | None = None
    foreign: int = 0
    ordered: bool = True

    def check(
        self,
        now: float,
        *,
        media_timeout: float,
        key_frame_timeout: float,
        lost: Sequence[int] = (0,) * CAUSES,
        intra_refresh: bool = False,
    ) -> None:
        """Raises HubError: NO_MEDIA or STALLED without packets for `media_timeout`; the reason of the weightiest cause
        without a frame that can be decoded for `key_frame_timeout` seconds. `lost`: frames by cause (see `losses`);
        `intra_refresh`: there are points for a decoder to go on, and no key frames."""
        silent = now - (self.packet_at if self.packet_at is not None else self.play_at)
        if silent > media_timeout:
            raise self._silence(silent)
        waits = now - (self.frame_at if self.frame_at is not None else self.play_at)
        patience = INTRA_REFRESH_PATIENCE if intra_refresh and self.key_frame_at is None else 1.0
        if waits > key_frame_timeout * patience:
            raise self._nothing_decodable(waits, lost, intra_refresh=intra_refresh)

    def why_waiting(
        self, now: float, after: float, *, lost: Sequence[int], intra_refresh: bool = False
    ) -> HubError | None:
        """Why no key frame has come though packets do, once one has been waited for `after` seconds."""
        if self.key_frame_at is not None or self.packet_at is None or now - self.play_at <= after:
            return None
        return self._nothing_decodable(now - self.play_at, lost, intra_refresh=intra_refresh)

    def _silence(self, seconds: float) -> HubError:
        if self.packet_at is not None:
            return HubError(
                Kind.TIMEOUT,
                f"the camera has sent nothing for {seconds:.0f} s; check its link and power",
                reason=Reason.STALLED,
            )
        sent = "sent nothing" if not self.foreign else f"sent {self.foreign} packets, none of them of its video,"
        return HubError(
            Kind.TIMEOUT,
            f"the camera accepted PLAY but {sent} for {seconds:.0f} s; restart it, or set its transport to TCP where a "
            "firewall blocks UDP",
            reason=Reason.NO_MEDIA,
        )

    def should_request_key_frame(self, now: float) -> bool:
        """Whether a key frame is overdue for those who wait: the first one, or one to go on from after a loss."""
        if self.key_frame_at is None:
            return now - self.play_at > SYNC_AFTER
        return (
            self.frame_at is not None and self.packet_at is not None and self.packet_at - self.frame_at > RESYNC_AFTER
        )

    def _nothing_decodable(self, seconds: float, lost: Sequence[int], *, intra_refresh: bool) -> HubError:
        """The error of a session whose packets come, and whose pictures do not."""
        worst = max(range(CAUSES), key=lost.__getitem__)
        if lost[worst] and worst != NO_KEY_FRAME:
            return loss_error(Loss(_CAUSES[worst], 100), ordered=self.ordered)
        if intra_refresh:
            return HubError(Kind.TIMEOUT, INTRA_REFRESH, reason=Reason.INTRA_REFRESH)
        if not lost[worst]:
            return HubError(
                Kind.TIMEOUT,
                f"the camera's packets have held no picture for {seconds:.0f} s; restart it",
                reason=Reason.NO_MEDIA,
            )
        return HubError(
            Kind.TIMEOUT,
            f"no key frame from the camera within {seconds:.0f} s; shorten its I-frame interval",
            reason=Reason.NO_KEY_FRAME,
        )
