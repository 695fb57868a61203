"""What a sealed patrol, or a review of one, is called in a line that tells of many. English; pure."""

from contextlib import suppress

from camera_hub.access.audit.canonical import Json
from camera_hub.patrol.records.content import Row
from camera_hub.patrol.records.sheet_words import OPINIONS, RecordWords, int_in, iso_text, text_in


def patrol_name(run: Row, words: RecordWords) -> str:
    """Number, beginning, tour, who started it; as far as they are known. `run`: its row."""
    tour, who, at = text_in(run, "tour_name"), text_in(run, "started_name"), _minute(run.get("started_at"), words)
    told = [f"patrol {int_in(run, 'id')}", at and f"of {at}", tour and f"“{tour}”", who and f"by {who}"]
    return " ".join(filter(None, told))


def review_name(review: Row, words: RecordWords) -> str:
    """What, whose, when. `review`: its row."""
    kind, who, at = text_in(review, "kind"), text_in(review, "user_name"), _minute(review.get("at"), words)
    if kind == "note":
        return f"the note ({', '.join(filter(None, (who, at)))})"
    return f"the signature ({', '.join(filter(None, (words.of(OPINIONS, kind), who, at)))})"


def _minute(moment: Json, words: RecordWords) -> str:
    with suppress(ValueError):  # somebody may have written anything there
        return iso_text(moment, words)[:16]
    return ""
