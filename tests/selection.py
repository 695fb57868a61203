"""Which tests a person runs at every change, and which may run side by side."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

NOT_QUICK = {"browser", "processes", "foreign", "slow"}
"""Whoever has none of these marks is quick (`pytest -m quick`)."""

SECONDS = 1.0
"""A test that takes longer on an idle machine is marked `slow`; `pytest -m quick` names those that are not."""

TOGETHER = {
    # They fill the machine (browsers, whole sites, benches): one at a time.
    "machine": (
        "tests/e2e/",
        "tests/bench/test_relay.py",
        "tests/bench/test_scale.py",
        "tests/bench/test_view.py",
        "tests/relay/test_chromium.py",
        "tests/relay/test_impaired.py",
    ),
    # They read all sources, which are parsed once for them.
    "sources": ("tests/test_house.py", "tests/test_logs.py", "tests/test_sockets.py"),
    # The devices of one would answer the other: there is one WS-Discovery group and port.
    "multicast": ("tests/cameras/test_sweeps.py", "tests/simulator/test_discovery.py"),
}

UNMEASURED = (
    "tests/api/test_fuzz.py",
    "tests/bench/test_scale.py",
    "tests/bench/test_view.py",
    "tests/cameras/test_pull_points.py::test_two_hundred_reconnections",
    "tests/e2e/",
    "tests/health/reports/test_month.py",
    "tests/health/test_clean_hours.py",
    "tests/health/test_kill_notices.py",
    "tests/health/test_recovery.py::test_320_cameras",
    "tests/health/test_schedule.py::test_of_a_thousand_cameras",
    "tests/health/test_storms.py",
    "tests/patrol/test_occurrences.py::test_a_thousand_plans",
    "tests/patrol/test_rollup.py::test_ten_thousand_steps",
    "tests/patrol/test_timetable_model.py",
    "tests/relay/test_hostile_datagrams.py::test_a_thousand_abandoned_offers",
    "tests/relay/test_packets.py::test_pieces_of_nothing",
    "tests/relay/test_soak.py",
    "tests/relay/test_srtp_safety.py::test_a_long_life",
    "tests/test_house.py",
    "tests/test_imports.py",
    "tests/test_sockets.py",
)
"""Files and tests that repeat what others measure (simulations of hours and months, floods, comparisons with a model),
do their work in processes that are not measured, or read sources alone."""

MEASURING = (*TOGETHER["machine"], "tests/bench/", "tests/relay/test_soak.py", "tests/sheets/")
"""Their loops and clocks are the machine's: they tell how long something takes, or browsers and other programs of the
machine's time are their peers."""

SIDE_BY_SIDE = {"TaskGroup", "create_task", "ensure_future", "gather"}
"""A test whose own code names one of these does several things at once: the databases lock in different ways."""


def scope(nodeid: str) -> str:
    """What a worker of `pytest -n` gets as one piece: a file, or files that disturb each other."""
    file = nodeid.partition("::")[0]
    return next((name for name, paths in TOGETHER.items() if file.startswith(paths)), file)


def patient(nodeid: str) -> bool:
    """Whether what the machine withholds does not count as time (tests.fakes.patient_loop)."""
    return not nodeid.startswith(MEASURING)


def mark(items: Iterable[pytest.Item]) -> None:
    for item in items:
        marks = {marker.name for marker in item.iter_markers()}
        if "browser" in marks and scope(item.nodeid) != "machine":
            raise pytest.UsageError(f"{item.nodeid} needs a browser: its file belongs into tests.selection.TOGETHER")
        if not marks & NOT_QUICK:
            item.add_marker(pytest.mark.quick)


def measured(item: pytest.Item) -> bool:
    """Whether coverage is measured while the test runs: not where that costs much and finds nothing more.

    Measuring makes plain Python two to four times as slow. PostgreSQL takes the ways of SQLite again, but in `store`.
    Of a test that uses a database the first parameter set is measured: the others go the same ways through most rooms.
    """
    if item.nodeid.startswith(UNMEASURED):
        return False
    database = backend(item)
    if database is None:
        return True
    if database == "postgresql":
        return item.nodeid.startswith("tests/store/")
    call: Any = getattr(item, "callspec", None)
    return not any(call.indices.values())


def backend(item: pytest.Item) -> str | None:
    """The kind of database that the test uses."""
    call: Any = getattr(item, "callspec", None)
    return call.params.get("database") if call is not None else None


def same_without_database(item: pytest.Item) -> str:
    """What a test's runs on both databases have in common: its name, and in brackets all but the database."""
    return item.nodeid.replace(f"[{backend(item)}", "[", 1)


def on_both(item: pytest.Item) -> bool:
    """Whether the test is run on the second database whatever it sends there."""
    code = getattr(getattr(item, "function", None), "__code__", None)
    names = set(code.co_names) if code is not None else set()
    return item.nodeid.startswith("tests/store/") or bool(names & SIDE_BY_SIDE)


def not_quick(passed: Iterable[pytest.TestReport]) -> Iterator[str]:
    """A line for each call that took too long for the quick selection, longest first."""
    slow = sorted((report for report in passed if report.duration > SECONDS), key=lambda one: -one.duration)
    if slow:
        yield f"{len(slow)} tests took over {SECONDS:g} s; what does so on an idle machine belongs marked `slow`:"
    for report in slow:
        yield f"  {report.duration:5.1f} s  {report.nodeid}"
