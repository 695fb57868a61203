"""A wrong password, whoever tries it and however: at most six signed requests reach the device in a day.

Real clients of the hub against a device in this process that speaks ONVIF and RTSP on two ports; time is the test's.
"""

import asyncio
import hashlib
import itertools
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.login_budget import LoginBudget
from camera_hub.cameras.credentials.login_memory import LoginKey
from camera_hub.cameras.credentials.login_store import DatabaseLoginStore
from camera_hub.cameras.credentials.retry_rules import IN_HALF_HOUR, TRIES_A_DAY
from camera_hub.cameras.onvif.client import Onvif
from camera_hub.errors import HubError, Reason
from camera_hub.media.background import Background
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.feeds.login_permits import LoginPermits
from camera_hub.relay.ingest.login_permits import LoginPermitRequests
from camera_hub.relay.messages import FeedSpec, LoginMay, LoginSaid, RtspLiveSource
from camera_hub.relay.rtsp.client import RtspSession
from camera_hub.relay.rtsp.interleaved import InterleavedStreams
from camera_hub.relay.rtsp.learnt import Learnt
from camera_hub.relay.rtsp.requests import SessionRequests
from camera_hub.settings import DiscoverySettings
from camera_hub.store.database import Database
from tests.fakes.clock import ManualClock
from tests.fakes.reach import anywhere

HOUR = 3600.0
NOT_AUTHORIZED = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:ter="http://www.onvif.org/ver10/error"><s:Body>'
    "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value></s:Subcode></s:Code>"
    '<s:Reason><s:Text xml:lang="en">Sender not Authorized</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>'
)


@dataclass
class LockingDevice:
    """Refuses every login. `kind`: "challenges" (a new nonce each time), "bare" (no header once a request was signed),
    "stale" (a new nonce each time, and the last one was too old), "token" (ONVIF by UsernameToken), "silent" (answers
    nothing at all). `right`: the login is right, until it is changed; `renew`: but
    with another nonce, once."""

    kind: str
    clock: ManualClock
    http_port: int = 0
    rtsp_port: int = 0
    tries: list[tuple[float, str]] = field(default_factory=list)
    asked: int = 0
    right: bool = False
    renew: bool = False
    nonces: Any = field(default_factory=itertools.count)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["LockingDevice"]:
        async with AsyncExitStack() as stack:
            for name in ("http", "rtsp"):
                server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
                await stack.enter_async_context(server)
                setattr(self, f"{name}_port", server.sockets[0].getsockname()[1])
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = re.search(r"(?im)^content-length:\s*(\d+)", head)
                body = await reader.readexactly(int(length[1])) if length else b""
                self.asked += 1
                writer.write(self._answer(head, body))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, head: str, body: bytes) -> bytes:
        rtsp = " RTSP/" in head.partition("\r\n")[0]
        signed = re.search(r"(?im)^authorization:", head) is not None or b"UsernameToken" in body
        if signed:
            self.tries.append((self.clock.monotonic(), "rtsp" if rtsp else "http"))
        renew, self.renew = self.renew, False
        if signed and self.right and not renew:
            number = re.search(r"(?im)^cseq:.*$", head)
            lines = ["RTSP/1.0 200 OK", number[0].strip() if number else "", "Content-Type: text/plain"]
            return "\r\n".join([*lines, "Content-Length: 0", "", ""]).encode()
        token = self.kind == "token" and not rtsp
        text = NOT_AUTHORIZED if token else ""
        lines = [f"{'RTSP/1.0' if rtsp else 'HTTP/1.1'} {'400 Bad Request' if token else '401 Unauthorized'}"]
        if rtsp and (number := re.search(r"(?im)^cseq:.*$", head)):
            lines.append(number[0].strip())
        if not token and not (signed and self.kind == "bare"):
            stale = ", stale=true" if signed and self.kind == "stale" else ""
            nonce = hashlib.md5(str(next(self.nonces)).encode(), usedforsecurity=False).hexdigest()
            lines.append(f'WWW-Authenticate: Digest realm="cam", nonce="{nonce}", qop="auth"{stale}')
        lines += ["Content-Type: application/soap+xml"] if text else []
        return "\r\n".join([*lines, f"Content-Length: {len(text)}", "", text]).encode()


