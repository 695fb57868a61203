"""What is printed of a record has a word for each code."""

from typing import get_args

from camera_hub.patrol.records.sheet import EVENT_WORDS
from camera_hub.patrol.runs.run_events import EventKind


def test_each_kind_of_event_has_its_word_on_the_sheet() -> None:
    assert EVENT_WORDS.keys() == set(get_args(EventKind))
