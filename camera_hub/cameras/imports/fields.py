"""All fields that a column may stand for: those of the register, and those of the ledger that people may set."""

from dataclasses import dataclass

from camera_hub.cameras.imports.columns import LEDGER, REGISTER_FIELDS, HeaderTable, ImportField
from camera_hub.cameras.imports.place_words import PLACE_WORDS
from camera_hub.cameras.ledger.fields import FIELDS

_ENGLISH = {
    "village": "village",
    "name": "name",
    "host": "address",
    "port": "port",
    "rtsp_port": "RTSP port",
    "channel": "channel",
    "username": "user name",
    "password": "password",
    "main_url": "main stream",
    "sub_url": "sub stream",
    "place_class": "place class",
    "id": "number in this system",
}

LEDGER_FIELDS = tuple(ImportField(f"{LEDGER}{one.key}", one.header, one.aliases) for one in FIELDS if one.settable)
IMPORT_FIELDS = (*REGISTER_FIELDS, *LEDGER_FIELDS)
TABLE = HeaderTable.of(IMPORT_FIELDS)
"""Headers of sheets → fields."""


@dataclass(frozen=True, slots=True)
class DescribedField:
    """A field for those who map columns: its names, and the words that it takes (Chinese)."""

    key: str
    header: str
    english: str
    kind: str = "text"
    choices: tuple[str, ...] = ()


def described_fields() -> list[DescribedField]:
    """All fields, in the order of the template."""
    fields = [DescribedField(one.key, one.header, _ENGLISH[one.key], *_kind_of(one.key)) for one in REGISTER_FIELDS]
    for one in FIELDS:
        if one.settable:
            words = tuple(word.zh for word in one.codes.values())
            fields.append(DescribedField(f"{LEDGER}{one.key}", one.header, one.english, one.kind, words))
    return fields


def _kind_of(key: str) -> tuple[str, tuple[str, ...]]:
    if key == "place_class":
        return "code", tuple(PLACE_WORDS.values())
    return ("number" if key in ("port", "rtsp_port", "channel", "id") else "text"), ()
