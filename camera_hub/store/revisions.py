"""The schema's revisions, read from the files of `migrations`: alembic takes 10 MB, and only migrating needs it."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

VERSIONS = Path(__file__).parent / "migrations" / "versions"


@dataclass(frozen=True, slots=True)
class Revisions:
    """All revisions that this program knows, and the newest one."""

    known: frozenset[str]
    newest: str


@cache
def revisions(folder: Path = VERSIONS) -> Revisions:
    """They do not change while the program runs. A test requires that they form one line."""
    named = [_assigned(path) for path in folder.glob("[0-9]*.py")]
    known = frozenset(names["revision"] for names in named)
    (newest,) = known - {names.get("down_revision", "") for names in named}
    return Revisions(known, newest)


def _assigned(path: Path) -> dict[str, str]:
    """The module's constants that are text."""
    return {
        target.id: node.value.value
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
