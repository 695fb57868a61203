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

from tests.e2e.site import Site, free_port, running_site, until
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
    player = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        until(lambda: running(site) - before, seconds=20, what="the session runs")
        yield player
    finally:
        player.kill()
        player.wait(10)


def running(site: Site) -> set[int]:
    """Sessions that run, by their ids: one that ends meanwhile hides no new one."""
    return {line["id"] for line in site.get("/api/rtsp-out/sessions") if line["running"]}


def newest(site: Site) -> dict[str, Any]:
    line: dict[str, Any] = site.get("/api/rtsp-out/sessions", limit=1)[0]
    return line


@pytest.mark.parametrize("path", ["", "/sub"])
def test_ffprobe_plays_a_camera_of_the_hub(site: Site, path: str) -> None:
    _, urls = make_token(site)
    assert len(urls) == 4
    shown = ["-show_entries", "stream=codec_name,width", "-of", "csv=p=0"]
    command = [foreign("ffprobe"), "-v", "error", "-rtsp_transport", "tcp", *shown, urls[0] + path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"h26[45],\d+", done.stdout.strip()), done.stdout
    until(lambda: not newest(site)["running"], seconds=10, what="the line is closed")
    line = newest(site)
    assert (line["role"], line["transport"], line["address"]) == ("sub" if path else "main", "tcp", "127.0.0.1")
    assert line["bytes"] > 10_000
    assert (line["end_reason"], line["token_name"]) == ("closed", "大屏解码器")


def test_a_revoked_token_ends_its_players_within_seconds(site: Site) -> None:
    token, urls = make_token(site)
    with playing(site, urls[0]) as player:
        assert site.api.delete(f"/api/rtsp-out/tokens/{token}").json()["revoked_at"]
        player.wait(5)
    assert until(lambda: newest(site)["end_reason"], seconds=5, what="the line is closed") == "revoked"


def test_a_retired_camera_ends_its_players_within_seconds(site: Site) -> None:
    camera = site.cameras()[-1]["id"]
    _, urls = make_token(site, cameras=[camera])
    assert len(urls) == 1
    with playing(site, urls[0]) as player:
        site.post("/api/cameras/retire", {"ids": [camera]})
        player.wait(5)
    assert until(lambda: newest(site)["end_reason"], seconds=5, what="the line is closed") == "retired"
    site.post("/api/cameras/approve", {"ids": [camera]})


def test_a_killed_relay_and_a_killed_hub_leave_no_line_open(site: Site) -> None:
    _, urls = make_token(site)
    with playing(site, urls[0]):
        os.kill(site.children("relay")[0], signal.SIGKILL)
        until(lambda: newest(site)["end_reason"] == "relay_restarted", seconds=10, what="the line is closed")
    with playing(site, urls[0]):  # its port is open again
        site.kill_hub()
    site.start_hub()
    site.sign_in()
    line = newest(site)
    assert (line["running"], line["end_reason"]) == (False, "hub_away")
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
        expect(page.get_by_role("row", name=re.compile("县平台.*正在取流")).first).to_be_visible(timeout=15_000)
        expect(row).to_contain_text("1 / 16")
        row.get_by_role("button", name="吊销").click()
        page.get_by_role("dialog").get_by_role("button", name="吊销").click()
        player.wait(5)
    expect(page.get_by_role("row", name=re.compile("县平台.*凭证已吊销")).first).to_be_visible(timeout=15_000)
    assert url.split("/")[3] not in page.content(), "the token is nowhere to be read again"
