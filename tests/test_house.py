"""Rules of the house that no linter knows."""

import re
from pathlib import Path

from camera_hub.errors import Reason

ROOT = Path(__file__).parent.parent
PYTHON = [path for path in sorted((ROOT / "camera_hub").rglob("*.py")) if path.parent.name != "versions"]
"""Without migrations: those are history, written once and never read as a house."""
WEB = [
    path
    for path in sorted((ROOT / "web" / "src").rglob("*"))
    if path.suffix in {".ts", ".vue"} and not path.name.endswith(".d.ts")
]


def test_no_module_is_over_400_lines() -> None:
    modules = PYTHON + WEB
    assert len(modules) > 50
    assert [str(path) for path in modules if len(path.read_text("utf-8").splitlines()) > 420] == []


def test_every_room_says_what_it_is_for() -> None:
    rooms = [path for path in PYTHON if path.name == "__init__.py" and "migrations" not in path.parts]
    assert [str(path) for path in rooms if not path.read_text("utf-8").lstrip().startswith('"""')] == []


def test_only_running_retries() -> None:
    """One retry loop in the house: nobody else sleeps but by an injected clock (`sleep(0)` only lets others run)."""
    allowed = {ROOT / "camera_hub" / "clock.py", ROOT / "camera_hub" / "running.py"}
    sleepers = [
        str(path.relative_to(ROOT))
        for path in PYTHON
        if path not in allowed
        and "simulator" not in path.parts
        and re.search(r"\b(time|asyncio)\.sleep\((?!0\))", path.read_text("utf-8"))
    ]
    assert sleepers == []


def test_every_reason_has_words_in_both_languages() -> None:
    for language in ("zh-CN", "en"):
        words = (ROOT / "web" / "src" / "i18n" / language / "reasons.ts").read_text("utf-8")
        assert [reason.value for reason in Reason if not re.search(rf"\b{reason.value}\b", words)] == [], language


def test_ci_runs_the_readmes_test_command() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    command = re.search(r"<!-- test command -->\s*```sh\n(.+?)\n```", readme, re.S)
    assert command is not None
    assert "pytest" in command.group(1)
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "<!-- test command -->" in script, "CI reads the command out of the README instead of repeating it"
