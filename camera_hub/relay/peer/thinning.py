"""Keeps one peer within what its link carries: collects its reports, has them judged each second, acts on the level."""

from collections.abc import Callable, Sequence

from camera_hub.relay.messages import LinkLevel
from camera_hub.relay.peer.link_quality import LinkQuality, LinkSecond, Reports
from camera_hub.relay.peer.pacer import TokenBucket
from camera_hub.relay.peer.repair_budget import RepairBudget
from camera_hub.relay.peer.track import Track
from camera_hub.relay.webrtc.rtcp import Reception


class Thinning:
    """Of one peer. `on_level` gets each new level; `bucket` and `repair` limit its media and its retransmissions."""

    def __init__(
        self, tracks: Sequence[Track], bucket: TokenBucket, repair: RepairBudget, on_level: Callable[[LinkLevel], None]
    ) -> None:
        self._tracks = tracks
        self._bucket = bucket
        self._repair = repair
        self._on_level = on_level
        self._link = LinkQuality()
        self._second = LinkSecond()
        self._reports = [Reports() for _ in tracks]
        self._overflows = 0
        self._sent = 0

    @property
    def level(self) -> LinkLevel:
        return self._link.level

    def on_report(self, track: Track, report: Reception) -> None:
        """A receiver report about one of the tracks."""
        self._reports[track.number].add(report.highest, report.lost, report.round_trip, self._second)

    def judge(self, now: float) -> None:
        """To be called once a second."""
        second, self._second = self._second, LinkSecond()
        overflows = sum(track.figures.overflows for track in self._tracks)
        sent = sum(track.figures.bytes for track in self._tracks)
        second.overflows, second.bytes = overflows - self._overflows, sent - self._sent
        self._overflows, self._sent = overflows, sent
        before = self._link.level
        level = self._link.judge(now, second)
        rate = self._link.rate
        self._bucket.limit(rate)
        self._repair.grant(second.bytes, rate)
        if level is not before:
            for track in self._tracks:
                track.thin_out(keys_only=level is LinkLevel.KEYS)
            self._on_level(level)
