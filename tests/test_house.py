"""Rules of the house that no linter knows."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from sqlalchemy import Column, String
from sqlalchemy.types import TypeDecorator, TypeEngine

from camera_hub.errors import LONGEST_REASON, Kind, Reason
from camera_hub.peculiarity_kinds import PeculiarityKind
from camera_hub.store.tables import Base
from tests.house import MODULES, PACKAGE, ROOT, WEB, classes, is_protocol, real_sleeps, retry_loops, room, size, trees

MOST_ARGUMENTS, MOST_METHODS = 7, 12
LARGER = {
    # class: (constructor arguments, public methods). Numbers go down only; a line whose class has become small goes.
    "media/feeds/desired_state.py:DesiredFeeds": (2, 14),
    "relay/fanout/batch.py:BatchStream": (8, 1),
    "relay/fanout/in_step.py:InStepMember": (8, 1),
    "relay/peer/track.py:Track": (5, 20),
    "relay/rtsp_server/player.py:Player": (4, 13),
}
"""Classes that are more than the measure."""

TOOLS = {"simulator", "bench", "demo"}
PROCESSES = {"relay", "eye", "sight"}
"""Rooms that run in processes of their own: a relay's Viewer may be called so beside the hub's."""

SAME_THING = {
    "VillageGrant": "access's, and its JSON",
}
RETRIES = {
    "running.py:keep_running",  # the one
    "media/relays/watchdog.py:_pulses",  # asks once a second for ever, whatever was answered: a pulse has no retry
    "bench/foreign.py:answers",  # whether a foreign server has opened its port yet, within a deadline
}
CLOCKS = {"clock.py", "simulator/clock.py"}


@cache
def named() -> dict[str, ast.Module]:
    return {str(path.relative_to(PACKAGE)): tree for path, tree in trees().items()}


def test_classes_are_given_and_offer_no_more_than_can_be_kept_in_mind() -> None:
    assert len(MODULES) > 50
    assert len(WEB) > 20
    measured = {
        f"{path}:{node.name}": (found.arguments, found.methods)
        for path, tree in named().items()
        if room(PACKAGE / path) not in TOOLS and not path.startswith(("store/tables", "api/schemas"))
        for node in classes(tree)
        if not is_protocol(node)
        for found in [size(node)]
    }
    large = {
        name: found
        for name, found in measured.items()
        if found[0] > MOST_ARGUMENTS or found[1] > MOST_METHODS
        if name not in LARGER or found[0] > LARGER[name][0] or found[1] > LARGER[name][1]
    }
    assert large == {}, "split it, or say here why it is more (constructor arguments, public methods)"
    small = [
        name
        for name in LARGER
        if name not in measured or (measured[name][0] <= MOST_ARGUMENTS and measured[name][1] <= MOST_METHODS)
    ]
    assert small == [], "no longer larger than the measure: take it out of LARGER"


def test_no_two_classes_of_the_hub_share_a_name() -> None:
    """Several protocols of one name in a room are narrow views of one part, each declared where it is used."""
    places = defaultdict(list)
    for path, source in named().items():
        if room(PACKAGE / path) not in TOOLS | PROCESSES:
            for node in classes(source):
                places[node.name].append((path, is_protocol(node)))
    shared = {
        name: [path for path, _ in found]
        for name, found in places.items()
        if len(found) > 1
        if not (all(protocol for _, protocol in found) and len({room(PACKAGE / path) for path, _ in found}) == 1)
    }
    allowed = SAME_THING.keys()
    assert {name: paths for name, paths in shared.items() if name not in allowed} == {}
    assert allowed - shared.keys() == set(), "no longer shared: take it out"


def test_every_room_says_what_it_is_for() -> None:
    rooms = [path for path in MODULES if path.name == "__init__.py" and "migrations" not in path.parts]
    assert [str(path) for path in rooms if not path.read_text("utf-8").lstrip().startswith('"""')] == []


def test_only_running_retries() -> None:
    """A second loop that swallows a failure, pauses and tries again has no jitter and no growing pause: a herd."""
    found = {
        f"{path}:{function}"
        for path, tree in named().items()
        if not path.startswith("simulator/")
        for function in retry_loops(tree)
    }
    assert found == RETRIES


