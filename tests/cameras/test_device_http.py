"""The transport to devices against real peers that frame, redirect and hang up as devices do."""

import asyncio
import gzip
import ssl
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from camera_hub.cameras.http.deadline import Deadline
from camera_hub.cameras.http.device_http import DeviceHttp, TlsNeeded
from camera_hub.cameras.http.endings import AS_FRAMED, ENVELOPE, JPEG, Ending
from camera_hub.cameras.http.messages import HttpLimits, HttpPeer, HttpReply, HttpRequest
from camera_hub.errors import HubError, Kind, Reason
from tests.cameras.scripted_peer import Answer, ScriptedPeer, http, tls_context

BODY = b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><a/></s:Body></s:Envelope>'
GET = HttpRequest("POST", "/onvif/device_service", body=b"<question/>")
LIMITS = HttpLimits(reply_bytes=65536, quiet=0.3, tail=0.1, idle=5.0)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return tls_context(Path(tmp_path_factory.mktemp("tls")))


@pytest.fixture
async def device() -> AsyncIterator[DeviceHttp]:
    async with DeviceHttp(LIMITS) as device:
        yield device


async def _ask(
    device: DeviceHttp,
    peer: ScriptedPeer,
    request: HttpRequest = GET,
    *,
    ending: Ending = ENVELOPE,
    seconds: float = 5.0,
    host: str = "127.0.0.1",
) -> HttpReply:
    where = HttpPeer(host, "127.0.0.1", peer.port)
    return await device.exchange(where, request, Deadline(seconds), check=lambda *_: None, ending=ending)


def _chunked(body: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    half = len(body) // 2
    pieces = (body[:half], body[half:])
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in pieces)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + end


READ = {
    # answer → how its framing was wrong, and whether the line can be kept
    "as it should be": (http(BODY), "", True),
    "blanks behind the envelope": (http(BODY + b"\r\n\r\n"), "", True),
    "too long a length": (http(BODY, length=len(BODY) + 400), "long", False),
    "too short a length": (http(BODY, length=20), "short", False),
    "one byte too short": (http(BODY, length=len(BODY) - 1), "short", False),
    "no length": (http(BODY, length=None), "", False),
    "an empty length": (http(BODY, "Content-Length:", length=None), "length", False),
    "a length in words": (http(BODY, length="many"), "length", False),
    "a negative length": (http(BODY, length=-1), "length", False),
    "two lengths": (http(BODY, "Content-Length: 7"), "length", False),
    "two equal lengths": (http(BODY, f"Content-Length: {len(BODY)}"), "", True),
    "an absurd length": (http(BODY, length="9" * 40), "length", False),
    "chunks": (_chunked(BODY), "", True),
    "chunks and a length": (_chunked(BODY).replace(b"Transfer", b"Content-Length: 3\r\nTransfer"), "length", True),
    "chunks without an end": (_chunked(BODY, b""), "chunked", False),
    "chunks with half an end": (_chunked(BODY, b"0\r"), "chunked", False),
    "chunks with a broken end": (_chunked(BODY, b"zz\r\n"), "chunked", False),
    "chunks that are none": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + BODY, "short", False),
    "identity as a transfer coding": (http(BODY, "Transfer-Encoding: identity"), "", True),
    "junk before the status line": (b"\r\n\r\n\x00junk\r\n" + http(BODY), "", True),
    "bare line feeds": (http(BODY).replace(b"\r\n", b"\n"), "", True),
    "a header without a colon": (http(BODY, "Server"), "", True),
    "a blank in a header's name": (http(BODY, "X Y: 1", "Server : z"), "", True),
    "a header line of one blank": (http(BODY, "Server: z", " ", "Date: now"), "", True),
    "a continued header": (http(BODY, "Server: z", "\tand more"), "", True),
    "control characters in a header": (http(BODY, "Server: z\x00\x07"), "", True),
    "names in odd case": (http(BODY).replace(b"Content-Length", b"cONTENT-lENGTH"), "", True),
    "no reason phrase": (http(BODY).replace(b"200 X", b"200"), "", True),
    "HTTP/1.0": (http(BODY).replace(b"HTTP/1.1", b"HTTP/1.0"), "", False),
    "an odd version": (http(BODY).replace(b"HTTP/1.1", b"http/1.2"), "", True),
    "100 Continue first": (b"HTTP/1.1 100 Continue\r\n\r\n" + http(BODY), "", True),
    "102 thrice": (b"HTTP/1.1 102 Processing\r\nA: b\r\n\r\n" * 3 + http(BODY), "", True),
    "gzip unasked": (http(gzip.compress(BODY), "Content-Encoding: gzip"), "", True),
    "deflate": (http(zlib.compress(BODY), "Content-Encoding: deflate"), "", True),
    "raw deflate": (http(zlib.compress(BODY)[2:-4], "Content-Encoding: deflate"), "", True),
    "gzip in name only": (http(BODY, "Content-Encoding: gzip"), "", True),
    "Connection: close": (http(BODY, "Connection: close"), "", False),
}


