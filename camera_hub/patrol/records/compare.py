"""What differs between the sealed record of a patrol and its rows as they are now. Pure.

A row is named as people know it (a step, the result of a camera at a stop), a changed value by what its column is
called and, within a JSON column, by its place ("itinerary[3].name"). Columns and tables that came later than the seal
are not compared.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from camera_hub.access.audit.canonical import Json, canonical
from camera_hub.patrol.records.content import Content, Row, StoredRows
from camera_hub.patrol.records.field_words import field_words, verb
from camera_hub.patrol.records.sheet_words import (
    EVENT_WORDS,
    UNREADABLE,
    RecordWords,
    confirmed_text,
    iso_text,
    text_in,
    value_text,
)
from camera_hub.store.tables.readable import Unreadable

MOST_UNREADABLE = 20
"""Values of a record that are named one by one."""
MOST_CHARACTERS = 60
"""Of a value that is told."""


@dataclass(frozen=True, slots=True)
class RowDifference:
    """One difference. `what`: changed, unreadable (changed to what nobody can read), deleted or inserted; `row`: it as
    it was sealed (inserted: as it is); `position`, `camera_id` and `camera` (its name) of the row, where it has them.
    For `changed`: the place of the value (its column, and where in it), and what it was and is; for `unreadable` its
    column, and what it was, None where nobody knows."""

    what: str
    table: str
    row_id: int
    row: Row
    position: int | None = None
    camera_id: int | None = None
    camera: str = ""
    step: int | None = None
    field: str = ""
    was: Json = None
    now: Json = None

    def sentence(self, words: RecordWords) -> str:
        """It in words, without a full stop: what of which row, what it was and is."""
        say, row = words.say, self._row(words)
        if self.what == "deleted":
            return say(f"{row}在封存后被删除", f"{row} was deleted after sealing")
        if self.what == "inserted":
            return say(f"{row}是封存后插入的", f"{row} was inserted after sealing")
        column = self.field.split(".")[0].split("[")[0]
        named = column if column == self.field else ""
        zh, en = field_words(self.table, self.field)
        if self.what == "unreadable":
            return say(f"{row}的{zh}无法读取：被改成了无效内容", f"{en} of {row} cannot be read: it was made invalid")
        was, now = (value_words(named, one, words) for one in (self.was, self.now))
        return say(
            f"{row}的{zh}在封存后被改动：原为 {was}，现为 {now}",
            f"{en} of {row} {verb(en)} changed after sealing: was {was}, is now {now}",
        )

    def _row(self, words: RecordWords) -> str:
        """The row as people know it."""
        say, row, step = words.say, self.row, (self.step or 0) + 1
        stop = "" if self.position is None else say(f"第 {self.position + 1} 站", f"stop {self.position + 1}")
        at = say(f"{stop} {self.camera}", f"{self.camera} at {stop}") if self.camera else stop
        match self.table:
            case "runs":
                return say("本次巡查", "this patrol")
            case "run_steps":
                name = text_in(row, "name")
                return say(f"{stop}（{name}，第 {step} 步）", f"{stop} ({name}, step {step})")
            case "run_step_cameras":
                return say(f"第 {step} 步 {at}", f"{at} in step {step}")
            case "run_results":
                if self.what in ("changed", "unreadable"):
                    return at
                by = confirmed_text(row, words)
                return say(f"{at}的结果{by}", f"the result of {at}{by}")
            case "findings":
                said = (
                    []
                    if self.what in ("changed", "unreadable")
                    else [text_in(row, "user_name"), told(row.get("words"))]
                )
                text = say("，", ", ").join(filter(None, [at, *said]))
                return say(f"发现问题 {self.row_id}（{text}）", f"finding {self.row_id} ({text})")
            case "run_events":
                who = text_in(row, "user_name") or say("平台", "hub")
                parts = [words.of(EVENT_WORDS, text_in(row, "kind")), who, iso_text(row.get("at"), words)]
                text = say("，", ", ").join(parts)
                return say(f"经过 {self.row_id}（{text}）", f"event {self.row_id} ({text})")
        return f"{self.table} {self.row_id}"


def value_words(column: str, value: Json, words: RecordWords) -> str:
    """A value that was changed, as people read it; `column`: "" within a JSON column."""
    if isinstance(value, Unreadable):
        return words.say(*UNREADABLE)
    return words.say("空", "empty") if value == "" else value_text(column, value, words) or told(value)


def differences(sealed: Content, present: Content) -> list[RowDifference]:
    """All of them, table by table, in the order of the rows' ids."""
    names = camera_names(sealed)
    steps = {_number(row, "id"): row for row in [*present.get("run_steps", ()), *sealed.get("run_steps", ())]}
    found: list[RowDifference] = []
    for table, rows in sealed.items():
        if table not in present:
            continue
        before = {_number(row, "id"): row for row in rows}
        after = {_number(row, "id"): row for row in present[table]}
        for row_id in sorted(before.keys() | after.keys()):
            row = before.get(row_id) or after[row_id]
            step = steps.get(_number(row, "step_id"), {}) if table == "run_step_cameras" else row
            position, camera = _optional(step, "position"), _optional(row, "camera_id")
            who = "" if camera is None else names.get(camera, f"#{camera}")
            named = (table, row_id, row, position, camera, who, _optional(step, "sequence"))
            if row_id not in after:
                found.append(RowDifference("deleted", *named))
            elif row_id not in before:
                found.append(RowDifference("inserted", *named))
            else:
                for place, was, now in _changes(before[row_id], after[row_id]):
                    what = "unreadable" if isinstance(now, Unreadable) else "changed"
                    found.append(RowDifference(what, *named, place, was, now))
    return found


