"""The verdict of each row, and a reason for each thing that is wrong with it: by itself, against the other rows of the
sheet, and against what is registered. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from camera_hub.cameras import urls
from camera_hub.cameras.addresses import NO_HOST
from camera_hub.cameras.identity import same_stream
from camera_hub.cameras.imports.columns import LEDGER
from camera_hub.cameras.imports.known import KnownPlaces, ListedCamera
from camera_hub.cameras.imports.values import ParsedRow, Problem, RowValues, parsed
from camera_hub.cameras.reach import canonical
from camera_hub.errors import HubError, Param, Reason

_USUAL_PORT = 80
_IDS = "ledger.gb_id"


@dataclass(frozen=True, slots=True)
class RowChange:
    """What a row changes of a registered camera, as texts."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """A row and its verdict: "good" will be registered, "same" is registered (`changes`: what is different), "bad"
    has problems that are no notes. `village_id`: None where it is not known."""

    row: ParsedRow
    verdict: str
    village_id: int | None = None
    camera: ListedCamera | None = None
    problems: Sequence[Problem] = ()
    changes: Sequence[RowChange] = ()


@dataclass(slots=True)
class _Draft:
    row: ParsedRow
    problems: list[Problem]
    village_id: int | None = None
    camera: ListedCamera | None = None
    changes: list[RowChange] = field(default_factory=list)

    def wrong(self, field_: str, reason: str, /, **params: Param) -> None:
        self.problems.append(Problem(field_, reason, params))

    def note(self, field_: str, reason: str, /, **params: Param) -> None:
        self.problems.append(Problem(field_, reason, params, note=True))


def judged(rows: Sequence[RowValues], known: KnownPlaces) -> list[JudgedRow]:
    """All rows of one sheet together."""
    drafts = [_Draft(*parsed(row)) for row in rows]
    for draft in drafts:
        _village(draft, known)
        _camera(draft, known)
        _needed(draft)
        _reachable(draft, known)
        _coordinates(draft)
    _doubles(drafts)
    _logins(drafts)
    for draft in drafts:
        _registered(draft, known)
        _gb_id_taken(draft, known)
    return [_verdict(draft) for draft in drafts]


def _village(draft: _Draft, known: KnownPlaces) -> None:
    text = draft.row.village
    if not text:
        draft.village_id = known.village_id
        if draft.village_id is None and draft.row.camera_id is None:
            draft.wrong("village", Reason.ROW_VILLAGE_MISSING)
        return
    found = known.village_named(text)
    if found is None and not known.bound:
        draft.wrong("village", Reason.ROW_VILLAGE_UNKNOWN, village=text[:64])
    elif found is None or (known.village_id is not None and found != known.village_id):
        # Who is bound to villages is told no more than this of any other, whether it exists or not.
        draft.wrong("village", Reason.ROW_OTHER_VILLAGE, village=text[:64])
    else:
        draft.village_id = found


def _camera(draft: _Draft, known: KnownPlaces) -> None:
    """The camera whose number the row carries."""
    row = draft.row
    if row.camera_id is None:
        return
    camera = known.by_id.get(row.camera_id)
    if camera is None or (known.village_id is not None and camera.village_id != known.village_id):
        draft.wrong("id", Reason.ROW_CAMERA_UNKNOWN)
        return
    draft.camera = camera
    if draft.village_id is None and not row.village:
        draft.village_id = camera.village_id
    if draft.village_id is not None and draft.village_id != camera.village_id:
        draft.wrong("village", Reason.ROW_VILLAGE_FIXED)
    elif row.host and (row.host != camera.host or (row.port is not None and row.port not in camera.ports)):
        draft.wrong("host", Reason.ROW_ADDRESS_FIXED, address=camera.host)
    elif row.channel is not None and camera.number is not None and row.channel != camera.number:
        draft.wrong("channel", Reason.ROW_ADDRESS_FIXED, address=camera.host)


def _needed(draft: _Draft) -> None:
    row, wrong = draft.row, {problem.field for problem in draft.problems if not problem.note}
    if row.camera_id is not None:
        return
    if not row.name and "name" not in wrong:
        draft.wrong("name", Reason.ROW_NAME_MISSING)
    if row.unconnected:
        draft.note("host", Reason.ROW_UNCONNECTED)
    elif not row.host and not wrong & {"host", "main_url"}:
        draft.wrong("host", Reason.ROW_ADDRESS_MISSING)
    for name, url in (("main_url", row.main_url), ("sub_url", row.sub_url)):
        if url and row.host and urls.known(url).host != row.host:
            draft.wrong(name, Reason.ROW_URL_ELSEWHERE, address=row.host)
    if row.sub_url and not row.main_url and "main_url" not in wrong:
        draft.wrong("main_url", Reason.ROW_MAIN_URL_MISSING)


def _reachable(draft: _Draft, known: KnownPlaces) -> None:
    """Whether the hub may connect there. A name is decided about when it has been resolved."""
    row = draft.row
    if draft.village_id is None or draft.camera is not None or not row.host or canonical(row.host) is None:
        return
    ports = {row.port or _USUAL_PORT, *([row.rtsp_port] if row.rtsp_port else ())}
    if row.main_url:
        ports = {urls.known(row.main_url).port}
    try:
        for port in ports:
            known.check(draft.village_id)(row.host, port)
    except HubError as error:
        draft.wrong("host", error.reason, **error.explanation.params)
        return
    if (reason := known.outside(draft.village_id, row.host)) is not None:
        village = known.villages.get(draft.village_id, "")
        draft.note("main_url" if row.main_url else "host", reason, address=row.host, village=village)


def _coordinates(draft: _Draft) -> None:
    """Half a position is none."""
    ledger, wrong = draft.row.ledger, {problem.field for problem in draft.problems}
    for name, other in (("longitude", "latitude"), ("latitude", "longitude")):
        if ledger.get(name) and not ledger.get(other) and not {f"{LEDGER}{name}", f"{LEDGER}{other}"} & wrong:
            draft.wrong(f"{LEDGER}{other}", Reason.ROW_COORDINATE_MISSING)


def _doubles(drafts: Sequence[_Draft]) -> None:
    """Rows that are one camera: the first has it, the others are told where it is."""
    seen: dict[object, int] = {}
    for draft in drafts:
        row = draft.row
        village = draft.village_id
        keys: list[tuple[str, object]] = []
        if row.camera_id is not None:
            keys.append(("id", ("id", row.camera_id)))
        elif row.main_url:
            url = row.main_url.partition("://")[2].replace(":554/", "/", 1)
            keys.append(("main_url", ("url", village, url)))
        elif row.host and village is not None:
            several = "channel" if row.channel is not None else "host"
            keys.append((several, ("place", village, row.host, row.port, row.channel)))
        elif row.unconnected:
            keys.append(("name", ("unconnected", village, row.name)))
        if row.ledger.get("gb_id"):
            keys.append((_IDS, ("gb_id", row.ledger["gb_id"])))
        for name, key in keys:
            first = seen.setdefault(key, row.number)
            if first != row.number:
                draft.wrong(name, Reason.ROW_GB_ID_DOUBLE if name == _IDS else Reason.ROW_DOUBLE, row=first)


def _logins(drafts: Sequence[_Draft]) -> None:
    """One device has one ordinary login; rows without one take it from the others."""
    first: dict[object, ParsedRow] = {}
    for draft in drafts:
        row = draft.row
        if draft.camera is not None or not row.username or not row.host or draft.village_id is None:
            continue
        told = first.setdefault((draft.village_id, *row.place), row)
        if (told.username, told.password) != (row.username, row.password):
            name = "username" if told.username != row.username else "password"
            draft.wrong(name, Reason.ROW_LOGIN_CONFLICT, row=told.number)


def _registered(draft: _Draft, known: KnownPlaces) -> None:
    """Whether the row's camera is registered: by its number, or at the same place under the same name."""
    row = draft.row
    if draft.camera is None and draft.village_id is not None and row.host:
        found = _at_its_place(row, known.at(draft.village_id, row.host))
        if found is not None and found.name == row.name:
            draft.camera = found
        elif found is not None:
            draft.wrong("main_url" if row.main_url else "host", Reason.ROW_REGISTERED, name=found.name, id=found.id)
    elif draft.camera is None and draft.village_id is not None and row.unconnected:
        there = known.at(draft.village_id, NO_HOST)
        draft.camera = next((one for one in there if one.name == row.name), None)
    if draft.camera is not None and known.changes:
        draft.changes = _changes(row, draft.camera)


