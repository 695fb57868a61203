"""WHEP of a whole site by stream tokens: foreign players with and without sound, and the README's page in Chromium."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Page, Request

from tests.e2e.figures import told
from tests.e2e.site import PATIENCE, Site, free_port, running_site, until
from tests.foreign import foreign

pytestmark = pytest.mark.foreign

ENDED_BAR = 5.0
HERE = Path(__file__).parent
README = HERE.parent.parent / "README.md"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A village whose cameras have microphones of all kinds, at a site that allows sound and foreign pages."""
    settings: dict[str, Any] = {
        "MEDIA__AUDIO": "true",
        "MEDIA__RTSP_OUT": "false",
        "MEDIA__RTSP_PORT": str(free_port()),
        "MEDIA__WHEP_ORIGINS": '["*"]',
    }
    folder = tmp_path_factory.mktemp("whep")
    with running_site(folder, villages=1, cameras=4, simulator=("--sound",), **settings) as site:
        site.register()
        yield site


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def camera_with(site: Site, sound: str) -> int:
    """A camera with that kind of microphone."""
    kinds = {one["name"]: one["sound"] for device in site.villages[0]["devices"] for one in device["channels"]}
    found: list[int] = [camera["id"] for camera in site.cameras() if kinds.get(camera["name"]) == sound]
    return found[0]


def make_token(site: Site, **values: Any) -> tuple[int, str]:
    """A token's id and text."""
    made = site.post("/api/rtsp-out/tokens", {"name": "门户", **values})
    return made["token"]["id"], made["text"]


def running(site: Site) -> list[dict[str, Any]]:
    """The lines of sessions that run."""
    return [line for line in site.get("/api/rtsp-out/sessions") if line["running"]]


def test_foreign_players_play_by_token_and_end_with_it(record_property: Callable[[str, Any], None], site: Site) -> None:
    """GStreamer and aiortc, each with a section for sound (heard or not) and without one: other ICE, DTLS and SDP."""
    foreign("gst-launch-1.0")
    pcma = camera_with(site, "pcma")
    gstreamer, aiortc = ["/usr/bin/python3", str(HERE / "gstreamer_whep.py"), "--stay"], [sys.executable]
    aiortc.append(str(HERE / "aiortc_whep.py"))
    players: list[tuple[int, bool, subprocess.Popen[str]]] = []
    try:
        for program, login in ((gstreamer, "--bearer"), (aiortc, "--password")):
            for audio, sound in ((False, True), (True, False), (True, True)):
                token, text = make_token(site, sound=sound)
                by_path = f"{site.url}/whep/{text}/{pcma}"
                by_login = [f"{site.url}/api/cameras/{pcma}/whep", login, text]
                command = [*program, *([by_path] if sound else by_login), *(["--audio"] if audio else []), "70"]
                process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
                )
                players.append((token, audio and sound, process))
        for _, hears, process in players:
            assert process.stdout is not None
            line = process.stdout.readline().split()
            if not line:
                _, error = process.communicate(timeout=PATIENCE)
                if "not available" in error or "no element" in error:
                    foreign("gir1.2-gst-plugins-bad-1.0 gstreamer1.0-nice")
                raise AssertionError(error[-2000:])
            frames, size, sounds = line
            assert (frames, size != "0x0") == ("70", True)
            # Up to 30 frames come from the cache at once, without sound; what follows takes over two seconds.
            assert (int(sounds) > 10) if hears else (int(sounds) == 0), "who may not hear is sent no sound"
        until(lambda: len(running(site)) == len(players), what=lambda: f"a line of each: {running(site)}")
        assert {line["transport"] for line in running(site)} == {"webrtc"}
        revoked = time.time()
        for token, _, _ in players:
            site.api.delete(f"/api/rtsp-out/tokens/{token}")
        ended = []
        for _, _, process in players:  # none plays longer than it is sent anything
            assert process.stdin is not None
            process.stdin.close()
            process.stdin = None
        for _, _, process in players:
            said, error = process.communicate(timeout=PATIENCE)
            assert process.returncode == 0, error[-2000:]
            ended.append(float(said.split()[-1]) - revoked)
        told(record_property, "the last frame after the tokens were revoked", max(ended), bar=ENDED_BAR)
    finally:
        for _, _, process in players:
            process.kill()
            process.communicate()
    until(
        lambda: not running(site),
        what=lambda: f"the lines are closed: {running(site)}",
    )
    assert {line["end_reason"] for line in site.get("/api/rtsp-out/sessions")} == {"revoked"}
    log = (site.folder / "hub.log").read_text()
    assert not re.search(r"\b[0-9a-f]{32}\b", log), "no token is ever in the log"


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder on a web server of its own: another origin than the hub's."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.browser
def test_the_page_of_the_readme_plays_a_camera_by_token(page: Page, site: Site, stack: ExitStack) -> None:
    """As it stands there, at a site of its own; what it sends tells nobody the token but the hub."""
    found = re.search(r"```html\n(.*?)```", README.read_text(), re.DOTALL)
    assert found
    token, text = make_token(site, sound=True)
    address = f"{site.url}/whep/{text}/{camera_with(site, 'opus')}"
    (folder := site.folder / "portal").mkdir()
    (folder / "index.html").write_text(found.group(1))
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    page.goto(f"{stack.enter_context(served(folder))}/#{address}", wait_until="commit")
    playing = "() => { const v = document.querySelector('video'); return v.videoWidth > 0 && v.currentTime > 1 }"
    page.wait_for_function(playing)
    kinds = page.evaluate("() => document.querySelector('video').srcObject.getTracks().map((track) => track.kind)")
    assert sorted(kinds) == ["audio", "video"]
    assert all(text not in request.headers.get("referer", "") for request in asked)
    site.api.delete(f"/api/rtsp-out/tokens/{token}")
    until(lambda: not running(site), what="the line is closed")
