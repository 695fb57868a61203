"""How long what became of occurrences is kept: as long as the records of patrols."""

from datetime import timedelta

from camera_hub.settings import PatrolSettings
from camera_hub.store.retention import ExpiryRule
from camera_hub.store.tables import PlanOccurrence


def occurrence_expiry(settings: PatrolSettings) -> ExpiryRule:
    """Decided ones only; no other is that old."""
    decided = PlanOccurrence.state.in_(("done", "missed"))
    keep = timedelta(days=settings.keep_days)
    return ExpiryRule("occurrences", PlanOccurrence, PlanOccurrence.id, PlanOccurrence.due_at, keep, when=decided)
