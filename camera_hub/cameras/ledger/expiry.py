"""How long the ledger keeps what was changed. Files and photos stay."""

from datetime import timedelta

from camera_hub.settings import LedgerSettings
from camera_hub.store.retention import ExpiryRule
from camera_hub.store.tables import LedgerChange


def expiry_rules(settings: LedgerSettings) -> list[ExpiryRule]:
    """Changes end after `changes_keep_days`."""
    keep = timedelta(days=settings.changes_keep_days)
    return [ExpiryRule("changes of the ledger", LedgerChange, LedgerChange.id, LedgerChange.at, keep)]
