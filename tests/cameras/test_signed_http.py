"""A device's picture or interface behind a login: how it is proved, and how often it is tried."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from types import MappingProxyType

import pytest

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.login_budget import LoginBudget
from camera_hub.cameras.credentials.retry_rules import TRIES_A_DAY
from camera_hub.cameras.http.deadline import Deadline
from camera_hub.cameras.http.device_http import DeviceHttp
from camera_hub.cameras.http.endings import JPEG
from camera_hub.cameras.http.messages import HttpLimits, HttpPeer, HttpReply, HttpRequest
from camera_hub.cameras.http.signed_http import HttpTarget, SignedHttp
from camera_hub.errors import HubError, Reason
from camera_hub.http_auth import digest, read_challenges
from tests.cameras.scripted_peer import Asked, ScriptedPeer, http
from tests.fakes.clock import ManualClock
from tests.fakes.reach import anywhere

PICTURE = b"\xff\xd8picture\xff\xd9"
LOGIN = DeviceLogin("admin", "village-1")
BASIC = 'Basic realm="cam"'


@pytest.fixture
def budget(clock: ManualClock) -> LoginBudget:
    return LoginBudget(clock)


@pytest.fixture
async def signed(budget: LoginBudget) -> AsyncIterator[SignedHttp]:
    async with DeviceHttp(HttpLimits(quiet=0.2)) as transport:
        yield SignedHttp(transport, budget)


async def _picture(
    signed: SignedHttp,
    peer: ScriptedPeer,
    login: DeviceLogin | None = LOGIN,
    known: Mapping[str, str] = MappingProxyType({}),
) -> HttpReply:
    target = HttpTarget(HttpPeer("127.0.0.1", "127.0.0.1", peer.port), login, anywhere, known)
    return await signed.ask(target, HttpRequest("GET", "/snapshot.jpg"), Deadline(5), ending=JPEG)


def _camera(*, again: str = "", bare: bool = False) -> Callable[[Asked], bytes]:
    """Digest with a nonce of its own each time; `again`: parameters when a login was wrong; `bare`: nothing then."""
    count = 0

    def answer(asked: Asked) -> bytes:
        nonlocal count
        count += 1
        challenge = f'Digest realm="cam", nonce="n{count}", qop="auth"'
        sent = asked.headers.get("authorization", "")
        if not sent:
            return http("", f"WWW-Authenticate: {challenge}", f"WWW-Authenticate: {BASIC}", status=401)
        values = dict(re.findall(r'(\w+)="?([^",]+)"?', sent))
        (offered,) = read_challenges([f'Digest realm="cam", nonce="{values["nonce"]}", qop="auth"'])
        expected = digest(
            offered, "admin", "village-1", "GET", "/snapshot.jpg", values["cnonce"], int(values["nc"], 16)
        )
        if expected == sent:
            return http(PICTURE)
        return http("", *([] if bare else [f"WWW-Authenticate: {challenge}{again}"]), status=401)

    return answer


async def test_a_picture_is_fetched_with_digest_and_later_ones_at_once(signed: SignedHttp) -> None:
    async with ScriptedPeer([_camera()]) as peer:
        for number in (2, 3, 4):
            assert (await _picture(signed, peer)).body == PICTURE
            assert len(peer.asked) == number
        assert peer.connections == 1
        assert all(not one.headers.get("authorization", "").startswith("Basic") for one in peer.asked)


@pytest.mark.parametrize("camera", [_camera(), _camera(again=", stale=true"), _camera(bare=True)])
async def test_a_wrong_password_is_tried_six_times_a_day(
    signed: SignedHttp, clock: ManualClock, camera: Callable[[Asked], bytes]
) -> None:
    async with ScriptedPeer([camera]) as peer:
        for _ in range(48):
            with pytest.raises(HubError) as caught:
                await _picture(signed, peer, DeviceLogin("admin", "wrong"))
            assert caught.value.reason == Reason.WRONG_PASSWORD
            clock.move(1799)
        assert sum("authorization" in one.headers for one in peer.asked) <= 6


async def test_without_a_login_it_is_asked_for(signed: SignedHttp) -> None:
    async with ScriptedPeer([_camera()]) as peer:
        with pytest.raises(HubError) as caught:
            await _picture(signed, peer, None)
    assert caught.value.reason == Reason.LOGIN_NEEDED


@pytest.mark.parametrize("known", [{"digest_offered": "yes"}])
async def test_basic_is_never_answered_where_digest_was_ever_offered(signed: SignedHttp, known: dict[str, str]) -> None:
    answers = [http("", f"WWW-Authenticate: {BASIC}", status=401), http(PICTURE)]
    async with ScriptedPeer(answers) as peer:
        with pytest.raises(HubError) as caught:
            await _picture(signed, peer, known=known)
        assert caught.value.reason == Reason.BAD_REPLY
        assert all("authorization" not in one.headers for one in peer.asked)
    async with ScriptedPeer(answers) as peer:
        assert (await _picture(signed, peer)).body == PICTURE
        assert peer.asked[1].headers["authorization"].startswith("Basic ")


async def test_digest_that_was_offered_once_counts_for_good(signed: SignedHttp) -> None:
    camera = _camera()
    fallen = http("", f"WWW-Authenticate: {BASIC}", status=401)
    async with ScriptedPeer([camera, camera, fallen]) as peer:
        await _picture(signed, peer)
        for _ in range(2):
            with pytest.raises(HubError):
                await _picture(signed, peer)
        assert all(not one.headers.get("authorization", "").startswith("Basic") for one in peer.asked)


class Notes:
    def __init__(self) -> None:
        self.noted: list[tuple[int, str, str]] = []

    async def note(self, device_id: int, kind: str, value: str) -> None:
        self.noted.append((device_id, kind, value))


async def test_that_digest_was_offered_is_kept_of_a_registered_device(clock: ManualClock) -> None:
    notes = Notes()
    async with DeviceHttp(HttpLimits(quiet=0.2)) as transport, ScriptedPeer([_camera()]) as peer:
        signed = SignedHttp(transport, LoginBudget(clock), notes)
        await _picture(signed, peer)
        assert notes.noted == [], "it is not registered yet"
    async with DeviceHttp(HttpLimits(quiet=0.2)) as transport, ScriptedPeer([_camera()]) as peer:
        signed = SignedHttp(transport, LoginBudget(clock), notes)
        for _ in range(2):
            await _picture(signed, peer, DeviceLogin("admin", "village-1", device_id=5))
        assert notes.noted == [(5, "digest_offered", "yes")]


async def test_a_device_that_forgets_its_challenges_costs_no_try(signed: SignedHttp) -> None:
    """What it accepted before is answered by a bare 401, and the request without a login by a new challenge."""
    camera = _camera()
    bare = http("", status=401)
    async with ScriptedPeer([camera, camera, bare, camera, camera]) as peer:
        for _ in range(2):
            assert (await _picture(signed, peer)).body == PICTURE
        assert ["authorization" in one.headers for one in peer.asked] == [False, True, True, False, True]


async def test_a_password_changed_at_the_device_counts_as_often_as_the_device_has_seen_the_old_one(
    signed: SignedHttp, budget: LoginBudget
) -> None:
    login = DeviceLogin("admin", "village-1", device_id=1)
    camera = _camera()
    refusals = [http("", f'WWW-Authenticate: Digest realm="cam", nonce="x{n}", qop="auth"', status=401) for n in "12"]
    async with ScriptedPeer([camera, camera, *refusals]) as peer:
        await _picture(signed, peer, login)
        for _ in range(3):
            with pytest.raises(HubError) as caught:
                await _picture(signed, peer, login)
            assert caught.value.reason == Reason.WRONG_PASSWORD
        assert len(peer.asked) == 4
    assert budget.pause(1).tries_left == TRIES_A_DAY - 2


async def test_a_nonce_that_was_stale_at_once_is_renewed(signed: SignedHttp) -> None:
    camera = _camera()
    stale = http("", 'WWW-Authenticate: Digest realm="cam", nonce="m", qop="auth", stale=true', status=401)
    async with ScriptedPeer([camera, stale, camera]) as peer:
        assert (await _picture(signed, peer)).body == PICTURE


async def test_requests_at_the_same_time_do_not_take_each_others_401_for_a_refused_login(clock: ManualClock) -> None:
    """A device that renews its nonce while several requests are under way, and counts the requests of each nonce."""
    nonce, counts, refused = "n1", dict[str, int](), 0

    def answer(asked: Asked) -> bytes:
        nonlocal nonce, refused
        values = dict(re.findall(r'(\w+)="?([^",]+)"?', asked.headers.get("authorization", "")))
        if len(counts) == 1 and counts["n1"] == 1:
            nonce = "n2"  # just after the first answer: all that is signed with the old one comes too late
        count = int(values.get("nc", "0"), 16)
        if values.get("nonce") != nonce or count <= counts.get(nonce, 0):
            refused += bool(values)
            return http("", f'WWW-Authenticate: Digest realm="cam", nonce="{nonce}", qop="auth"', status=401)
        counts[nonce] = count
        return http(PICTURE)

    async with DeviceHttp(HttpLimits(quiet=0.2)) as transport, ScriptedPeer([answer]) as peer:
        budget = LoginBudget(clock)
        signed = SignedHttp(transport, budget)
        await _picture(signed, peer)
        replies = await asyncio.gather(*(_picture(signed, peer) for _ in range(8)))
    assert [one.body for one in replies] == [PICTURE] * 8
    assert refused, "the case was met"
    assert budget.wait(budget.account(LOGIN, "127.0.0.1", peer.port), "http") == 0
    assert counts["n2"] >= 8, "one count for all that sign with a nonce"


async def test_a_401_to_an_accepted_user_is_no_refused_login(signed: SignedHttp) -> None:
    camera = _camera()
    forbidden = http("", 'WWW-Authenticate: Digest realm="cam", nonce="n9", qop="auth"', status=401)
    async with ScriptedPeer([camera, camera, forbidden]) as peer:
        await _picture(signed, peer)
        target = HttpTarget(HttpPeer("127.0.0.1", "127.0.0.1", peer.port), LOGIN, anywhere)
        for _ in range(4):
            with pytest.raises(HubError) as caught:
                await signed.ask(target, HttpRequest("GET", "/config"), Deadline(5), login_proved=True)
            assert caught.value.reason == Reason.NO_RIGHTS


async def test_basic_is_not_answered_where_the_caller_forbids_it(signed: SignedHttp) -> None:
    async with ScriptedPeer([http("", f"WWW-Authenticate: {BASIC}", status=401)]) as peer:
        target = HttpTarget(HttpPeer("127.0.0.1", "127.0.0.1", peer.port), LOGIN, anywhere, basic=False)
        with pytest.raises(HubError) as caught:
            await signed.ask(target, HttpRequest("GET", "/config"), Deadline(5))
        assert caught.value.reason == Reason.BAD_REPLY
        assert all("authorization" not in one.headers for one in peer.asked)
