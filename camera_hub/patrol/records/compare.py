"""What differs between the sealed record of a patrol and its rows as they are now. Pure.

A row is named as people know it (a step, the result of a camera at a stop), a changed value by its column and, within a
JSON column, by its place ("itinerary[3].name"). Columns and tables that came later than the seal are not compared.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from camera_hub.access.audit.canonical import Json, canonical
from camera_hub.patrol.records.content import Content, Row

MOST_CHARACTERS = 60
"""Of a value that is told."""


@dataclass(frozen=True, slots=True)
class RowDifference:
    """One difference. `what`: changed, deleted or inserted; `position` and `camera_id` of the row, where it has them;
    `label`: the row as people know it. For `changed`: the field, and both values as text."""

    what: str
    table: str
    row_id: int
    label: str
    position: int | None = None
    camera_id: int | None = None
    field: str = ""
    was: str = ""
    now: str = ""

    @property
    def words(self) -> str:
        """An English sentence without its end."""
        if self.what == "changed":
            return f"{self.label}: {self.field} was {self.was}, is now {self.now}"
        return f"{self.label} was {self.what}"


def differences(sealed: Content, present: Content) -> list[RowDifference]:
    """All of them, table by table, in the order of the rows' ids."""
    names = camera_names(sealed)
    steps = {_number(row, "id"): row for row in sealed.get("run_steps", ())}
    found: list[RowDifference] = []
    for table, rows in sealed.items():
        if table not in present:
            continue
        before = {_number(row, "id"): row for row in rows}
        after = {_number(row, "id"): row for row in present[table]}
        for row_id in sorted(before.keys() | after.keys()):
            row = before.get(row_id) or after[row_id]
            named = _named(table, row, row_id, names, steps)
            if row_id not in after:
                found.append(RowDifference("deleted", *named))
            elif row_id not in before:
                found.append(RowDifference("inserted", *named))
            else:
                for place, was, now in _changes(before[row_id], after[row_id]):
                    found.append(RowDifference("changed", *named, place, _short(was), _short(now)))
    return found


def camera_names(content: Content) -> Mapping[int, str]:
    """The cameras of a sealed record by the names that they had at its start."""
    runs = content.get("runs", ())
    itinerary = runs[0].get("itinerary") if runs else None
    names: dict[int, str] = {}
    for stop in itinerary if isinstance(itinerary, Sequence) else ():
        cameras = stop.get("cameras") if isinstance(stop, Mapping) else None
        for camera in cameras if isinstance(cameras, Sequence) else ():
            if isinstance(camera, Mapping) and isinstance(camera.get("id"), int):
                names[_number(camera, "id")] = f"{camera.get('village')} {camera.get('name')}".strip()
    return names


def _named(
    table: str, row: Row, row_id: int, names: Mapping[int, str], steps: Mapping[int, Row]
) -> tuple[str, int, str, int | None, int | None]:
    """Table, row, label, position and camera of a row."""
    position, camera = _optional(row, "position"), _optional(row, "camera_id")
    stop = f"stop {position + 1}" if position is not None else "the patrol"
    who = names.get(camera, f"camera #{camera}") if camera is not None else ""
    label = f"{table} {row_id}"
    if table == "runs":
        return table, row_id, f"the patrol “{row.get('tour_name')}”", None, None
    if table == "run_steps":
        label = f"step {_number(row, 'sequence') + 1} ({stop}, {row.get('name')})"
    elif table == "run_step_cameras":
        step = steps.get(_number(row, "step_id"), {})
        position = _optional(step, "position")
        label = f"{who} in step {_number(step, 'sequence') + 1}"
    elif table == "run_results":
        label = f"the result of {who} at {stop}"
    elif table == "findings":
        label = f"finding {row_id} ({who}, {stop})"
    elif table == "run_events":
        label = f"event {row_id} ({row.get('kind')})"
    return table, row_id, label, position, camera


def _changes(before: Row, after: Row) -> Iterator[tuple[str, Json, Json]]:
    for name, was in before.items():
        if name in after:
            yield from _within(name, was, after[name])


def _within(place: str, was: Json, now: Json) -> Iterator[tuple[str, Json, Json]]:
    if was is now or canonical(was) == canonical(now):
        return
    if isinstance(was, Mapping) and isinstance(now, Mapping) and was.keys() == now.keys():
        for key in was:
            yield from _within(f"{place}.{key}", was[key], now[key])
        return
    ones, others = _items(was), _items(now)
    if ones and others and len(ones) == len(others):
        for number, (one, other) in enumerate(zip(ones, others, strict=True)):
            yield from _within(f"{place}[{number}]", one, other)
    else:
        yield place, was, now


def _items(value: Json) -> Sequence[Json]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def _short(value: Json) -> str:
    text = canonical(value).decode()
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"


def _number(row: Mapping[str, Json], name: str) -> int:
    value = row.get(name)
    return value if isinstance(value, int) else -1


def _optional(row: Mapping[str, Json], name: str) -> int | None:
    value = row.get(name)
    return value if isinstance(value, int) else None
