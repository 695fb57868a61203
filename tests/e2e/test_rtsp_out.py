"""RTSP out of a whole site: a token, foreign players, revoking, kills; and the page where it is done."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.site import PATIENCE, Site, free_port, running_site, until
from tests.e2e.wall import sign_in
from tests.foreign import foreign

pytestmark = pytest.mark.foreign


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two villages with two cameras each."""
    settings: dict[str, Any] = {"MEDIA__RTSP_PORT": str(free_port()), "MEDIA__RTSP_HOST": "127.0.0.1"}
    with running_site(tmp_path_factory.mktemp("rtsp"), villages=2, cameras=4, **settings) as site:
        site.register()
        yield site


def make_token(site: Site, **values: Any) -> tuple[int, list[str]]:
    """A token's id and the addresses of its cameras."""
    made = site.post("/api/rtsp-out/tokens", {"name": "大屏解码器", **values})
    return made["token"]["id"], [f"rtsp://127.0.0.1:{one['port']}{one['path']}" for one in made["addresses"]]


@contextmanager
def playing(site: Site, url: str) -> Iterator["subprocess.Popen[bytes]"]:
    """ffmpeg playing; the hub knows of it before the block begins."""
    before = running(site)
    command = [foreign("ffmpeg"), "-v", "quiet", "-rtsp_transport", "tcp", "-i", url, "-c", "copy", "-f", "null", "-"]
    players: list[subprocess.Popen[bytes]] = []

    def plays() -> bool:
        """As a decoder does, it is tried again when nobody listened yet."""
        if not players or players[-1].poll() is not None:
            players.append(subprocess.Popen(command, stdin=subprocess.DEVNULL))
        return bool(running(site) - before)

    try:
        until(plays, what="the session runs")
        yield players[-1]
    finally:
        for player in players:
            player.kill()
            player.wait()


def running(site: Site) -> set[int]:
    """Sessions that run, by their ids: one that ends meanwhile hides no new one."""
    return {line["id"] for line in sessions(site) if line["running"]}


def sessions(site: Site) -> list[dict[str, Any]]:
    """The lines of all sessions, the newest first."""
    lines: list[dict[str, Any]] = site.get("/api/rtsp-out/sessions")
    return lines


def newest(site: Site) -> dict[str, Any]:
    return sessions(site)[0]


def closed_after(site: Site, before: int) -> dict[str, Any] | None:
    """The line of a session that came after that one, once it has ended."""
    return next((line for line in sessions(site) if line["id"] > before and not line["running"]), None)


@pytest.mark.parametrize("path", ["", "/sub"])
def test_ffprobe_plays_a_camera_of_the_hub(site: Site, path: str) -> None:
    _, urls = make_token(site)
    assert len(urls) == 4
    before = max((line["id"] for line in sessions(site)), default=0)
    shown = ["-show_entries", "stream=codec_name,width", "-of", "csv=p=0"]
    command = [foreign("ffprobe"), "-v", "error", "-rtsp_transport", "tcp", *shown, urls[0] + path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"h26[45],\d+", done.stdout.strip()), done.stdout
    line = until(lambda: closed_after(site, before), what=lambda: f"the line is closed: {sessions(site)}")
    assert (line["role"], line["transport"], line["address"]) == ("sub" if path else "main", "tcp", "127.0.0.1")
    assert line["bytes"] > 10_000
    assert (line["end_reason"], line["token_name"]) == ("closed", "大屏解码器")


def test_a_revoked_token_ends_its_players(site: Site) -> None:
    token, urls = make_token(site)
    with playing(site, urls[0]) as player:
        assert site.api.delete(f"/api/rtsp-out/tokens/{token}").json()["revoked_at"]
        player.wait(PATIENCE)
    assert until(lambda: newest(site)["end_reason"], what="the line is closed") == "revoked"


def test_a_retired_camera_ends_its_players(site: Site) -> None:
    camera = site.cameras()[-1]["id"]
    _, urls = make_token(site, cameras=[camera])
    assert len(urls) == 1
    with playing(site, urls[0]) as player:
        site.post("/api/cameras/retire", {"ids": [camera]})
        player.wait(PATIENCE)
    assert until(lambda: newest(site)["end_reason"], what="the line is closed") == "retired"
    site.post("/api/cameras/approve", {"ids": [camera]})


def test_a_killed_relay_and_a_killed_hub_leave_no_line_open(site: Site) -> None:
    _, urls = make_token(site)
    with playing(site, urls[0]):
        os.kill(site.children("relay")[0], signal.SIGKILL)
        until(lambda: newest(site)["end_reason"] == "relay_restarted", what="the line is closed")
    with playing(site, urls[0]):  # its port is open again
        site.kill_hub()
    site.start_hub()
    site.sign_in()
    assert until(lambda: newest(site)["end_reason"], what="the line is closed") == "hub_away"
    assert not newest(site)["running"]
    with playing(site, urls[1]):  # tokens outlive the hub
        pass


@pytest.mark.browser
def test_a_token_is_made_shown_once_and_revoked_on_its_page(page: Page, site: Site) -> None:
    for token in site.get("/api/rtsp-out")["tokens"]:
        site.api.delete(f"/api/rtsp-out/tokens/{token['id']}")
    sign_in(page, site)
    page.goto(f"{site.url}/system/rtsp")
    page.get_by_role("button", name="新建取流凭证").click()
    page.get_by_label("名称").fill("县平台")
    page.get_by_role("button", name="生成地址").click()
    address = page.get_by_role("dialog").locator("code").first
    expect(address).to_contain_text(re.compile(r"^rtsp://127\.0\.0\.1:\d+/[0-9a-f]{32}/\d+$"))
    url = address.inner_text()
    page.get_by_role("button", name="已保存，关闭").click()
    row = page.get_by_role("row", name=re.compile("县平台.*全镇点位"))
    with playing(site, url) as player:
        expect(page.get_by_role("row", name=re.compile("县平台.*正在取流")).first).to_be_visible()
        expect(row).to_contain_text("1 / 16")
        row.get_by_role("button", name="吊销").click()
        page.get_by_role("dialog").get_by_role("button", name="吊销").click()
        player.wait(PATIENCE)
    expect(page.get_by_role("row", name=re.compile("县平台.*凭证已吊销")).first).to_be_visible()
    assert url.split("/")[3] not in page.content(), "the token is nowhere to be read again"
