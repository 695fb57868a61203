"""Thousands of requests that never end: live pictures and signed-in pages do not notice, nor does the log's disk."""

import json
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.figures import told
from tests.e2e.site import Site, running_site, until
from tests.e2e.wall import open_wall, received, sign_in, wait_playing

pytestmark = [pytest.mark.browser, pytest.mark.foreign]

REQUESTS = 2000
DESCRIPTORS = 1024
ASKED = 60
"""How often the hub is asked while they are there: for twelve seconds at least, longer than it waits for a head."""
ANSWER_BAR, BACK_BAR = 5.0, 1.0
ASK = """async () => {
    const began = performance.now()
    const answer = await fetch('/api/session')
    return answer.status === 200 ? performance.now() - began : -1
}"""
SOCKETS = """() => {
    window.__closed = 0
    const Native = window.WebSocket
    window.WebSocket = class extends Native {
        constructor(...values) { super(...values); this.addEventListener('close', () => { window.__closed += 1 }) }
    }
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two villages with two cameras each; the hub may have 1,024 descriptors and no more."""
    prefix = ("prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}")
    with running_site(tmp_path_factory.mktemp("door"), villages=2, cameras=4, prefix=prefix) as site:
        site.register()
        yield site


def test_unfinished_requests_hold_nobody_up(
    record_property: Callable[[str, Any], None], page: Page, site: Site
) -> None:
    assert site.hub is not None
    assert f"Max open files            {DESCRIPTORS} " in Path(f"/proc/{site.hub.pid}/limits").read_text()
    page.add_init_script(f"({SOCKETS})()")
    sign_in(page, site)
    open_wall(page, site, [camera["id"] for camera in site.cameras()], 4)
    wait_playing(page, 4)
    log = site.folder / "hub.log"
    size, before = log.stat().st_size, received(page)

    command = [sys.executable, "-m", "tests.e2e.flood", str(site.port), str(REQUESTS)]
    asked = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as flood:
        assert flood.stdin is not None
        assert flood.stdout is not None
        said = select.poll()
        said.register(flood.stdout, select.POLLIN)
        while not said.poll(0):  # they are being opened
            asked.append(page.evaluate(ASK))
            page.wait_for_timeout(200)
        assert flood.stdout.readline() == "opened\n"
        for _ in range(ASKED):  # they are all there, and come back whenever they are hung up on
            asked.append(page.evaluate(ASK))
            page.wait_for_timeout(200)
        flood.stdin.close()
        held = json.loads(flood.stdout.readline())
    left = time.monotonic()
    until(lambda: page.evaluate(ASK) >= 0, what="the hub answers as ever")
    back = time.monotonic() - left
    after = received(page)

    frames = (after["frames"] - before["frames"]) / (after["at"] - before["at"]) * 1000
    figures = {
        **held,
        "asked": len(asked),
        "slowest_ms": round(max(asked)),
        "lost": after["lost"] - before["lost"],
        "overrun": after["overrun"] - before["overrun"],
        "frames_per_second": round(frames, 1),
        "log_bytes": log.stat().st_size - size,
        "back_s": round(back, 2),
    }
    sys.stdout.write(f"{figures}\n")
    assert held["opened"] >= REQUESTS, figures
    assert min(asked) >= 0, f"a signed-in page was refused: {figures}"
    told(record_property, "the slowest answer while they were there", max(asked) / 1000, bar=ANSWER_BAR)
    told(record_property, "an answer when they had gone", back, bar=BACK_BAR)
    assert figures["lost"] <= figures["overrun"], figures
    assert figures["log_bytes"] < 1_000_000, figures
    assert page.evaluate("() => window.__closed") == 0, "the page's WebSocket stayed"
    wait_playing(page, 4)