class NoVideo:
    packets = 0

    def read_interleaved(self, data: bytes, at: int, channel: int) -> int:
        return at

    def on_packet(self, data: bytes) -> None:
        raise AssertionError

    def receiver_report(self) -> bytes | None:
        return None


class HubSide:
    """The parts of a running hub that send logins: ONVIF, and a relay that asks for permits."""

    def __init__(self, budget: LoginBudget, onvif: Onvif, background: Background, device: LockingDevice) -> None:
        self.budget = budget
        self.id = 1
        self._onvif = onvif
        self._device = device
        self._permits = LoginPermits(budget, self, background)
        self._requests = LoginPermitRequests(self._to_hub, asks=True)
        self._login = DeviceLogin("", "")

    async def describe(self, login: DeviceLogin, host: str = "127.0.0.1") -> None:
        """Over ONVIF: looks, registration and moves do this."""
        try:
            await self._onvif.describe(host, self._device.http_port, login)
        except HubError:
            return
        raise AssertionError("the login is wrong")

    async def pull(self, login: DeviceLogin) -> None:
        """Over RTSP: feeds, looks, proofs of cameras known by URL."""
        self._login, port = login, self._device.rtsp_port
        source = RtspLiveSource(f"rtsp://127.0.0.1:{port}/live", "127.0.0.1", port, login.username, login.password)
        spec = FeedSpec("s1", source, device=f"d{login.device_id}", credentials_version=login.version)
        try:
            async with self._requests.trying(spec) as permit:
                learnt = Learnt(lambda kind, value: None)
                async with RtspSession(source, self._device.clock, NoVideo(), learnt, permit) as session:
                    await session.describe()
                    permit.accepted()
        except HubError:
            return
        raise AssertionError("the login is wrong")

    @asynccontextmanager
    async def playing(self, login: DeviceLogin) -> AsyncIterator[SessionRequests]:
        """A session over RTSP whose login was accepted when it was opened."""
        self._login, port = login, self._device.rtsp_port
        source = RtspLiveSource(f"rtsp://127.0.0.1:{port}/live", "127.0.0.1", port, login.username, login.password)
        spec = FeedSpec("s1", source, device=f"d{login.device_id}", credentials_version=login.version)
        reader = InterleavedStreams(NoVideo(), Learnt(lambda kind, value: None))
        async with SessionRequests(source, source.url, reader, Learnt(lambda kind, value: None)) as session:
            async with self._requests.trying(spec) as permit:
                session.permit = permit
                assert (await session.send("DESCRIBE", source.url)).status == 200
                permit.accepted()
            session.permits = lambda: self._requests.trying(spec)
            yield session

    def account(self, key: FeedKey) -> LoginKey:
        return self.budget.account(self._login, "127.0.0.1", self._device.rtsp_port)

    def post(self, type_: str, values: dict[str, Any]) -> None:
        self._requests.on_answer(LoginMay.of(values))

    def _to_hub(self, head: dict[str, Any]) -> None:
        if head["type"] == "login.ask":
            self._permits.on_login_request(self, FeedKey(0, head["feed"]), head["turn"])
        else:
            self._permits.on_outcome(self.id, LoginSaid.of(head))


@asynccontextmanager
async def hub_side(database: Database, clock: ManualClock, device: LockingDevice) -> AsyncIterator[HubSide]:
    settings = DiscoverySettings(onvif_timeout=5.0, host_timeout=2.0)
    async with (
        LoginBudget(clock, DatabaseLoginStore(database), b"secret") as budget,
        Onvif(settings, clock, budget, check=anywhere) as onvif,
        Background() as background,
    ):
        yield HubSide(budget, onvif, background, device)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["challenges", "bare", "stale", "token"])
