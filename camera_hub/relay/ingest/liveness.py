"""Whether an opened stream brings what it must: packets, and key frames that can be shown. Pure."""

from dataclasses import dataclass

from camera_hub.errors import HubError, Kind, Reason

SYNC_AFTER = 0.5
"""Seconds that a camera has to begin with a key frame by itself; nearly all do."""


@dataclass(slots=True)
class Liveness:
    """Of one session, in monotonic seconds: when PLAY was sent, the last packet heard, the last key frame."""

    began: float = 0.0
    heard: float | None = None
    keyed: float | None = None

    def judge(self, now: float, *, media_timeout: float, key_frame_timeout: float, bare: bool) -> None:
        """Raise HubError when packets or key frames have failed to come; `bare`: some came without parameter sets."""
        silent = now - (self.heard if self.heard is not None else self.began)
        if silent > media_timeout:
            if self.heard is None:
                raise HubError(Kind.TIMEOUT, "the camera agreed to send, but sends nothing", reason=Reason.NO_MEDIA)
            raise HubError(Kind.TIMEOUT, f"nothing came from the camera for {silent:.0f} s", reason=Reason.STALLED)
        if now - (self.keyed if self.keyed is not None else self.began) > key_frame_timeout:
            remedy = "its key frames lack parameter sets, restart it" if bare else "shorten its I-frame interval"
            raise HubError(
                Kind.TIMEOUT,
                f"no usable key frame of the camera within {key_frame_timeout:g} s; {remedy}",
                reason=Reason.NO_KEY_FRAME,
            )

    def worth_asking_for_key(self, now: float) -> bool:
        """Whether the first key frame keeps whoever watches waiting."""
        return self.keyed is None and now - self.began > SYNC_AFTER