@pytest.mark.parametrize("pieces", [1, 7])
@pytest.mark.parametrize(("answer", "framing", "kept"), READ.values(), ids=READ.keys())
async def test_an_envelope_is_read_however_it_is_framed(
    device: DeviceHttp, answer: bytes, framing: str, kept: bool, pieces: int
) -> None:
    async with ScriptedPeer([answer], pieces=pieces) as peer:
        for _ in range(2):
            reply = await _ask(device, peer)
            assert reply.status == 200
            assert reply.body.strip() == BODY
            assert reply.framing == framing
        assert peer.connections == (1 if kept else 2)


WIDE = f'<?xml version="1.0" encoding="UTF-16"?>{BODY.decode()}'.encode("utf-16")
ENDS = {
    "in UTF-16": WIDE,
    "in a comment": BODY.replace(b"<a/>", b"<!-- </s:Envelope> --><a/>"),
    "in CDATA": BODY.replace(b"<a/>", b"<![CDATA[</s:Envelope>]]><a/>"),
    "with a blank": BODY.replace(b"</s:Envelope>", b"</s:Envelope \n>"),
    "without a prefix": BODY.replace(b"s:Env", b"Env"),
    "with a long prefix": BODY.replace(b"s:Env", b"SOAP-ENV:Env"),
}


@pytest.mark.parametrize("pieces", [1, 40])
@pytest.mark.parametrize("body", ENDS.values(), ids=ENDS.keys())
async def test_the_end_tag_is_told_from_what_looks_like_it(device: DeviceHttp, body: bytes, pieces: int) -> None:
    async with ScriptedPeer([http(body, length=len(body) + 99)], pieces=pieces) as peer:
        assert (await _ask(device, peer)).body == body


async def test_what_was_received_before_a_reset_counts(device: DeviceHttp) -> None:
    async with ScriptedPeer([http(BODY, length=len(BODY) + 99)], hold=False) as peer:
        assert (await _ask(device, peer)).body == BODY


@pytest.mark.parametrize("status", [401, 404, 500])
@pytest.mark.parametrize("length", [None, 50])
async def test_an_error_without_a_body_is_not_waited_for(device: DeviceHttp, status: int, length: int | None) -> None:
    async with ScriptedPeer([http(b"", 'WWW-Authenticate: Digest realm="村"', status=status, length=length)]) as peer:
        reply = await _ask(device, peer)
    assert (reply.status, reply.all("www-authenticate")) == (status, ['Digest realm="村"'])


async def test_a_picture_ends_where_it_ends(device: DeviceHttp) -> None:
    picture = b"\xff\xd8thumbnail\xff\xd9rest of it\xff\xd9"
    async with ScriptedPeer([http(picture, length=None)]) as peer:
        assert (await _ask(device, peer, HttpRequest("GET", "/"), ending=JPEG)).body == picture


REFUSED: dict[str, tuple[bytes, str]] = {
    "no HTTP": (b"\x00\x01\x02" * 2000, Reason.BAD_REPLY),
    "RTSP": (b"RTSP/1.0 400 Bad Request\r\nCSeq: 0\r\n\r\n" + b" " * 3000, Reason.BAD_REPLY),
    "endless header": (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70000, Reason.BAD_REPLY),
    "a flood of headers": (http(BODY, *(f"X{n}: y" for n in range(300))), Reason.BAD_REPLY),
    "100 Continue for ever": (b"HTTP/1.1 100 Continue\r\n\r\n" * 40, Reason.BAD_REPLY),
    "another protocol": (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", Reason.BAD_REPLY),
    "too large as announced": (http(b"a" * 70000), Reason.REPLY_TOO_LARGE),
    "too large in chunks": (_chunked(b"a" * 70000), Reason.REPLY_TOO_LARGE),
    "too large as decoded": (http(gzip.compress(b"a" * 999999), "Content-Encoding: gzip"), Reason.REPLY_TOO_LARGE),
    "too large in chunks that are none": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"a" * 70000,
        Reason.REPLY_TOO_LARGE,
    ),
    "an unknown coding": (http(BODY, "Content-Encoding: br"), Reason.BAD_REPLY),
    "a broken coding": (http(b"\x1f\x8b\x08junk", "Content-Encoding: gzip"), Reason.BAD_REPLY),
    "half an answer": (http(BODY[:40], length=500), Reason.TIMED_OUT),
    "nothing": (b"", Reason.TIMED_OUT),
}