def unreadable_values(stored: StoredRows) -> list[RowDifference]:
    """What cannot be read of the rows as they are now, whatever was sealed."""
    names = camera_names(stored.content)
    steps = {_number(row, "id"): row for row in stored.content.get("run_steps", ())}
    found: list[RowDifference] = []
    for one in stored.unreadable:
        row = one.row
        step = steps.get(_number(row, "step_id"), {}) if one.table == "run_step_cameras" else row
        position, camera = _optional(step, "position"), _optional(row, "camera_id")
        who = "" if camera is None else names.get(camera, f"#{camera}")
        place = (position, camera, who, _optional(step, "sequence"))
        found.append(RowDifference("unreadable", one.table, _number(row, "id"), row, *place, one.column))
    return found


def unreadable_text(values: Sequence[RowDifference], words: RecordWords) -> str:
    """Several of them in one text, the first of many."""
    told = words.say("；", "; ").join(one.sentence(words) for one in values[:MOST_UNREADABLE])
    more = len(values) - MOST_UNREADABLE
    return told + words.say(f"；另有 {more} 处", f"; {more} more") if more > 0 else told


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


def _changes(before: Row, after: Row) -> Iterator[tuple[str, Json, Json]]:
    for name, was in before.items():
        if name in after:
            yield from _within(name, was, after[name])


def _within(place: str, was: Json, now: Json) -> Iterator[tuple[str, Json, Json]]:
    if isinstance(now, Unreadable):
        yield place, was, now
        return
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


def told(value: Json) -> str:
    """A value as it is told: a text in quotation marks, anything else as JSON."""
    return f"“{shortened(value)}”" if isinstance(value, str) else shortened(canonical(value).decode())


def shortened(text: str) -> str:
    """The beginning of a long text."""
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"


def _number(row: Mapping[str, Json], name: str) -> int:
    value = row.get(name)
    return value if isinstance(value, int) else -1


def _optional(row: Mapping[str, Json], name: str) -> int | None:
    value = row.get(name)
    return value if isinstance(value, int) else None
