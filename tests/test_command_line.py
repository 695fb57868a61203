"""How the command line is loaded."""

import gc

import pytest

from camera_hub import __main__ as entry
from camera_hub import command_line


def test_garbage_is_collected_again_once_everything_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[tuple[bool, bool]] = []
    monkeypatch.setattr(command_line, "main", lambda: found.append((gc.isenabled(), gc.get_freeze_count() > 0)))
    entry.main()
    assert found == [(True, True)]