def test_time_is_handed_in() -> None:
    found = {path for path, tree in named().items() if real_sleeps(tree)}
    assert found == CLOCKS, "wait by the Clock that the part is given"


LOOP = "async def f(self):\n  while True:\n    try:\n      g()\n    except {caught}:\n      {then}\n    {wait}\n"


@pytest.mark.parametrize(
    ("source", "retries"),
    [
        (LOOP.format(caught="HubError", then="log.warning('no')", wait="await self._clock.sleep(5)"), True),
        (LOOP.format(caught="(OSError, TimeoutError)", then="pass", wait="await nap.sleep_until(5)"), True),
        (LOOP.format(caught="HubError", then="continue", wait="await asyncio.sleep(1)"), True),
        (LOOP.format(caught="HubError", then="raise", wait="await self._clock.sleep(5)"), False),
        (LOOP.format(caught="HubError", then="return", wait="await self._clock.sleep(5)"), False),
        (LOOP.format(caught="TimeoutError", then="pass", wait="await self._clock.sleep(5)"), False),
        (LOOP.format(caught="HubError", then="pass", wait="await asyncio.sleep(0)"), False),
        ("def f():\n  for n in range(3):\n    with suppress(OSError):\n      g()\n    sleep(1)\n", True),
        ("def f():\n  for n in range(3):\n    with suppress(TimeoutError):\n      g()\n    sleep(1)\n", False),
    ],
)
def test_a_retry_loop_is_told_from_others(source: str, retries: bool) -> None:
    assert retry_loops(ast.parse(source)) == (["f"] if retries else [])


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("import asyncio\nasyncio.sleep(1)", [2]),
        ("from time import sleep as rest\nrest(n)", [2]),
        ("import asyncio as aio\naio.sleep(delay)", [2]),
        ("import asyncio\nasyncio.sleep(0)\nclock.sleep(3)", []),
    ],
)
def test_a_sleep_is_found_by_any_name(source: str, lines: list[int]) -> None:
    assert real_sleeps(ast.parse(source)) == lines


@pytest.mark.parametrize(
    ("source", "arguments", "methods"),
    [
        ("class A:\n def __init__(self, a, *, b, c=1): ...\n def m(self): ...\n @property\n def p(self): ...", 3, 2),
        ("@dataclass(slots=True)\nclass A:\n a: int\n b: int\n c: int = 0\n def _m(self): ...", 2, 0),
        ("@dataclass(frozen=True)\nclass A:\n a: int\n b: int", 0, 0),
    ],
)
def test_a_class_is_measured_by_what_it_is_given_and_offers(source: str, arguments: int, methods: int) -> None:
    found = size(classes(ast.parse(source))[0])
    assert (found.arguments, found.methods) == (arguments, methods)


def test_every_reason_has_words_in_both_languages() -> None:
    for language in ("zh-CN", "en"):
        words = (ROOT / "web" / "src" / "i18n" / language / "reasons.ts").read_text("utf-8")
        assert [reason.value for reason in Reason if not re.search(rf"\b{reason.value}\b", words)] == [], language


def codes(tree: ast.Module) -> Iterator[str]:
    """Each text that is given as a reason or cause."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in ("reason", "cause", "why"):
            for one in ast.walk(node.value):
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    yield one.value


def cut_codes(tree: ast.Module) -> list[str]:
    """Where a part of a reason code is taken."""
    return [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript)
        if isinstance(node.slice, ast.Slice)
        if re.search(r"\b(reason|cause|why)\b", ast.unparse(node.value))
    ]


NO_REASON = {
    "exclusions.reason",  # words of a person, like the next ones
    "ledger_files.no_access_reason",
    "ledger_files.state_reason",
    "alarms.suspended_reason",  # of a closed list of a few short codes each, like the next ones
    "runs.pause_reason",
    "runs.end_reason",
    "occurrences.why",
}
"""Columns that are called so, and keep no reason code of an error."""


def stored_type(column: Column[Any]) -> TypeEngine[Any]:
    """What the database has of the column's type."""
    return column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type


