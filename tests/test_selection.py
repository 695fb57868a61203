"""The selection itself: what is quick, what shares a worker."""

import asyncio
import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import coverage
import pytest

from tests.fakes.environment import unmeasured_here
from tests.fakes.statements import Statements
from tests.house import ROOT
from tests.selection import (
    MEASURING,
    TOGETHER,
    UNMEASURED,
    backend,
    mark,
    measured,
    not_quick,
    on_both,
    patient,
    same_without_database,
    scope,
)


def test_files_that_disturb_each_other_are_there_and_share_a_worker() -> None:
    for name, paths in TOGETHER.items():
        for path in paths:
            assert (ROOT / path).exists(), f"{path} has moved: {name} in tests/selection.py"
            assert scope(f"{path}x.py::test" if path.endswith("/") else f"{path}::test[a::b]") == name
    assert scope("tests/health/test_judge.py::test_a[1]") == "tests/health/test_judge.py"


class Item:
    function: Callable[[], object] | None = None

    def __init__(self, nodeid: str, *marks: str, **params: str) -> None:
        self.nodeid = nodeid
        indices = {name: int(value) if value.isdigit() else 0 for name, value in params.items()}
        self.callspec = SimpleNamespace(params=params, indices=indices)
        self.marks = list(marks)

    def iter_markers(self) -> list[Any]:
        return [SimpleNamespace(name=name) for name in self.marks]

    def add_marker(self, marker: pytest.MarkDecorator) -> None:
        self.marks.append(marker.name)


@pytest.mark.parametrize("name", ["browser", "processes", "foreign", "slow"])
def test_whatever_is_not_marked_is_quick(name: str) -> None:
    plain, marked = Item("tests/a.py::test", "parametrize"), Item("tests/e2e/a.py::test", name)
    mark(cast("list[pytest.Item]", [plain, marked]))
    assert "quick" in plain.marks
    assert "quick" not in marked.marks


def test_a_browser_is_never_started_beside_another() -> None:
    with pytest.raises(pytest.UsageError, match=r"tests/a\.py"):
        mark(cast("list[pytest.Item]", [Item("tests/a.py::test", "browser")]))


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (Item("tests/api/test_tours.py::test", database="sqlite"), True),
        (Item("tests/api/test_tours.py::test", database="postgresql"), False),
        (Item("tests/store/test_database.py::test", database="postgresql"), True),
        (Item("tests/relay/test_nal.py::test", "slow"), True),
        (Item("tests/health/test_storms.py::test", "slow", database="sqlite"), False),
        (Item("tests/api/test_scope.py::test", database="sqlite", person="0"), True),
        (Item("tests/api/test_scope.py::test", database="sqlite", person="1"), False),
        (Item("tests/relay/test_nal.py::test", case="1"), True),
        (Item("tests/api/test_fuzz.py::test", database="sqlite"), False),
        (Item("tests/e2e/test_wall.py::test", "browser"), False),
    ],
)
def test_coverage_is_measured_where_it_finds_more(item: Item, expected: bool) -> None:
    assert measured(cast("pytest.Item", item)) is expected


def test_a_test_is_repeated_on_the_second_database_while_it_sends_what_no_earlier_one_of_its_file_has() -> None:
    statements = Statements()

    def run(file: str, test: str, *sent: tuple[str, int], passes: bool = True) -> bool:
        """The test on SQLite; whether it is to be run on PostgreSQL as well."""
        statements.begin(file)
        for statement, rows in sent:
            statements.note(statement, rows)
        if passes:
            statements.passed_on_sqlite(test)
        statements.begin(file)
        return statements.new_on_postgres(test)

    one, other = "SELECT a FROM t WHERE a IN (?, ?)", "SELECT b FROM t"
    assert run("tests/a.py", "first", (one, 1))
    assert not run("tests/a.py", "the same", (one, 1))
    assert not run("tests/a.py", "with other values", ("SELECT a FROM t WHERE a IN (?, ?, ?)", 0))
    assert run("tests/a.py", "in an order", (one, 2))
    assert not run("tests/a.py", "of one row again", (one, 1))
    assert run("tests/a.py", "another one as well", (one, 1), (other, 1))
    assert not run("tests/a.py", "nothing at all")
    assert run("tests/a.py", "that fails", (one, 1), passes=False)
    assert run("tests/b.py", "first", (one, 1), ("INSERT INTO t (a, b) VALUES (?, ?)", 0))
    assert not run("tests/b.py", "several inserted", (one, 1), ("INSERT INTO t (a, b) VALUES (?, ?), (?, ?)", 0))


def test_both_runs_of_a_test_are_known_by_the_same_name() -> None:
    sqlite, postgres = (
        cast("pytest.Item", Item(f"tests/a.py::test[{kind}-sqlite-1]", database=kind))
        for kind in ("sqlite", "postgresql")
    )
    assert same_without_database(sqlite) == same_without_database(postgres) == "tests/a.py::test[-sqlite-1]"
    assert (backend(sqlite), backend(postgres)) == ("sqlite", "postgresql")


def test_what_tells_how_long_something_takes_has_the_machine_s_time() -> None:
    assert not patient("tests/bench/test_wall.py::test_a")
    assert patient("tests/media/test_looks.py::test_a")


def test_what_does_several_things_at_once_is_run_on_both_databases() -> None:
    async def one() -> None:
        await asyncio.sleep(0)

    async def several() -> None:
        await asyncio.gather(one(), one())

    plain, concurrent, store = Item("tests/a.py::test"), Item("tests/a.py::test"), Item("tests/store/a.py::test")
    plain.function, concurrent.function = one, several
    assert [on_both(cast("pytest.Item", item)) for item in (plain, concurrent, store)] == [False, True, True]


@pytest.mark.parametrize("path", [*UNMEASURED, *MEASURING])
def test_what_is_not_measured_or_measures_is_there(path: str) -> None:
    file, _, name = path.partition("::")
    assert (ROOT / file).exists()
    assert not name or f"def {name}" in (ROOT / file).read_text("utf-8")


def test_coverage_is_off_here_and_in_processes_within_and_on_again_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERAGE_TEST", "1")
    measuring = Measuring()
    monkeypatch.setattr(coverage.Coverage, "current", lambda: measuring)
    with unmeasured_here():
        assert (measuring.calls, "COVERAGE_TEST" in os.environ) == (["stop"], False)
    assert (measuring.calls, os.environ["COVERAGE_TEST"]) == (["stop", "start"], "1")


class Measuring:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def stop(self) -> None:
        self.calls.append("stop")

    def start(self) -> None:
        self.calls.append("start")


def test_quick_tests_that_were_not_are_named_longest_first() -> None:
    reports = [SimpleNamespace(nodeid=name, duration=seconds) for name, seconds in (("a", 0.9), ("b", 1.1), ("c", 2.0))]
    first, *rest = not_quick(cast("list[pytest.TestReport]", reports))
    assert first.startswith("2 tests took over 1 s")
    assert [line.split()[-1] for line in rest] == ["c", "b"]
    assert list(not_quick([])) == []
