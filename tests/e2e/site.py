"""A whole site for a test: virtual villages in one process, the hub in another, and an API client with rights."""

import json
import re
import secrets
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

from camera_hub.simulator.testing import own_network
from tests.fakes.databases import migrated_in
from tests.fakes.environment import unmeasured
from tests.fakes.processes import children

T = TypeVar("T")
PASSWORD = secrets.token_urlsafe(12)
PATIENCE = 180.0
"""Seconds after which a wait is given up. Its length proves nothing: what is waited for comes or never does, and a busy
machine may take a minute for what an idle one does in a second."""
TLS = ssl.create_default_context()
"""Made once: httpx makes one for each client and call (27 ms of a core), although nothing here speaks TLS."""


_given: set[int] = set()
"""The ports that have been given out here."""


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that is free at all addresses, as is the one after it (a second relay takes that), below those that Linux
    gives out by itself (ip_local_port_range), so that nobody else takes it before the hub of this test has begun.

    No port is given out twice: the hub that it is for may not have opened it yet.
    """
    while True:
        port = 20_000 + 2 * secrets.randbelow(6_000)
        if port in _given:
            continue
        with (
            suppress(OSError),
            socket.socket(socket.AF_INET, kind) as one,
            socket.socket(socket.AF_INET, kind) as next_one,
        ):
            one.bind(("", port))
            next_one.bind(("", port + 1))
            _given.add(port)
            return port


def until(ask: Callable[[], T | None], *, what: str | Callable[[], str], seconds: float = PATIENCE) -> T:
    """Ask again and again until the answer is not None/False; fails naming `what` (asked only then) after `seconds`.

    Polling is how one waits for another process; the pause only keeps the machine free for it.
    """
    end = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:g} s: {what if isinstance(what, str) else what()}")
        select.select([], [], [], 0.1)


def client(url: str) -> httpx.Client:
    """An API client that makes a connection for each request.

    One that is kept is closed by the hub after some seconds without a request, perhaps while the next is on its way.
    """
    return httpx.Client(
        base_url=url,
        headers={"x-camera-hub": "1"},
        timeout=PATIENCE,
        verify=TLS,
        limits=httpx.Limits(max_keepalive_connections=0),
    )


@dataclass
class Site:
    """A running site. `api` is signed in as the township admin."""

    folder: Path
    port: int
    environment: dict[str, str]
    farm: dict[str, Any] = field(default_factory=dict)
    control: str = ""
    api: httpx.Client = field(default_factory=httpx.Client)
    hub: subprocess.Popen[bytes] | None = None
    setup_link: str = ""
    prefix: Sequence[str] = ()  # of the hub's command: prlimit …

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def villages(self) -> list[dict[str, Any]]:
        """The simulator's villages, each with devices, each with channels."""
        villages: list[dict[str, Any]] = self.farm["villages"]
        return villages

    def fault(self, target: str, fault: str, *, on: bool = True) -> None:
        """Switch a simulator fault at a village, device or channel."""
        answer = httpx.post(
            f"{self.control}/faults", json={"target": target, "fault": fault, "on": on}, timeout=PATIENCE, verify=TLS
        )
        assert answer.status_code == 200, answer.text

    def simulated(self) -> dict[str, Any]:
        """What the simulator has counted."""
        counted: dict[str, Any] = httpx.get(f"{self.control}/stats", timeout=PATIENCE, verify=TLS).json()
        return counted

    def get(self, path: str, **query: Any) -> Any:
        """GET an API path as township admin."""
        answer = self.api.get(path, params=query)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def post(self, path: str, body: Any = None, *, status: tuple[int, ...] = (200, 201)) -> Any:
        """POST to an API path as township admin."""
        answer = self.api.post(path, json=body)
        assert answer.status_code in status, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def start_hub(self) -> str | None:
        """Start the hub and wait until it is ready; answers the set-up token of a first start."""
        self.launch_hub()
        return self.hub_ready()

    def launch_hub(self) -> None:
        """Start the hub's process."""
        with (self.folder / "hub.log").open("a") as errors, (self.folder / "hub.out").open("w") as words:
            self.hub = subprocess.Popen(
                [*self.prefix, sys.executable, "-m", "camera_hub", "serve"],
                env=self.environment,
                stdout=words,
                stderr=errors,
            )

    def hub_ready(self) -> str | None:
        """Wait until the hub answers; its set-up token, if it is a first start."""
        assert self.hub is not None
        hub, log, out = self.hub, self.folder / "hub.log", self.folder / "hub.out"

        def ready() -> bool:
            assert hub.poll() is None, f"the hub ended: {out.read_text()}\n{log.read_text()[-4000:]}"
            try:
                return httpx.get(f"{self.url}/readyz", timeout=2, verify=TLS).status_code == 200
            except httpx.HTTPError:
                return False

        until(ready, what="the hub is ready")
        found = re.search(r"token=([\w-]+)", out.read_text())
        return found.group(1) if found else None

    def kill_hub(self) -> None:
        """kill -9 of the hub alone: its relays and eyes must end by themselves."""
        assert self.hub is not None
        self.hub.kill()
        self.hub.wait()

    def stop(self) -> None:
        """End the hub in good order."""
        self.api.close()
        if self.hub is not None:
            _end(self.hub)

    def children(self, room: str) -> list[int]:
        """Process ids of the hub's relays or eyes."""
        return children(self.hub.pid, room) if self.hub is not None else []

    def sign_in(self) -> None:
        """A fresh session for `api`."""
        self.api.close()
        self.api = client(self.url)
        answer = self.api.post("/api/session", json={"username": "admin", "password": PASSWORD})
        assert answer.status_code == 200, answer.text

    def register(self, villages: int | None = None) -> None:
        """Register all devices of the simulator's first `villages` in the hub, over ONVIF, all approved."""
        chosen = self.villages[:villages]
        self.post("/api/villages", {"names": [village["name"] for village in chosen]})
        ids = {village["name"]: village["id"] for village in self.get("/api/villages")}
        for village in chosen:
            for device in village["devices"]:
                self.post(
                    "/api/devices",
                    {
                        "village_id": ids[village["name"]],
                        "host": device["host"],
                        "port": device["onvif_port"],
                        "username": device["username"],
                        "password": device["password"],
                    },
                )
        waiting = [camera["id"] for camera in self.get("/api/cameras") if camera["state"] == "waiting"]
        if waiting:
            self.post("/api/cameras/approve", {"ids": waiting})

    def cameras(self) -> list[dict[str, Any]]:
        """The approved cameras."""
        cameras: list[dict[str, Any]] = self.get("/api/cameras", state="approved")
        return cameras


