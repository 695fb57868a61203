"""The selection itself: what is quick, what shares a worker."""

import os
from types import SimpleNamespace
from typing import Any, cast

import coverage
import pytest

from tests.fakes.environment import unmeasured_here
from tests.house import ROOT
from tests.selection import FIRST_MEASURED, TOGETHER, UNMEASURED, mark, measured, not_quick, scope


def test_files_that_disturb_each_other_are_there_and_share_a_worker() -> None:
    for name, paths in TOGETHER.items():
        for path in paths:
            assert (ROOT / path).exists(), f"{path} has moved: {name} in tests/selection.py"
            assert scope(f"{path}x.py::test" if path.endswith("/") else f"{path}::test[a::b]") == name
    assert scope("tests/health/test_judge.py::test_a[1]") == "tests/health/test_judge.py"


class Item:
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
        (Item("tests/api/test_tours.py::test", database="sqlite", person="1"), True),
        (Item("tests/api/test_fuzz.py::test", database="sqlite"), False),
        (Item("tests/e2e/test_wall.py::test", "browser"), False),
    ],
)
def test_coverage_is_measured_where_it_finds_more(item: Item, expected: bool) -> None:
    assert measured(cast("pytest.Item", item)) is expected


def test_unmeasured_files_are_there() -> None:
    assert [path for path in UNMEASURED + FIRST_MEASURED if not (ROOT / path).exists()] == []


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
