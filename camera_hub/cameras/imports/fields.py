"""All fields that a column may stand for: those of the register, and those of the ledger that people may set."""

from camera_hub.cameras.imports.columns import LEDGER, REGISTER_FIELDS, HeaderTable, ImportField
from camera_hub.cameras.ledger.fields import FIELDS

LEDGER_FIELDS = tuple(ImportField(f"{LEDGER}{one.key}", one.header, one.aliases) for one in FIELDS if one.settable)
IMPORT_FIELDS = (*REGISTER_FIELDS, *LEDGER_FIELDS)
TABLE = HeaderTable.of(IMPORT_FIELDS)
"""Headers of sheets → fields."""
