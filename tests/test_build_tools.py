"""What decides at installation whether the relay's modules are compiled."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from build_tools.compile_modules import CANNOT, ROOT, missing


def test_a_machine_without_a_compiler_is_told_so_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler -O2")
    assert missing() == "no C compiler (no-such-compiler)"
    script = ROOT / "build_tools" / "compile_modules.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (CANNOT, "no C compiler (no-such-compiler)\n")


def test_a_machine_without_python_s_headers_is_told_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", sys.executable)  # something that can be run
    monkeypatch.setattr(sysconfig, "get_paths", lambda: {"include": str(tmp_path)})
    assert missing() == "no Python headers (Debian: python3-dev)"
    (tmp_path / "Python.h").touch()
    assert missing() is None


def test_nothing_compiled_stands_beside_the_sources() -> None:
    """It would be imported instead of them, however old it is."""
    if (ROOT / "camera_hub").exists():  # not where only tests are, beside an installed wheel
        assert [path.name for path in (ROOT / "camera_hub").rglob("*") if path.suffix in (".so", ".pyd")] == []
