"""Fixtures that every room's tests share."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from contextlib import AsyncExitStack, nullcontext
from typing import Any

import hypothesis
import pytest
from sqlalchemy import QueuePool
from xdist.scheduler import LoadScopeScheduling

from camera_hub.clock import SystemClock
from camera_hub.events import EventBus
from camera_hub.media.child_process import Spawn, spawn_process
from camera_hub.simulator.clock import SystemClock as SimulatorClock
from camera_hub.store.database import Database
from tests.fakes.clock import ManualClock
from tests.fakes.databases import Databases, quick_folder
from tests.fakes.dialects import share_compiled_statements
from tests.fakes.environment import unmeasured_here
from tests.fakes.in_process import in_this_process
from tests.fakes.patient_loop import TIME, PatientLoop
from tests.fakes.statements import STATEMENTS
from tests.selection import TOGETHER, backend, mark, measured, not_quick, on_both, patient, same_without_database, scope

# A million objects come to stay while files are imported: looking for garbage among them takes a sixth of that time.
gc.disable()

# What lands is judged by the same examples each time, and by what they find, never by how long a busy machine takes;
# with CAMERA_HUB_LONG hypothesis goes on looking for new ones.
hypothesis.settings.register_profile(
    "house",
    derandomize=not os.environ.get("CAMERA_HUB_LONG"),
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("house")

share_compiled_statements()

POSTGRES = os.environ.get("CAMERA_HUB_TEST_POSTGRES", "")
"""URL of a database that may be emptied, e.g. postgresql+psycopg://hub@127.0.0.1:5432/hub_test. Empty: SQLite alone."""

LONG = bool(os.environ.get("CAMERA_HUB_LONG"))
"""Every test that uses a database is run on each, whatever it sends."""

_set_up: set[tuple[str, frozenset[str]]] = set()
"""The fixtures that were measured, by file."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mark(items)
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: scope(item.nodeid) not in TOGETHER)  # the longest pieces first


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """With `-n`: a file's tests go to one worker, and so do those of several files that disturb each other."""

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    config.option.loadscopereorder = False  # as collected: what takes longest comes first
    return Scheduling(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """With `-m quick`: name the tests that were not."""
    if config.option.markexpr != "quick":
        return
    for line in not_quick(terminalreporter.stats.get("passed", [])):
        terminalreporter.write_line(line)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    STATEMENTS.begin(item.nodeid.partition("::")[0])
    with nullcontext() if measured(item) else unmeasured_here():
        return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Skip what would be a mere repetition on PostgreSQL, and measure what a file's fixtures do once."""
    repeats = backend(item) == "postgresql" and not STATEMENTS.new_on_postgres(same_without_database(item))
    if repeats and not (LONG or on_both(item)):
        pytest.skip("sends PostgreSQL what earlier tests of its file have sent")
    fixtures = (item.nodeid.partition("::")[0], frozenset(getattr(item, "fixturenames", ())))
    first = fixtures not in _set_up
    _set_up.add(fixtures)
    with nullcontext() if first else unmeasured_here():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" and report.passed and backend(item) == "sqlite":
        STATEMENTS.passed_on_sqlite(same_without_database(item))
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"loop": PatientLoop if patient(item.nodeid) else asyncio.SelectorEventLoop}


@pytest.fixture(scope="module", autouse=True)
def own_time_and_garbage(request: pytest.FixtureRequest) -> Iterator[None]:
    """The machine's clocks go with the loop's. And what a file's tests leave to be collected (connections, processes,
    tasks) is noticed at its end in each run, not by whichever test of another file happens to run then."""
    with pytest.MonkeyPatch.context() as patch:
        if patient(request.node.nodeid):
            for clock in (SystemClock, SimulatorClock):
                patch.setattr(clock, "monotonic", lambda _: TIME.monotonic())
        yield
    if request.config.option.markexpr != "quick":  # it takes a sixth of that selection's time
        gc.collect()


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    with quick_folder() as folder:
        yield Databases(folder)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test that uses a database runs on each backend that is there, unless it is marked `one_database`."""
    if "database" in metafunc.fixturenames:
        one = metafunc.definition.get_closest_marker("one_database") is not None
        backends = ["sqlite", *(["postgresql"] if POSTGRES and not one else [])]
        metafunc.parametrize("database", backends, indirect=True)


@pytest.fixture
async def database(request: pytest.FixtureRequest, databases: Databases) -> AsyncIterator[Database]:
    """A real, migrated, empty database. Whoever still reads or writes when it is closed is an error of this test: the
    connection would be noticed by a later one, whenever garbage is collected."""
    async with AsyncExitStack() as stack:
        if request.param == "sqlite":
            url = await stack.enter_async_context(databases.sqlite())
        else:
            url = await databases.postgres(POSTGRES, os.environ.get("PYTEST_XDIST_WORKER", "gw0"))
        opened = await stack.enter_async_context(Database(url))
        yield opened
        pool = opened.engine.pool
    assert isinstance(pool, QueuePool)
    assert pool.checkedout() == 0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def bus() -> EventBus:
    asyncio.get_running_loop()
    return EventBus()


@pytest.fixture
def spawn(request: pytest.FixtureRequest) -> Spawn:
    """How relays and eyes are started: inside this process, or as ever for a test that is marked `processes`."""
    return spawn_process if request.node.get_closest_marker("processes") else in_this_process
