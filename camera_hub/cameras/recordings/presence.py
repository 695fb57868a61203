"""From changes of presence, as ONVIF's search tells them, to stretches of time. Pure."""

from collections.abc import Collection, Mapping, Sequence

from camera_hub.cameras.onvif.recording_search import PresenceChange
from camera_hub.cameras.recordings.spans import Span, merged


def recorded_spans(
    changes: Sequence[PresenceChange], tracks: Mapping[str, Collection[str]], within: Span
) -> dict[str, list[Span]]:
    """Recording → when data was present on any of its tracks (`tracks`: recording → those with video, empty: any).

    `changes` in the order of time, by the same clock as `within`. A track is absent until it is said to be present. A
    recording of which nothing is said is left out: the device does not tell of it.
    """
    since: dict[tuple[str, str], PresenceChange] = {}
    spans: dict[str, list[Span]] = {}
    for change in changes:
        wanted = tracks.get(change.recording)
        if wanted is None or (wanted and change.track and change.track not in wanted):
            continue
        found = spans.setdefault(change.recording, [])
        key = (change.recording, change.track)
        began = since.get(key)
        if change.present and began is None:
            since[key] = change
        elif not change.present and began is not None:
            found.append(Span(max(began.at, within.begin), min(change.at, within.end)))
            del since[key]
    for (recording, _), began in since.items():
        spans[recording].append(Span(max(began.at, within.begin), within.end))
    return {recording: merged(found) for recording, found in spans.items()}