async def test_a_wrong_password_reaches_the_device_six_times_a_day_at_most(
    database: Database, clock: ManualClock, kind: str
) -> None:
    stored, typed = DeviceLogin("admin", "wrong", 1, 1), itertools.count()
    other, by_url = DeviceLogin("admin", "wrong"), DeviceLogin("viewer", "wrong too", 1, 2)
    async with LockingDevice(kind, clock).running() as device:
        for part in range(4):  # with a restart every six hours
            async with hub_side(database, clock, device) as hub:
                for step in range(12):
                    await hub.pull(stored)
                    await hub.describe(stored)
                    await hub.describe(other)
                    await hub.pull(by_url)
                    if step % 4 == part:  # a village admin who guesses; at a spelling of the same address, too
                        await hub.describe(
                            DeviceLogin("admin", f"guess {next(typed)}"), ("127.0.0.1", "localhost")[step % 2]
                        )
                    elif step == 7:  # a maintainer who types the same once more
                        stored = DeviceLogin("admin", "wrong", stored.version + 1, 1)
                    clock.move(HOUR / 2)
                assert hub.budget.pause(1).tries_left == TRIES_A_DAY - len(device.tries)
        times = [at for at, _ in device.tries]
        assert len(times) <= TRIES_A_DAY, device.tries
        assert {what for _, what in device.tries} == {"rtsp", "http"}
        assert all(later - earlier >= HOUR / 2 for earlier, later in zip(times, times[IN_HALF_HOUR:], strict=False))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["challenges", "bare", "stale", "token"])
@pytest.mark.parametrize("how", ["describe", "pull", "guesses"])
async def test_each_way_alone_stays_within_it_and_is_seen(
    database: Database, clock: ManualClock, kind: str, how: str
) -> None:
    async with LockingDevice(kind, clock).running() as device:
        for part in range(2):
            async with hub_side(database, clock, device) as hub:
                for step in range(72):  # every ten minutes
                    if how == "describe":
                        await hub.describe(DeviceLogin("admin", "wrong", 1, 1))
                    elif how == "pull":
                        await hub.pull(DeviceLogin("admin", "wrong", 1, 1))
                    else:
                        await hub.describe(DeviceLogin(f"user {part}", f"guess {step}"))
                    clock.move(HOUR / 6)
        assert len(device.tries) == (TRIES_A_DAY if how == "guesses" else 4), device.tries


async def test_sessions_that_play_do_not_try_a_changed_password_one_after_the_other(
    database: Database, clock: ManualClock
) -> None:
    """A recorder whose password is changed, and which asks all its sessions for a new nonce."""
    login = DeviceLogin("admin", "right until now", 1, 1)
    async with (
        LockingDevice("challenges", clock, right=True).running() as device,
        hub_side(database, clock, device) as hub,
        AsyncExitStack() as stack,
    ):
        sessions = [await stack.enter_async_context(hub.playing(login)) for _ in range(8)]
        device.right, device.tries = False, []
        said = await asyncio.gather(*(one.send("OPTIONS", "*") for one in sessions), return_exceptions=True)
        assert all(isinstance(one, HubError) and one.reason == Reason.WRONG_PASSWORD for one in said), said
        anew = len(device.tries) - len(sessions)  # beside those with the nonce that each had
        assert 1 <= anew <= 2, device.tries
        # Who tries anew was refused with its former nonce, too, and that was no matter of the nonce.
        assert hub.budget.pause(1).tries_left == TRIES_A_DAY - 2 * anew


async def test_a_new_nonce_in_mid_session_costs_no_try(database: Database, clock: ManualClock) -> None:
    login = DeviceLogin("admin", "right", 1, 1)
    async with (
        LockingDevice("challenges", clock, right=True).running() as device,
        hub_side(database, clock, device) as hub,
        hub.playing(login) as session,
    ):
        for _ in range(8):
            device.renew = True
            assert (await session.send("OPTIONS", "*")).status == 200
        assert hub.budget.pause(1).tries_left == TRIES_A_DAY


async def test_what_is_no_refusal_costs_nothing(database: Database, clock: ManualClock) -> None:
    """A device that has no ONVIF, or that nothing listens at: a day of tries, and none is counted."""
    async with LockingDevice("bare", clock).running() as device:
        pass
    async with hub_side(database, clock, device) as hub:
        for _ in range(10):
            await hub.describe(DeviceLogin("admin", "right", 1, 1))
            await hub.pull(DeviceLogin("admin", "right", 1, 1))
            clock.move(HOUR)
        assert hub.budget.pause(1).tries_left == TRIES_A_DAY