@pytest.mark.parametrize(("answer", "reason"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_is_no_answer_is_given_up_with_its_reason(device: DeviceHttp, answer: bytes, reason: str) -> None:
    async with ScriptedPeer([answer]) as peer:
        with pytest.raises(HubError) as caught:
            await _ask(device, peer, seconds=0.6)
    assert caught.value.reason == reason


async def test_a_dead_kept_connection_costs_one_more_and_only_for_what_is_safe(device: DeviceHttp) -> None:
    class Closing(ScriptedPeer):
        async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            """Announces a connection that is kept and closes it at the next request."""
            self.connections += 1
            try:
                await reader.read(1000)
                writer.write(http(BODY))
                await reader.read(1000)
            finally:
                writer.transport.abort()

    async with Closing() as peer:
        for number in range(1, 4):
            assert (await _ask(device, peer)).body == BODY
            assert peer.connections == number
        await _ask(device, peer, HttpRequest("POST", "/", safe=False))
        assert peer.connections == 4


async def test_a_device_that_always_hangs_up_is_asked_twice_over_plain_and_tls(device: DeviceHttp) -> None:
    async with ScriptedPeer([b""], hold=False) as peer:
        with pytest.raises(HubError) as caught:
            await _ask(device, peer)
        assert (caught.value.reason, peer.connections) == (Reason.BAD_REPLY, 2)


async def test_an_unused_connection_is_closed() -> None:
    async with ScriptedPeer([http(BODY)]) as peer, DeviceHttp(HttpLimits(idle=0.05)) as device:
        await _ask(device, peer)
        await asyncio.wait_for(peer.ended.wait(), 60)


async def test_what_comes_unasked_on_a_kept_connection_is_no_answer(device: DeviceHttp) -> None:
    async with ScriptedPeer([http(BODY) + http(b"forged"), http(BODY)]) as peer:
        await _ask(device, peer)
        assert (await _ask(device, peer)).body == BODY
        assert peer.connections == 2


# -- schemes and redirects


async def test_a_port_that_speaks_tls_alone_is_found_out_and_remembered(
    device: DeviceHttp, tls: ssl.SSLContext
) -> None:
    async with ScriptedPeer([http(BODY)], tls=tls) as peer:
        for _ in range(2):
            assert (await _ask(device, peer)).body == BODY
        assert device.tls_port(HttpPeer("127.0.0.1", "127.0.0.1", peer.port)) == peer.port
        assert peer.connections == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("host", ["127.0.0.1", "CAMERA.lan", "", "[::ffff]"])
async def test_a_redirect_to_tls_of_the_same_host_is_followed_without_a_login(
    device: DeviceHttp, tls: ssl.SSLContext, status: int, host: str
) -> None:
    async with (
        ScriptedPeer([http(BODY)], tls=tls) as secure,
        ScriptedPeer([http(b"", f"Location: https://{host}:{secure.port}/other", status=status)]) as plain,
    ):
        signed = HttpRequest("POST", "/x", {"Authorization": "Digest secret"}, b"", signed=True)
        if host == "[::ffff]":
            with pytest.raises(HubError) as caught:
                await _ask(device, plain, host="camera.lan")
            assert caught.value.reason == Reason.REDIRECTED
            return
        with pytest.raises(TlsNeeded):
            await _ask(device, plain, signed, host="camera.lan")
        assert secure.asked == []
        for _ in range(2):
            assert (await _ask(device, plain, host="camera.lan")).body == BODY
        assert len(plain.asked) == 1
        assert [one.line for one in secure.asked] == ["POST /onvif/device_service HTTP/1.1"] * 2


ELSEWHERE = [
    "https://192.0.2.1/x",
    "http://127.0.0.1/x",
    "https://127.0.0.1@192.0.2.1/",
    "https://192.0.2.1@127.0.0.1/",
    "//127.0.0.1/",
    "/other",
    "https://127.0.0.1:99999/",
    "rtsp://127.0.0.1/",
    "",
]


@pytest.mark.parametrize("location", ELSEWHERE)
async def test_no_other_redirect_is_followed(device: DeviceHttp, location: str) -> None:
    async with ScriptedPeer([http(b"", f"Location: {location}", status=302)]) as peer:
        with pytest.raises(HubError) as caught:
            await _ask(device, peer)
    assert (caught.value.reason, peer.connections) == (Reason.REDIRECTED, 1)


async def test_a_redirect_back_from_tls_is_not_followed(device: DeviceHttp, tls: ssl.SSLContext) -> None:
    async with ScriptedPeer([http(b"", "Location: http://127.0.0.1/", status=302)], tls=tls) as secure:
        for _ in range(2):
            with pytest.raises(HubError) as caught:
                await _ask(device, secure)
            assert caught.value.reason == Reason.REDIRECTED


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "<h1>The plain HTTP request was sent to HTTPS port</h1>"),
        (403, "SSL required"),
        (426, "TLS only"),
    ],
)
async def test_words_that_ask_for_tls_are_understood(
    device: DeviceHttp, tls: ssl.SSLContext, status: int, words: str
) -> None:
    answers: list[Answer] = [http(words, status=status)]
    async with ScriptedPeer(answers) as plain:
        with pytest.raises(HubError) as caught:
            await _ask(device, plain)
        assert caught.value.reason == Reason.TLS_FAILED
        assert plain.connections == 2


