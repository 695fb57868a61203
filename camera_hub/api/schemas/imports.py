"""Imports of sheets."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from camera_hub.api.schemas.base import Answer, RequestBody

ImportState = Literal["mapping", "preview", "running", "done"]
RowVerdict = Literal["good", "bad", "same", "done", "staged", "failed"]
FieldKey = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_.]*$")]
"""village, name, host, port, rtsp_port, channel, username, password, main_url, sub_url, place_class, id,
ledger.<key>."""
RowNumber = Annotated[int, Field(ge=1, le=2**31 - 1)]
CellText = Annotated[str, Field(max_length=1000)]


class ImportCountsAnswer(Answer):
    """Rows by verdict; those that are registered already are `changed` (they will be) or `unchanged`."""

    total: int
    good: int
    bad: int
    changed: int
    unchanged: int
    done: int
    failed: int
    staged: int
    approved: int  # of the done ones: in service now
    outside: int  # good ones whose address is public or in none of the village's ranges: to be confirmed


class ImportColumnAnswer(Answer):
    index: int
    header: str
    samples: list[str]  # none of passwords and stream addresses
    field: str | None


class ImportAnswer(Answer):
    """One uploaded sheet. Its rows are judged from the state "preview" on."""

    id: int
    village_id: int | None  # None: the village column of the sheet decides
    name: str
    state: ImportState
    sheets: list[str]
    sheet: str
    header_row: int  # 0: not known
    columns: list[ImportColumnAnswer]
    counts: ImportCountsAnswer
    job_id: str | None
    created_at: datetime
    user: str
    on_behalf: bool
    remembered: bool  # whether somebody has mapped these headers, now or before


class ImportFieldAnswer(Answer):
    """What a column may stand for."""

    key: str
    header: str  # in Chinese, as our own sheets have it
    english: str
    kind: str  # of ledger fields: text, code, number, date, phone …
    choices: list[str]  # words in Chinese, where there is a list of them


class RowProblemAnswer(Answer):
    """A `note` keeps no row out."""

    field: str  # "": the whole row
    note: bool = False
    reason: str
    params: dict[str, Any]


class RowChangeAnswer(Answer):
    """What a row changes of a registered camera; codes, not words."""

    field: str
    before: str
    after: str


class ImportRowAnswer(Answer):
    """One row. `values` never has a password, and of stream addresses what cannot be a login."""

    number: int  # in the sheet, from 1
    village_id: int | None
    values: dict[str, str]
    has_password: bool
    verdict: RowVerdict
    problems: list[RowProblemAnswer]
    changes: list[RowChangeAnswer]
    device_id: int | None
    camera_id: int | None
    candidate_id: int | None


class ImportRowsAnswer(Answer):
    rows: list[ImportRowAnswer]
    counts: ImportCountsAnswer


class MappedColumn(RequestBody):
    index: int = Field(ge=0, le=1000)
    field: FieldKey | None


class NewMapping(RequestBody):
    """Which row of which sheet has the headers (None: it is searched), and what each column stands for (None: as after
    an upload, by what was set before or by the headers)."""

    sheet: str = Field(min_length=1, max_length=64)
    header_row: RowNumber | None
    columns: Annotated[list[MappedColumn], Field(max_length=200)] | None


class ChangeRow(RequestBody):
    """Values of a row, typed anew; those that are not named stay."""

    values: dict[Annotated[str, Field(max_length=64)], CellText] = Field(min_length=1, max_length=200)


class StartImport(RequestBody):
    """`good`: rows that are good, and changes of registered cameras. `failed`: what failed, or waits in the inbox."""

    only: Literal["good", "failed"] = "good"
    approve: bool = True  # with the run, if the user may approve; else what comes in waits in the inbox
    outside: bool = False  # also good rows whose address is public or in none of the village's ranges


class RunStarted(Answer):
    job_id: str