def test_no_reason_code_is_longer_than_a_column_that_keeps_it_and_none_is_cut() -> None:
    """PostgreSQL would refuse it, SQLite keep it; cut, it would be a code that nobody knows."""
    named_codes = {str(one) for kinds in (Reason, Kind) for one in kinds}
    told = {code for tree in trees().values() for code in codes(tree)}
    assert len(told) > 100
    assert [one for one in sorted(named_codes | told) if len(one) > LONGEST_REASON] == []
    columns = {
        f"{table.name}.{column.name}": kind.length
        for table in Base.metadata.tables.values()
        for column in table.columns
        if re.search(r"(^|_)(reason|cause|why|preset_state)$", column.name)
        and isinstance(kind := stored_type(column), String)
    }
    assert columns.keys() >= NO_REASON
    assert len(columns) - len(NO_REASON) > 15
    short = {name for name, length in columns.items() if length is not None and length < LONGEST_REASON}
    assert short - NO_REASON == set()
    assert {path: found for path, tree in named().items() if (found := cut_codes(tree))} == {}


def test_a_code_that_is_cut_would_be_found() -> None:
    assert cut_codes(ast.parse("x = place.why.reason[:32]\ny = reason[0]\nz = seconds[:2]")) == [
        "place.why.reason[:32]"
    ]
    assert list(codes(ast.parse("HubError(kind, 'words', reason='one' if a else 'two')"))) == ["one", "two"]


def test_every_peculiarity_has_a_sentence_in_both_languages() -> None:
    for language in ("zh-CN", "en"):
        words = (ROOT / "web" / "src" / "i18n" / language / "peculiarity.ts").read_text("utf-8")
        assert [kind.value for kind in PeculiarityKind if not re.search(rf"^    {kind.value}: '", words, re.M)] == []


def test_ci_runs_the_readmes_test_command() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    command = re.search(r"<!-- test command -->\s*```sh\n(.+?)\n```", readme, re.S)
    assert command is not None
    assert "pytest" in command.group(1)
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "<!-- test command -->" in script, "CI reads the command out of the README instead of repeating it"


def test_the_tests_of_the_field_cases_exist() -> None:
    told = (ROOT / "docs" / "field-cases.md").read_text("utf-8")
    written = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    files = set(re.findall(r"tests/[a-z0-9_/]+\.py", told))
    assert [file for file in files if not (ROOT / file).is_file()] == []
    names = set(re.findall(r"::(test_\w+)", told))
    assert [name for name in names if f"def {name}(" not in written] == []


def test_each_part_of_the_hub_runs_once() -> None:
    """Two branches that move the same lines merge without a conflict, and then two rounds look at every camera."""
    started = [
        call.func.id
        for path, tree in named().items()
        if path == "app.py" or path.startswith("wiring/")
        for call in _entered(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
    ]
    # One client asks without a login; `running` runs, and a stack holds, whatever it is given.
    twice = {"Onvif", "running", "AsyncExitStack"}
    assert len(started) > 40
    assert sorted({name for name in started if started.count(name) > 1} - twice) == []


def _entered(tree: ast.Module) -> Iterator[ast.expr]:
    """What is started for as long as a block runs, in either way of saying it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.With | ast.AsyncWith):
            yield from (item.context_expr for item in node.items)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            match node.func.attr:
                case "enter_async_context":
                    yield node.args[0]
                case "start":
                    yield node.args[-1]


def test_documents_name_what_exists() -> None:
    """Paths in all of them; in the glossary's second column also the classes."""
    folders = ("tests", "build_tools", "web/plugins", "web/tests")
    others = (path for folder in folders for path in (ROOT / folder).rglob("*.*"))
    places = {str(path.relative_to(ROOT)) for path in (*MODULES, *WEB, *others)}
    words = set(re.findall(r"\w+", "\n".join(path.read_text("utf-8") for path in (*MODULES, *WEB))))
    lost = []
    for name in ("README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/decisions.md", "docs/glossary.md"):
        for code in re.findall(r"`([^`\n]+)`", (ROOT / name).read_text("utf-8")):
            if re.fullmatch(r"[\w/]+\.(py|ts|vue)|[a-z_]\w*(/\w+)+/?|[a-z_]\w*/", code) and "NNNN" not in code:
                lost += [f"{name}: {code}"] if not any(code in f"/{place}" for place in places) else []
            if name.endswith("glossary.md") and re.fullmatch(r"[A-Z]\w+(\.\w+)?", code):
                lost += [f"{name}: {code}" for part in code.split(".") if part not in words]
    assert lost == []
