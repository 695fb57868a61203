"""Runs the hub from its Python sources even where compiled modules lie beside them.

A `sitecustomize` in a folder of PYTHONPATH, which the hub passes on to its relays and eyes, finds the hub's modules by
their sources only.
"""

from pathlib import Path

SITE_CUSTOMIZE = '''"""Finds the hub's modules by their Python sources only."""

import sys
from importlib.machinery import FileFinder, SourceFileLoader


class SourcesOnly:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if not name.startswith("camera_hub."):
            return None
        for entry in path or ():
            spec = FileFinder(entry, (SourceFileLoader, [".py"])).find_spec(name, target)
            if spec is not None:
                return spec
        return None


sys.meta_path.insert(0, SourcesOnly)
'''


def plain_folder(data: Path) -> Path:
    """Write the module into a folder beside the data; returns what belongs into PYTHONPATH."""
    folder = data / "plain"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(SITE_CUSTOMIZE, "utf-8")
    return folder