def _at_its_place(row: ParsedRow, there: Sequence[ListedCamera]) -> ListedCamera | None:
    if row.main_url:
        return next((one for one in there if one.main_url and same_stream(one.main_url, row.main_url)), None)
    fit = [one for one in there if row.port is None or not one.ports or row.port in one.ports]
    if row.channel is None:
        return fit[0] if len(fit) == 1 and not fit[0].of_recorder else None
    return next((one for one in fit if one.number == row.channel), None)


def _changes(row: ParsedRow, camera: ListedCamera) -> list[RowChange]:
    changes = []
    if row.name and row.name != camera.name:
        changes.append(RowChange("name", camera.name, row.name))
    if row.place_class is not None and row.place_class != camera.place_class:
        changes.append(RowChange("place_class", camera.place_class, row.place_class))
    for key, value in row.ledger.items():
        if value != camera.ledger.get(key, ""):
            changes.append(RowChange(f"{LEDGER}{key}", camera.ledger.get(key, ""), value))
    return changes


def _gb_id_taken(draft: _Draft, known: KnownPlaces) -> None:
    gb_id = draft.row.ledger.get("gb_id", "") if draft.village_id is not None else ""
    holder = known.gb_ids.get(gb_id) if gb_id else None
    if holder is not None and (draft.camera is None or draft.camera.id != holder):
        named = known.by_id.get(holder)
        draft.wrong(_IDS, Reason.VALUE_GB_ID_TAKEN, **({"name": named.name} if named is not None else {}))


def _verdict(draft: _Draft) -> JudgedRow:
    verdict = "bad" if any(not one.note for one in draft.problems) else "same" if draft.camera is not None else "good"
    return JudgedRow(draft.row, verdict, draft.village_id, draft.camera, tuple(draft.problems), tuple(draft.changes))
