"""RTSP 403: a refused login only where it is the login that is being proved."""

import asyncio
from collections.abc import Callable

import pytest

from camera_hub.clock import SystemClock
from camera_hub.errors import HubError, Reason
from camera_hub.relay.messages import RtspLiveSource
from camera_hub.relay.rtsp.client import RtspSession
from camera_hub.relay.rtsp.learnt import Learnt

SDP = b"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
CHALLENGE = 'WWW-Authenticate: Digest realm="c", nonce="n"'


class NoVideo:
    packets = 0

    def read_interleaved(self, data: bytes, at: int, channel: int) -> int:
        return at

    def on_packet(self, data: bytes) -> None:
        raise AssertionError

    def receiver_report(self) -> bytes | None:
        return None


async def refusal(status: Callable[[str, bool], int], password: str | None = "p") -> HubError:
    """What describing and setting up fails with; `status` of the answer to a method that was signed or not."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                method = head.partition(" ")[0]
                code = status(method, "Authorization:" in head)
                lines = [f"RTSP/1.0 {code} X", head[head.index("CSeq:") :].partition("\r\n")[0]]
                lines += [CHALLENGE] if code == 401 else ["Session: 1"]
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
            async with RtspSession(source, SystemClock(), NoVideo(), Learnt(lambda kind, value: None)) as session:
                stream = await session.describe()
                await session.set_up(stream.control)
        except HubError as error:
            return error
        raise AssertionError("it was not refused")


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
    assert (await refusal(status, password)).reason == reason
