"""Columns of records that are read whatever they hold."""

from typing import Any, get_args

import pytest

from camera_hub.api.schemas.base import Answer
from camera_hub.api.schemas.plans import OccurrenceAnswer
from camera_hub.api.schemas.proof import RunResultAnswer
from camera_hub.api.schemas.records import ReviewAnswer
from camera_hub.api.schemas.runs import RunAnswer, RunStepAnswer
from camera_hub.api.schemas.tours import TourAnswer
from camera_hub.store.tables import Base
from camera_hub.store.tables.readable import Word

ANSWERS: dict[str, tuple[type[Answer], str]] = {
    "runs.state": (RunAnswer, "state"),
    "runs.confirm": (RunAnswer, "confirm"),
    "runs.interrupt": (TourAnswer, "interrupt"),
    "runs.pause_reason": (RunAnswer, "pause_reason"),
    "run_steps.outcome": (RunStepAnswer, "outcome"),
    "run_results.result": (RunResultAnswer, "result"),
    "run_reviews.kind": (ReviewAnswer, "kind"),
    "occurrences.variant": (OccurrenceAnswer, "variant"),
    "occurrences.state": (OccurrenceAnswer, "state"),
    "occurrences.why": (OccurrenceAnswer, "why"),
}


def words() -> dict[str, Word]:
    found: dict[str, Word] = {}
    for table in Base.metadata.tables.values():
        found |= {
            f"{table.name}.{column.name}": column.type for column in table.columns if isinstance(column.type, Word)
        }
    return found


def said(annotation: Any) -> set[str]:
    """The words of a type like Literal["a", "b"] | None."""
    inner = get_args(annotation)
    return {one for part in inner for one in ({part} if isinstance(part, str) else said(part))}


@pytest.mark.parametrize("column", words())
def test_a_column_knows_every_word_that_is_told_of_it(column: str) -> None:
    """One that it does not know would read as tampered with."""
    answer, field = ANSWERS[column]
    kind = words()[column]
    assert said(answer.model_fields[field].annotation) | {kind.otherwise} == {*kind.words, kind.otherwise}
