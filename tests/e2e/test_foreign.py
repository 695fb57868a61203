"""Foreign peers: GStreamer's RTSP server plays in Chromium; a foreign ONVIF client talks to the simulator."""

import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from camera_hub.api.routing import COOKIE
from tests.e2e.site import PATIENCE, Site, running_site
from tests.e2e.wall import open_wall, sign_in, wait_playing

pytestmark = pytest.mark.foreign

BALL = "球场"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One village."""
    with running_site(tmp_path_factory.mktemp("foreign"), villages=1, cameras=2) as site:
        yield site


def missing(what: str) -> None:
    """Skip where a Debian package is absent; CI installs them and fails instead."""
    if os.environ.get("CAMERA_HUB_REQUIRE_BROWSER"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture
def ball() -> Iterator[str]:
    """URL of a bouncing ball, served by GStreamer."""
    script = Path(__file__).with_name("gstreamer_server.py")
    server = subprocess.Popen(
        ["/usr/bin/python3", str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    url = server.stdout.readline().strip()  # type: ignore[union-attr]  # a pipe, as asked
    if not url:
        missing(
            f"apt-get install gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-ugly: {server.communicate()[1][-300:]}"
        )
    yield url
    server.kill()
    server.communicate()


@pytest.mark.browser
def test_a_camera_known_by_url_alone_plays(page: Page, site: Site, ball: str) -> None:
    site.post("/api/villages", {"names": ["河东小区"]})
    village = site.get("/api/villages")[0]["id"]
    made = site.post("/api/devices/url", {"village_id": village, "name": BALL, "main_url": ball})
    camera = made["cameras"][0]["id"]
    sign_in(page, site)
    open_wall(page, site, [camera], 1)
    wait_playing(page, 1)


def test_a_foreign_whep_player_plays_a_camera_and_hangs_up(site: Site) -> None:
    """GStreamer's webrtcbin: another ICE, another DTLS, another depacketizer than any browser's."""
    site.register()
    camera = next(one["id"] for one in site.cameras() if one["name"] != BALL)  # whose server may have gone
    script = Path(__file__).with_name("gstreamer_whep.py")
    token = site.api.cookies[COOKIE]
    done = subprocess.run(
        ["/usr/bin/python3", str(script), f"{site.url}/api/cameras/{camera}/whep", "50", "--bearer", token],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if "not available" in done.stderr or "no element" in done.stderr:
        missing(f"apt-get install gir1.2-gst-plugins-bad-1.0 gstreamer1.0-nice: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    frames, size, _ = done.stdout.split()
    assert int(frames) >= 50
    assert size != "0x0"


FOREIGN_CLIENT = """
import sys, warnings
warnings.simplefilter("ignore")
from onvif import ONVIFCamera
host, port, user, password = sys.argv[1:]
camera = ONVIFCamera(host, int(port), user, password, adjust_time=True)
media = camera.create_media_service()
for profile in media.GetProfiles():
    setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
    sys.stdout.write(media.GetStreamUri({"StreamSetup": setup, "ProfileToken": profile.token}).Uri + "\\n")
"""


def test_a_foreign_onvif_client_understands_the_simulator(site: Site) -> None:
    """onvif-zeep's own client, in a process of its own because importing it changes logging and the environment."""
    device = site.villages[0]["devices"][0]
    login = (device["host"], str(device["onvif_port"]), device["username"], device["password"])
    done = subprocess.run(
        [sys.executable, "-c", FOREIGN_CLIENT, *login], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    expected = {url for channel in device["channels"] for url in (channel["main_url"], channel["sub_url"])}
    assert set(done.stdout.split()) == expected


def test_the_simulator_answers_a_foreign_probe(site: Site) -> None:
    """A probe as other programs write it: other prefixes, other order, no Types at all."""
    message = f"urn:uuid:{uuid.uuid4()}"
    probe = f"""<?xml version="1.0" encoding="utf-8"?>
<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope"
 xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:w="http://schemas.xmlsoap.org/ws/2005/04/discovery">
<SOAP-ENV:Header><a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>
<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action><a:MessageID>{message}</a:MessageID>
</SOAP-ENV:Header><SOAP-ENV:Body><w:Probe/></SOAP-ENV:Body></SOAP-ENV:Envelope>"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probing:
        probing.settimeout(PATIENCE)
        end = time.monotonic() + PATIENCE
        probing.sendto(probe.encode(), (site.villages[0]["devices"][0]["host"], 3702))
        answers: list[str] = []
        while time.monotonic() < end and not answers:
            answer = probing.recv(65536).decode()
            if message in answer:
                answers.append(answer)
    assert "ProbeMatches" in answers[0]
    assert "onvif/device_service" in answers[0]
