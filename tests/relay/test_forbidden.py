"""What counts as a refused login in a session: a 403 while it is being proved, a 401 however late."""

import asyncio
import itertools
from collections.abc import Callable

import pytest

from camera_hub.clock import SystemClock
from camera_hub.errors import HubError, Reason
from camera_hub.relay.messages import RtspLiveSource
from camera_hub.relay.rtsp.client import RtspSession
from camera_hub.relay.rtsp.learnt import Learnt

SDP = b"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
CHALLENGE = 'WWW-Authenticate: Digest realm="c", nonce="{}"'


class NoVideo:
    packets = 0

    def read_interleaved(self, data: bytes, at: int, channel: int) -> int:
        return at

    def on_packet(self, data: bytes) -> None:
        raise AssertionError

    def receiver_report(self) -> bytes | None:
        return None


class Told:
    """Implements Permit: what the hub is told of the attempt."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def doubted(self) -> None:
        self.words.append("doubted")

    def accepted(self) -> None:
        self.words.append("accepted")

    async def again(self) -> None:
        self.words.append("again")


async def refusal(
    status: Callable[[str, bool], int], password: str | None = "p", permit: Told | None = None
) -> HubError | None:
    """What describing and setting up fails with, None where it does not; `status` of the answer to a method that was
    signed or not. Each 401 brings a nonce of its own.
    """
    nonces = itertools.count()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                method = head.partition(" ")[0]
                code = status(method, "Authorization:" in head)
                lines = [f"RTSP/1.0 {code} X", head[head.index("CSeq:") :].partition("\r\n")[0]]
                lines += [CHALLENGE.format(next(nonces))] if code == 401 else ["Session: 1"]
                body = SDP if (method, code) == ("DESCRIBE", 200) else b""
                lines.append(f"Content-Length: {len(body)}")
                writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        user = "u" if password is not None else None
        source = RtspLiveSource(f"rtsp://127.0.0.1:{port}/live", "127.0.0.1", port, user, password)
        try:
            learnt = Learnt(lambda kind, value: None)
            async with RtspSession(source, SystemClock(), NoVideo(), learnt, permit) as session:
                stream = await session.describe()
                await session.set_up(stream.control)
        except HubError as error:
            return error
        return None


def _signed(method: str, signed: bool) -> int:
    return 403 if signed else 401


def _unsigned(method: str, signed: bool) -> int:
    return 403


def _behind_the_login(method: str, signed: bool) -> int:
    return 401 if not signed else 403 if method == "SETUP" else 200


def _at_the_second_request(method: str, signed: bool) -> int:
    return 200 if method == "DESCRIBE" else 403 if signed else 401


@pytest.mark.parametrize(
    ("status", "password", "reason"),
    [
        (_signed, "p", Reason.WRONG_PASSWORD),
        (_at_the_second_request, "p", Reason.WRONG_PASSWORD),
        (_unsigned, "p", Reason.SOAP_FAULT),
        (_unsigned, None, Reason.SOAP_FAULT),
        (_behind_the_login, "p", Reason.SOAP_FAULT),
    ],
)
async def test_a_403_counts_as_a_refused_login_only_where_one_is_being_proved(
    status: Callable[[str, bool], int], password: str | None, reason: Reason
) -> None:
    error = await refusal(status, password)
    assert error is not None
    assert error.reason == reason


class _Changing:
    """Accepts DESCRIBE; then answers SETUP with another nonce `times` times, whatever signs it."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.refused = 0

    def __call__(self, method: str, signed: bool) -> int:
        if method == "SETUP" and self.left:
            self.left -= 1
            self.refused += signed
            return 401
        return 200 if signed else 401


async def test_a_refusal_by_a_renewed_nonce_counts_if_the_next_is_one_too() -> None:
    """A password that is changed within a session: the device has refused two signed requests, and two are told."""
    told, changed = Told(), _Changing(9)
    error = await refusal(changed, permit=told)
    assert error is not None
    assert error.reason == Reason.WRONG_PASSWORD
    assert (changed.refused, told.words) == (2, ["doubted"])

    told = Told()
    assert await refusal(_Changing(1), permit=told) is None
    assert told.words == ["doubted", "accepted"]
