"""What the house rules look at: modules as syntax trees. `python -m tests.house` lists the modules over 400 lines."""

import ast
import gc
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "camera_hub"
MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.parent.name != "versions"]
"""Without migrations: those are history, written once and never read as a house."""
WEB = [
    path
    for path in sorted((ROOT / "web" / "src").rglob("*"))
    if path.suffix in {".ts", ".vue"} and not path.name.endswith(".d.ts")
]
LONG = 400

Loop = ast.While | ast.For | ast.AsyncFor
Function = ast.FunctionDef | ast.AsyncFunctionDef
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_NOT_A_FAILURE = {"TimeoutError", "asyncio.TimeoutError", "asyncio.CancelledError", "BlockingIOError"}
"""What a wait with a deadline ends in, and the words for "stop" and "not yet"."""


@dataclass(frozen=True)
class ClassSize:
    """`arguments`: what its constructor is given. `methods`: public methods and properties."""

    name: str
    arguments: int
    methods: int


def room(path: Path) -> str:
    """The folder (or module) directly under camera_hub that the file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def trees() -> dict[Path, ast.Module]:
    """All modules; parsed once in a worker for all tests that read the sources (tests.selection.TOGETHER).

    Without the garbage collector, which would go through all that there is again and again (3 of 4 seconds), and which
    need not look at it later either: nothing of it is ever garbage.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        found = {path: ast.parse(path.read_text("utf-8")) for path in MODULES}
        gc.freeze()
        return found
    finally:
        if running:
            gc.enable()


def classes(tree: ast.AST) -> list[ast.ClassDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def size(node: ast.ClassDef) -> ClassSize:
    """Values (frozen dataclasses, pydantic models, protocols) are given as much as they hold: only behaviour counts."""
    methods = {one.name for one in node.body if isinstance(one, Function) and not one.name.startswith("_")}
    return ClassSize(node.name, max(_init_arguments(node), _required_fields(node)), len(methods))


def is_protocol(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).split("[")[0].split(".")[-1] == "Protocol" for base in node.bases)


def real_sleeps(tree: ast.AST) -> list[int]:
    """Lines that sleep on the machine's clock, by whatever name; `sleep(0)` only lets others run."""
    names = {"time.sleep", "asyncio.sleep"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in ("time", "asyncio"):
            names |= {alias.asname or alias.name for alias in node.names if alias.name == "sleep"}
        if isinstance(node, ast.Import):
            names |= {f"{one.asname}.sleep" for one in node.names if one.name in ("time", "asyncio") and one.asname}
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _dotted(node.func) in names and not _is_zero(node)
    ]


def retry_loops(tree: ast.AST) -> list[str]:
    """Functions with a loop that swallows a failure, pauses and goes round again."""
    return [
        function.name
        for function in ast.walk(tree)
        if isinstance(function, Function)
        and any(_swallows(loop) and _pauses(loop) for loop in _inside(function) if isinstance(loop, Loop))
    ]


def _swallows(loop: Loop) -> bool:
    for node in _inside(loop):
        if isinstance(node, ast.Try) and any(_goes_on(handler) for handler in node.handlers):
            return True
        if isinstance(node, ast.With | ast.AsyncWith):
            calls = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
            for call in calls:
                if ast.unparse(call.func).split(".")[-1] == "suppress" and not _expected(call.args):
                    return True
    return False


def _goes_on(handler: ast.ExceptHandler) -> bool:
    """Whether the loop goes on after it: it neither raises nor leaves, and what it catches is a failure."""
    if isinstance(handler.body[-1], ast.Raise | ast.Return | ast.Break):
        return False
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type] if handler.type else []
    return not (caught and _expected(caught))


def _expected(caught: list[ast.expr]) -> bool:
    return {ast.unparse(one) for one in caught} <= _NOT_A_FAILURE


def _pauses(loop: Loop) -> bool:
    calls = [node for node in _inside(loop) if isinstance(node, ast.Call)]
    return any("sleep" in _dotted(call.func).rpartition(".")[2] and not _is_zero(call) for call in calls)


def _dotted(called: ast.expr) -> str:
    """The source of what is called; of the usual `a.b.c` without `ast.unparse`, which takes ten times as long."""
    names: list[str] = []
    node = called
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(names)]) if isinstance(node, ast.Name) else ast.unparse(called)


def _is_zero(call: ast.Call) -> bool:
    return len(call.args) == 1 and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """Everything below the node that runs in its own scope."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, _SCOPES):
            yield child
            yield from _inside(child)


def _init_arguments(node: ast.ClassDef) -> int:
    for one in node.body:
        if isinstance(one, Function) and one.name == "__init__":
            given = one.args
            return len(given.posonlyargs) + len(given.args) + len(given.kwonlyargs) - 1
    return 0


def _required_fields(node: ast.ClassDef) -> int:
    """Fields without a default of a dataclass that changes; those with one are its state."""
    decorators = [ast.unparse(one) for one in node.decorator_list]
    if not any("dataclass" in one and "frozen=True" not in one for one in decorators):
        return 0
    fields = [one for one in node.body if isinstance(one, ast.AnnAssign) and one.value is None]
    return sum("ClassVar" not in ast.unparse(one.annotation) for one in fields)


def long_modules() -> list[tuple[str, int]]:
    """Modules over 400 lines and their length: an alarm bell, no rule."""
    lengths = [(path, len(path.read_text("utf-8").splitlines())) for path in (*MODULES, *WEB)]
    return [(str(path.relative_to(ROOT)), lines) for path, lines in lengths if lines > LONG]


if __name__ == "__main__":
    found = long_modules()
    sys.stdout.writelines(f"{name}: {lines} lines\n" for name, lines in found)
    sys.stdout.write(f"{len(found)} modules over {LONG} lines: does each still hold one concept?\n")
