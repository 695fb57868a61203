"""Stream timeouts: whether a playing camera still sends packets, and key frames that can be shown. Pure."""

from dataclasses import dataclass

from camera_hub.errors import HubError, Kind, Reason

SYNC_AFTER = 0.5
"""Seconds that a camera has to start with a key frame by itself (nearly all do) before one is requested."""


@dataclass(slots=True)
class StreamTimeouts:
    """Of one session, in monotonic seconds: when PLAY was sent, the last packet, the last key frame."""

    play_at: float = 0.0
    packet_at: float | None = None
    key_frame_at: float | None = None

    def check(
        self, now: float, *, media_timeout: float, key_frame_timeout: float, parameter_sets_missing: bool
    ) -> None:
        """Raises HubError: NO_MEDIA or STALLED without packets for `media_timeout`, NO_KEY_FRAME without a usable key
        frame for `key_frame_timeout` seconds. `parameter_sets_missing`: some key frames came without them.
        """
        silent = now - (self.packet_at if self.packet_at is not None else self.play_at)
        if silent > media_timeout:
            if self.packet_at is None:
                raise HubError(
                    Kind.TIMEOUT,
                    f"the camera accepted PLAY but sent nothing for {silent:.0f} s; restart it, or set its transport "
                    "to TCP where a firewall blocks UDP",
                    reason=Reason.NO_MEDIA,
                )
            raise HubError(
                Kind.TIMEOUT,
                f"the camera has sent nothing for {silent:.0f} s; check its link and power",
                reason=Reason.STALLED,
            )
        if now - (self.key_frame_at if self.key_frame_at is not None else self.play_at) > key_frame_timeout:
            remedy = (
                "its key frames come without parameter sets (SPS, PPS): restart it"
                if parameter_sets_missing
                else "shorten its I-frame interval"
            )
            raise HubError(
                Kind.TIMEOUT,
                f"no usable key frame from the camera within {key_frame_timeout:g} s; {remedy}",
                reason=Reason.NO_KEY_FRAME,
            )

    def should_request_key_frame(self, now: float) -> bool:
        """Whether the first key frame is overdue for those who wait."""
        return self.key_frame_at is None and now - self.play_at > SYNC_AFTER
