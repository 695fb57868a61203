"""The hash of a link is that of its canonical JSON."""

import hashlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.access.audit.canonical import Json, canonical
from camera_hub.access.audit.links import VERSION, link_hash, moment

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(st.integers(1, 2**53 - 1), st.datetimes(min_value=datetime(1000, 1, 1)), TEXT, TEXT, TEXT, TEXT)
def test_a_link_is_hashed_as_canonical_json(
    sequence: int, at: datetime, kind: str, subject: str, sealed: str, previous: str
) -> None:
    aware = at.replace(tzinfo=UTC)
    values: list[Json] = [VERSION, sequence, f"{aware:%Y-%m-%dT%H:%M:%S.%f}Z", kind, subject, sealed, previous]
    expected = hashlib.sha256(canonical(values)).hexdigest()
    assert link_hash(sequence, aware, kind, subject, sealed, previous) == expected


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC), "2026-01-31T23:59:59.000000Z"),
        (datetime(2026, 2, 1, 7, 59, 59, 5, tzinfo=timezone(timedelta(hours=8))), "2026-01-31T23:59:59.000005Z"),
    ],
)
def test_a_time_is_hashed_in_utc_with_microseconds(at: datetime, text: str) -> None:
    assert moment(at) == text
