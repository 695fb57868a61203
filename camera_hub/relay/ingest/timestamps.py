"""RTP timestamps: from the camera's clock to the hub's clock, and those of a replayed GOP. Pure.

The timestamps of all feeds are on one clock (90 kHz, hub time), so a track that changes its feed never steps back in
time, and one sender report is right for whatever it shows.
"""

from enum import StrEnum

from camera_hub.relay.ingest.rtp import Unwrapper

RATE = 90_000
"""RTP clock of video in Hz."""
JUMP = 2.0
"""Seconds. A larger step of a camera's timestamps against its arrival times is a jump: the mapping starts again."""
BACK = 0.2
"""Seconds. A larger step back is a jump, too; smaller ones are those of frames out of order."""
DRIFT = 500e-6
"""Seconds per second by which the mapping follows a camera whose clock runs slow; every quartz is far better."""
STANDING = 10
"""Frames on end with one timestamp: the camera's clock stands still."""
_PAIR = 0.1
"""Seconds by which the second of two frames with one timestamp follows the first at most."""
_WATCHED = 1.0
_WATCHED_FRAMES = 8
"""Over so many seconds and frames the rate of a camera's clock is measured."""
_MOST_FPS = 70.0
"""Frames per second that no camera has."""


class CameraClock(StrEnum):
    """How the timestamps of a stream pass."""

    WELL = "well"
    STANDING = "standing"
    WRONG_RATE = "wrong_rate"


class ClockRate:
    """Measures whether a stream's timestamps pass at the rate of its RTP clock (`rate` Hz), or at another one.

    A link that is too thin slows the frames' arrival, never their distance in timestamps; so a clock is only called
    wrong where its timestamps mean more frames per second than a camera has, or far fewer than arrive, or run backwards
    (not only those of B-frames).
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._ticks = self._frames = self._backward = 0
        self._began: float | None = None
        self.wrong = False

    def restart(self) -> None:
        """Measure anew; what was found stands until then."""
        self._began = None

    def add(self, step: int, arrived: float) -> bool:
        """A frame came, `step` ticks after the one before. Returns whether `wrong` has changed."""
        if self._began is None:
            self._began, self._ticks, self._frames, self._backward = arrived, 0, 0, 0
            return False
        self._ticks += step
        self._frames += 1
        self._backward += step < 0
        passed = arrived - self._began
        if passed < _WATCHED or self._frames < _WATCHED_FRAMES:
            return False
        stated = self._frames * self._rate / self._ticks if self._ticks > 0 else 0.0
        arriving = self._frames / passed
        before = self.wrong
        backwards = stated == 0.0 and self._backward >= 0.75 * self._frames
        if (
            backwards
            or (stated > _MOST_FPS and stated > 1.7 * arriving)
            or (0 < stated < arriving / 4 and arriving < _MOST_FPS)
        ):
            self.wrong = True
        elif arriving / 1.3 < stated < arriving * 1.3:
            self.wrong = False
        self._began, self._ticks, self._frames, self._backward = arrived, 0, 0, 0
        return self.wrong != before


class TimestampMapper:
    """Maps the timestamps of one stream (RTP clock of `rate` Hz) to the hub's clock, and measures how late frames are.

    The offset is that of the frame with the shortest transit so far; others are late by what the link delayed them.
    With a camera clock slower than ours each frame would look later than the one before, so the offset drifts by DRIFT.
    Where the camera's clock stands still or has a wrong rate (`clock`), frames are stamped by their arrival, and
    nothing is known of their lateness.
    """

    def __init__(self, rate: int = RATE) -> None:
        self._rate = rate
        self._unwrap = Unwrapper(32)
        self._offset: float | None = None
        self._arrived = 0.0
        self._ticks = 0  # the last frame's, not wrapped
        self._last = 0  # hub time of the last frame, in ticks
        self._transit: float | None = None
        self._same = 0  # frames on end with one timestamp
        self._clock_rate = ClockRate(rate)
        self.lateness = 0.0  # seconds, of the last frame
        self.jitter = 0.0  # seconds, smoothed as in RFC 3550 A.8, of whole frames rather than packets
        self.jumps = 0

    @property
    def clock(self) -> CameraClock:
        """How the camera's timestamps pass."""
        if self._same >= STANDING:
            return CameraClock.STANDING
        return CameraClock.WRONG_RATE if self._clock_rate.wrong else CameraClock.WELL

    def restart(self) -> None:
        """The stream was reopened: its timestamps have nothing to do with those before. Hub times still increase."""
        self._unwrap = Unwrapper(32)
        self._offset = self._transit = None
        self._clock_rate.restart()
        self.lateness = self.jitter = 0.0

    def map(self, timestamp: int, arrived: float) -> int:
        """Hub time in ticks of `rate`, not wrapped, of a frame. Strictly increasing.

        `timestamp`: RTP timestamp (32 bit) of the camera. `arrived`: monotonic seconds.
        """
        ticks = self._unwrap(timestamp)
        first = self._offset is None
        step = 0 if first else ticks - self._ticks
        self._ticks = ticks
        if not first and step == 0:
            at = self._same_again(arrived)
        else:
            if not first and self._clock_rate.add(step, arrived):
                self._offset = self._transit = None
            self._same = 0
            at = self._by_timestamp(ticks / self._rate, step / self._rate, arrived)
            if self._clock_rate.wrong:
                at, self.lateness = arrived, 0.0
        self._arrived = arrived
        self._last = max(self._last + 1, round(at * self._rate))
        return self._last

    def _same_again(self, arrived: float) -> float:
        """Hub time in seconds of a frame with the timestamp of the one before."""
        self._same += 1
        passed = arrived - self._arrived
        if self._same < STANDING:
            return self._last / self._rate + min(passed, _PAIR)
        self.lateness = self.jitter = 0.0
        self._transit = None
        self._offset = arrived - self._ticks / self._rate
        return arrived

    def _by_timestamp(self, seconds: float, step: float, arrived: float) -> float:
        transit = arrived - seconds
        if self._transit is not None and (moved := abs(transit - self._transit)) < JUMP:
            self.jitter += (moved - self.jitter) / 16
        self._transit = transit
        if self._offset is None:
            self._offset = arrived - seconds
        else:
            self._offset += DRIFT * max(0.0, arrived - self._arrived)
        late = arrived - seconds - self._offset
        if late < 0:
            if late < -JUMP:
                self.jumps += 1
            self._offset += late
            late = 0.0
        elif step < -BACK:  # the camera's timestamps jumped back
            self.jumps += 1
            self._offset = arrived - seconds
            late = 0.0
        self.lateness = late
        return seconds + self._offset


def replay_timestamps(count: int, last_sent: int | None, newest: int, step: int = 90) -> list[int]:
    """Timestamps (90 kHz, hub time) for `count` replayed frames: 1 ms apart, ending at `newest`, all after `last_sent`.

    A browser shows each of them as soon as it is decoded, and so reaches the live edge at once.
    """
    if last_sent is not None and newest - (count - 1) * step <= last_sent:
        step = max(1, (newest - last_sent) // count)
        newest = max(newest, last_sent + count * step)
    return [newest - (count - 1 - index) * step for index in range(count)]
