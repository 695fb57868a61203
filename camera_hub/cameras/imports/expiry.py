"""How long imports are kept."""

from datetime import timedelta

from camera_hub.settings import SheetSettings
from camera_hub.store.retention import ExpiryRule
from camera_hub.store.tables import SheetImport, SheetMapping

_MAPPINGS = timedelta(days=3 * 365)
"""How headers were mapped is kept from one yearly sheet to the next."""


def import_expiry_rules(settings: SheetSettings) -> list[ExpiryRule]:
    """Imports end with their rows, whatever became of them; what they brought in stays."""
    keep = timedelta(days=settings.keep_days)
    return [
        ExpiryRule("imports", SheetImport, SheetImport.id, SheetImport.created_at, keep),
        ExpiryRule("mappings of headers", SheetMapping, SheetMapping.id, SheetMapping.used_at, _MAPPINGS),
    ]