@contextmanager
def running_site(
    folder: Path,
    *,
    villages: int,
    cameras: int,
    admin: bool = True,
    simulator: Sequence[str] = (),
    prefix: Sequence[str] = (),
    **settings: str,
) -> Iterator[Site]:
    """A site with that many virtual villages and cameras; the hub has its first township admin and nothing else.

    `simulator`: more of its options; `prefix`: what its command begins with. Without `admin` not even that: it begins
    with an empty folder, and `setup_link` is still to be opened. `settings` are HEALTH__ROUND_SECONDS="2".
    """
    network = own_network()  # two sites at once must not meet
    with ExitStack() as stack:
        said = stack.enter_context((folder / "simulator.log").open("w"))
        farming = subprocess.Popen(
            [
                *(sys.executable, "-m", "camera_hub.simulator", "--control", "127.0.0.1:0"),
                *("--villages", str(villages), "--cameras", str(cameras), "--network", network),
                *("--cache", str(folder.parent / "loops")),  # encoded once for all sites of a run
                *simulator,
            ],
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            env=unmeasured(),
        )
        stack.callback(_end, farming)
        port = free_port()
        environment = {
            **unmeasured(),  # journeys wait for real pictures
            "CAMERA_HUB_SERVER__PORT": str(port),
            "CAMERA_HUB_SERVER__DATA_DIR": str(folder / "data"),
            "CAMERA_HUB_DISCOVERY__LOCAL_DEVICES": "true",
            "CAMERA_HUB_MEDIA__UDP_PORT": str(free_port(socket.SOCK_DGRAM)),
            "CAMERA_HUB_MEDIA__RTSP_PORT": str(free_port()),  # the default one is that of simulated cameras, too
            "CAMERA_HUB_MEDIA__LOAD_LIMIT": "1",  # what is accepted must not depend on how busy the tests' machine is
            **{f"CAMERA_HUB_{key}": value for key, value in settings.items()},
        }
        site = Site(folder, port, environment, prefix=prefix)
        stack.callback(site.stop)
        if admin:
            (folder / "data").mkdir(mode=0o700)
            shutil.copyfile(migrated_in(folder.parent), folder / "data" / "camera_hub.sqlite3")
        site.launch_hub()  # beside the simulator: both take seconds to begin
        site.farm = json.loads(farming.stdout.readline())  # type: ignore[union-attr]
        site.control = f"http://{site.farm['control']}"
        token = site.hub_ready()
        assert token, "a first start prints the set-up link"
        site.api = client(site.url)
        site.setup_link = f"{site.url}/setup#token={token}"
        if admin:
            site.post(
                "/api/setup",
                {"token": token, "username": "admin", "display_name": "管理员", "password": PASSWORD},
            )
        yield site


def _end(process: subprocess.Popen[Any]) -> None:
    """Ask the process to end."""
    if process.stdout is not None:
        process.stdout.close()
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise AssertionError(f"{process.args!r} did not end within {PATIENCE:g} s of SIGTERM") from None
