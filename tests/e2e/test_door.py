"""Thousands of requests that never end: live pictures and signed-in pages do not notice, nor does the log's disk."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.e2e.site import Site, running_site, until
from tests.e2e.wall import open_wall, received, sign_in, wait_playing

pytestmark = [pytest.mark.browser, pytest.mark.foreign]

REQUESTS = 2000
DESCRIPTORS = 1024
SECONDS = 20
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


def test_unfinished_requests_hold_nobody_up(page: Page, site: Site) -> None:
    assert site.hub is not None
    assert f"Max open files            {DESCRIPTORS} " in Path(f"/proc/{site.hub.pid}/limits").read_text()
    page.add_init_script(f"({SOCKETS})()")
    sign_in(page, site)
    open_wall(page, site, [camera["id"] for camera in site.cameras()], 4)
    wait_playing(page, 4)
    log = site.folder / "hub.log"
    size, before = log.stat().st_size, received(page)

    command = [sys.executable, "-m", "tests.e2e.flood", str(site.port), str(REQUESTS), str(SECONDS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as flood:
        asked = []
        while flood.poll() is None:
            asked.append(page.evaluate(ASK))
            page.wait_for_timeout(200)
        assert flood.stdout is not None
        held = json.loads(flood.stdout.read())
    left = time.monotonic()
    until(lambda: 0 <= page.evaluate(ASK) < 1000, seconds=5, what="the hub answers as ever")
    back = time.monotonic() - left
    after = received(page)

    frames = (after["frames"] - before["frames"]) / (after["at"] - before["at"]) * 1000
    figures = {
        **held,
        "asked": len(asked),
        "slowest_ms": round(max(asked)),
        "lost": after["lost"] - before["lost"],
        "frames_per_second": round(frames, 1),
        "log_bytes": log.stat().st_size - size,
        "back_s": round(back, 2),
    }
    sys.stdout.write(f"{figures}\n")
    assert held["opened"] >= REQUESTS, figures
    assert min(asked) >= 0, f"a signed-in page was refused: {figures}"
    assert max(asked) < 5000, figures
    assert figures["lost"] == 0, figures
    assert figures["log_bytes"] < 1_000_000, figures
    assert page.evaluate("() => window.__closed") == 0, "the page's WebSocket stayed"
    wait_playing(page, 4, seconds=5)
