"""From the labelled set to JSON lines: one for each kind of fault, with references and without, one for each whole, and
one for the time that a key frame takes."""

import time
from pathlib import Path

import numpy as np

from camera_hub.bench.lines import Lines
from camera_hub.bench.sight.outcome import Judged, of_all, of_class
from camera_hub.bench.sight.scenes import drawn
from camera_hub.bench.sight.trials import FINE, Share, places, trials
from camera_hub.sight.picture_check import check_picture

_NEEDS_REFERENCE = frozenset({"moved"})
_FULL_HD = (1920, 1080)


def run(lines: Lines, share: Share, count: int, folder: Path | None) -> None:
    """Try every trial of the set without and with the camera's references."""
    alone: list[Judged] = []
    referenced: list[Judged] = []
    for trial in trials(places(share, count, folder)):
        about = (trial.place, trial.profile, trial.label, trial.step)
        if trial.label not in _NEEDS_REFERENCE:
            alone.append(Judged(*about, trial.run(with_reference=False).scores))
        if trial.known:
            referenced.append(Judged(*about, trial.run(with_reference=True).scores))
    for evidence, judged in (("one look", alone), ("one look and references", referenced)):
        for name in sorted({one.label for one in judged} - {FINE}):
            lines.write({"set": share, "evidence": evidence, **of_class(name, judged)})
        lines.write({"set": share, "evidence": evidence, **of_all(judged)})
    lines.write({"set": share, "ms_per_key_frame": milliseconds()})


def milliseconds(repeats: int = 15) -> dict[str, float]:
    """CPU time of one 1080p key frame on one core, after decoding: median and least."""
    picture = np.clip(drawn(7, "day", _FULL_HD).picture(), 0, 255).astype(np.uint8)[:, :, ::-1].copy()
    seen = check_picture(picture, with_features=True)
    references = {str(seen.profile): seen.features or ""}
    taken = []
    for _ in range(repeats):
        before = time.thread_time()
        check_picture(picture, seen.memory, references, at=1.0)
        taken.append((time.thread_time() - before) * 1000)
    return {"median": sorted(taken)[repeats // 2], "least": min(taken)}
