"""Pure: which looks may start now, within the bounds of the hub and of each village."""

from collections import Counter
from collections.abc import Iterable

from camera_hub.health.rounds.camera_watch import CameraWatch


def looks_to_start(
    watches: Iterable[CameraWatch], now: float, *, at_once: int, at_once_per_village: int
) -> list[CameraWatch]:
    """The cameras to look at now, the longest due first. Looks under way count against both bounds."""
    watches = list(watches)
    looking = [watch for watch in watches if watch.looking]
    villages = Counter(watch.village_id for watch in looking)
    free = at_once - len(looking)
    chosen: list[CameraWatch] = []
    due = sorted((w for w in watches if w.due <= now and not w.looking), key=lambda watch: watch.due)
    for watch in due:
        if len(chosen) >= free:
            break
        if villages[watch.village_id] < at_once_per_village:
            villages[watch.village_id] += 1
            chosen.append(watch)
    return chosen
