"""Pure: one aspect of one camera (or device) from look to look: its samples, its verdict, whether it flaps."""

from collections import deque
from dataclasses import dataclass, field, replace

from camera_hub.health.judging.flapping import LOOKS, is_flapping
from camera_hub.health.judging.verdict import UNKNOWN, Sample, Verdict, contradicts, judge


@dataclass(slots=True)
class AspectTrack:
    """While the aspect flaps its verdict is a fault, also while looks find it well for a moment: one alarm, and one
    state, until it has been steady over a whole window."""

    verdict: Verdict = UNKNOWN
    _samples: deque[Sample] = field(default_factory=lambda: deque(maxlen=LOOKS))

    def add(self, sample: Sample, *, bad: int, bad_of: int, apart: float = 0.0) -> Verdict:
        """The verdict after one more sample. Two bad ones less than `apart` seconds from each other are one: else a
        blip would count as confirmed."""
        last = self._samples[-1] if self._samples else None
        if last is not None and last.reason is not None and sample.reason is not None and sample.at - last.at < apart:
            self._samples[-1] = replace(sample, at=last.at)
        else:
            self._samples.append(sample)
        samples = list(self._samples)
        now = judge(samples, self.verdict, bad=bad, bad_of=bad_of)
        # It begins to flap only as a fault that is confirmed: single bad looks, however many, are none.
        steady = not self.verdict.flapping and now.state != "fault"
        flaps = not steady and is_flapping([one.is_good for one in samples], self.verdict.flapping)
        if flaps and now.state != "fault":
            now = self.verdict  # it is well for the moment
        self.verdict = now if now.flapping == flaps else replace(now, flapping=flaps)
        return self.verdict

    def contradicts(self, bad_of: int) -> bool:
        """Whether the newest sample leaves the verdict in doubt, so that the next look should come soon. One that flaps
        is not followed closely for ever: only until it is as steady as a recovery is."""
        samples = list(self._samples)
        if self.verdict.flapping and len(samples) >= bad_of and all(one.is_good for one in samples[-bad_of:]):
            return False
        return contradicts(samples, self.verdict)

    @property
    def newest(self) -> Sample | None:
        """The last sample."""
        return self._samples[-1] if self._samples else None