@pytest.mark.parametrize("answer", [http("", status=400), b"", None])
async def test_a_plain_answer_where_tls_was_named_is_told(device: DeviceHttp, answer: bytes | None) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        if answer is not None:
            writer.write(answer)
        else:
            await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        named = HttpPeer("127.0.0.1", "127.0.0.1", server.sockets[0].getsockname()[1], tls=True)
        with pytest.raises(HubError) as caught:
            await device.exchange(named, GET, Deadline(0.5), check=lambda *_: None)
    assert caught.value.reason == Reason.TLS_FAILED


async def test_where_tls_was_only_guessed_plain_is_tried(device: DeviceHttp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HttpPeer, "secure", property(lambda peer: peer.tls is not False))  # as if the port were 443

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = await reader.read(4096)
        writer.write(http(BODY) if data.startswith(b"POST") else http("", status=400))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        peer = HttpPeer("127.0.0.1", "127.0.0.1", server.sockets[0].getsockname()[1])
        for _ in range(2):
            assert (await device.exchange(peer, GET, Deadline(5), check=lambda *_: None)).body == BODY


async def test_every_connect_is_checked_first(device: DeviceHttp, tls: ssl.SSLContext) -> None:
    def check(address: str, port: int) -> None:
        seen.append((address, port))
        if port == secure.port:
            raise HubError(Kind.INVALID, "refused", reason="address_refused")

    seen: list[tuple[str, int]] = []
    async with (
        ScriptedPeer([http(BODY)], tls=tls) as secure,
        ScriptedPeer([http(b"", f"Location: https://127.0.0.1:{secure.port}/", status=301)]) as plain,
    ):
        with pytest.raises(HubError) as caught:
            await device.exchange(
                HttpPeer("127.0.0.1", "127.0.0.1", plain.port), GET, Deadline(5), check=check, ending=AS_FRAMED
            )
    assert caught.value.reason == "address_refused"
    assert seen == [("127.0.0.1", plain.port), ("127.0.0.1", secure.port)]
    assert secure.connections == 0


async def test_a_kept_connection_is_checked_too(device: DeviceHttp) -> None:
    """Ranges may have changed since it was opened, or another village asks."""

    def refuse(address: str, port: int) -> None:
        raise HubError(Kind.INVALID, "not there", reason=Reason.ADDRESS_REFUSED)

    async with ScriptedPeer([http(BODY)]) as peer:
        where = HttpPeer("127.0.0.1", "127.0.0.1", peer.port)
        assert (await _ask(device, peer)).body == BODY
        with pytest.raises(HubError) as caught:
            await device.exchange(where, GET, Deadline(5), check=refuse, ending=ENVELOPE)
        assert caught.value.reason == Reason.ADDRESS_REFUSED
        assert len(peer.asked) == 1
