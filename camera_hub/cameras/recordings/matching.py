"""Which of a device's ONVIF recordings shows which camera. Pure.

A recording names its source by a token that whoever configured it has chosen: mostly that of the video source or of a
profile, sometimes the channel's name or number. What cannot be told is left out: a guess would give a camera another's
recordings.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence

from camera_hub.cameras.onvif.recording_search import StoredRecording
from camera_hub.cameras.recordings.values import RecordedCamera

_NUMBER = re.compile(r"(\d{1,4})\D{0,8}$")
Matched = dict[int, list[StoredRecording]]


def matched(recordings: Sequence[StoredRecording], cameras: Sequence[RecordedCamera]) -> Matched:
    """Camera → its recordings. Where the hub knows one camera alone on the device, and none is named, all are its."""
    found: Matched = {}
    by_token = {token: one.camera_id for one in cameras for token in (one.channel, *one.profiles) if token}
    left: list[StoredRecording] = []
    for recording in recordings:
        camera = by_token.get(recording.source, by_token.get(_last_part(recording.source)))
        if camera is None:
            left.append(recording)
        else:
            found.setdefault(camera, []).append(recording)
    for of_camera, of_recording in (
        (lambda one: one.name.strip().lower(), lambda one: one.name.strip().lower()),
        (lambda one: str(one.number or ""), _number),
    ):
        left = _by_mark(left, [one for one in cameras if one.camera_id not in found], of_camera, of_recording, found)
    if len(cameras) == 1 and not found and len({one.source for one in recordings}) == 1:
        found[cameras[0].camera_id] = list(recordings)
    return found


def _by_mark(
    recordings: Sequence[StoredRecording],
    cameras: Sequence[RecordedCamera],
    of_camera: Callable[[RecordedCamera], str],
    of_recording: Callable[[StoredRecording], str],
    found: Matched,
) -> list[StoredRecording]:
    """Match by what one camera and one source alone have; those recordings that are left."""
    marks = Counter(of_camera(one) for one in cameras)
    by_mark = {mark: one.camera_id for one in cameras if (mark := of_camera(one)) and marks[mark] == 1}
    sources: dict[str, set[str]] = {}
    for one in recordings:
        sources.setdefault(of_recording(one), set()).add(one.source)
    left = []
    for one in recordings:
        mark = of_recording(one)
        if mark in by_mark and len(sources[mark]) == 1:
            found.setdefault(by_mark[mark], []).append(one)
        else:
            left.append(one)
    return left


def _number(recording: StoredRecording) -> str:
    match = _NUMBER.search(recording.source) or _NUMBER.search(recording.token)
    return str(int(match[1])) if match is not None else ""


def _last_part(source: str) -> str:
    """Of a source that is written as a path or a URI."""
    return re.split(r"[/=]", source.strip().rstrip("/"))[-1]
