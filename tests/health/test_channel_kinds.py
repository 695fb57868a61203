"""Channels of all kinds against real peers on loopback: an HTTP server that speaks as robots and gateways do, a mail
server, and a proxy."""

import asyncio
import base64
import email
import email.policy
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest

from camera_hub.errors import HubError
from camera_hub.health.notices.mail import message
from camera_hub.health.notices.options import checked_options, checked_secrets, filled, proxy_host, secret_names
from camera_hub.health.notices.robots import signed, worded
from camera_hub.health.notices.senders import sender_of
from camera_hub.health.notices.sending import ChannelTarget, HttpClients, OutgoingNotice, PostOutcome, PostResult
from tests.fakes.clock import ManualClock

TITLE, TEXT = "告警：东沟村网络中断", "东沟村网络中断，涉及 40 路摄像机，14:03 起，已 10 分钟。"
PAYLOAD = {"title": TITLE, "text": TEXT, "short": f"【告警】{TEXT}"}
OK = (200, b'{"errcode":0,"errmsg":"ok"}')


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[int]:
    """A server on loopback that leaves nothing behind; its port."""
    tasks: set[asyncio.Task[Any]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with suppress(asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
                await serve(reader, writer)
        finally:
            writer.close()
            with suppress(OSError, ssl.SSLError):
                await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Peer:
    """A receiver on loopback that answers from a list, and keeps what it got."""

    def __init__(self, *answers: tuple[int, bytes]) -> None:
        self.answers = list(answers)
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.port = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Peer"]:
        async with listening(self._serve) as self.port:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:] if line)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                self.got.append((lines[0], headers, body))
                status, answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(answer)}\r\n\r\n".encode() + answer)
                await writer.drain()
        finally:
            writer.close()


class MailServer:
    """A mail server on loopback (RFC 5321), with a login and STARTTLS if it is given a certificate."""

    def __init__(self, tls: ssl.SSLContext | None = None, refuse: tuple[str, bytes] | None = None) -> None:
        self._tls = tls
        self._refuse = refuse
        self.lines: list[str] = []
        self.mails: list[bytes] = []
        self.port = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator["MailServer"]:
        async with listening(self._serve) as self.port:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.test\r\n")
        encrypted = False
        try:
            while line := (await reader.readline()).decode().rstrip("\r\n"):
                self.lines.append(line)
                verb = line.split(" ")[0].upper()
                if self._refuse is not None and line.upper().startswith(self._refuse[0]):
                    writer.write(self._refuse[1])
                elif verb == "EHLO":
                    more = "250-STARTTLS\r\n" if self._tls and not encrypted else ""
                    writer.write(f"250-mail.test\r\n{more}250-AUTH PLAIN\r\n250 8BITMIME\r\n".encode())
                elif verb == "STARTTLS" and self._tls is not None:
                    writer.write(b"220 go\r\n")
                    await writer.drain()
                    await writer.start_tls(self._tls)
                    encrypted = True
                elif verb == "AUTH":
                    writer.write(b"235 ok\r\n")
                elif verb == "DATA":
                    writer.write(b"354 go\r\n")
                    self.mails.append(await reader.readuntil(b"\r\n.\r\n"))
                    writer.write(b"250 taken\r\n")
                elif verb == "QUIT":
                    writer.write(b"221 bye\r\n")
                    return
                else:
                    writer.write(b"250 ok\r\n")
        finally:
            writer.close()


class Proxy:
    """An HTTP proxy on loopback: CONNECT, and requests forwarded with their whole address."""

    def __init__(self, status: int = 200) -> None:
        self._status = status
        self.asked: list[str] = []
        self.logins: list[str] = []
        self.port = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Proxy"]:
        async with listening(self._serve) as self.port:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, place, _ = head.split(" ", 2)
            self.asked.append(f"{method} {place}")
            for line in head.split("\r\n"):
                if line.lower().startswith("proxy-authorization: basic "):
                    self.logins.append(base64.b64decode(line.split(" ")[-1]).decode())
            if self._status != 200:
                writer.write(f"HTTP/1.1 {self._status} no\r\nContent-Length: 0\r\n\r\n".encode())
                return
            parts = urlsplit(place if "//" in place else f"//{place}")
            up_reader, up_writer = await asyncio.open_connection(parts.hostname, parts.port)
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 ok\r\n\r\n")
            else:
                up_writer.write(head.replace(place, parts.path or "/", 1).encode())
            try:
                await asyncio.gather(_copy(reader, up_writer), _copy(up_reader, writer))
            finally:
                up_writer.close()
        finally:
            writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while part := await reader.read(65536):
        writer.write(part)
        await writer.drain()
    writer.close()


def target(
    kind: str, url: str, *, timeout: float = 5.0, secrets: dict[str, Any] | None = None, **options: Any
) -> ChannelTarget:
    given = json.dumps(checked_options(kind, options))
    host = url if kind == "smtp" else urlsplit(url).hostname or ""
    return ChannelTarget(7, "x", host, url, timeout, kind, given, json.dumps(secrets or {}))


async def send(
    to: ChannelTarget, clock: ManualClock, *, sent: int = 0, payload: dict[str, Any] = PAYLOAD
) -> tuple[PostResult, list[int]]:
    reached: list[int] = []

    async def progress(count: int) -> None:
        reached.append(count)

    async with HttpClients() as clients:
        result = await sender_of(to, clients, clock).send(OutgoingNotice(12, payload, sent, progress))
    return result, reached


async def test_a_robot_of_wecom_gets_a_text_of_at_most_2048_bytes(clock: ManualClock) -> None:
    async with Peer(OK).running() as peer:
        to = target("wecom", f"http://127.0.0.1:{peer.port}/cgi-bin/webhook/send?key=s3cret", phones=["13800000000"])
        long = {**PAYLOAD, "text": "\n".join(f"东沟村“{n} 号”无视频数据" for n in range(200))}
        result, _ = await send(to, clock, payload=long)
    assert result.outcome is PostOutcome.DELIVERED
    said = json.loads(peer.got[0][2])
    assert said["msgtype"] == "text"
    assert said["text"]["mentioned_mobile_list"] == ["13800000000"]
    content = said["text"]["content"]
    assert len(content.encode()) <= 2048
    assert content.startswith(TITLE)
    assert content.endswith("无视频数据\n……\n（编号 12）")


async def test_a_robot_of_dingtalk_gets_a_signed_text(clock: ManualClock) -> None:
    async with Peer(OK).running() as peer:
        to = target("dingtalk", f"http://127.0.0.1:{peer.port}/robot/send?access_token=t", secrets={"sign": "SEC1"})
        result, _ = await send(to, clock)
    assert result.outcome is PostOutcome.DELIVERED
    query = parse_qs(urlsplit(peer.got[0][0].split(" ")[1]).query)
    assert query["access_token"] == ["t"]
    milliseconds = int(clock.now().timestamp() * 1000)
    assert query["timestamp"] == [str(milliseconds)]
    assert peer.got[0][0].endswith(f"&{signed('SEC1', milliseconds)} HTTP/1.1")
    assert (
        signed("SEC1", 1700000000000) == "timestamp=1700000000000&sign=ukR4%2BWoOOBTGaOauYqugxVrMSFyr92q4hPxJxuOkiio%3D"
    )  # by openssl dgst -hmac


@pytest.mark.parametrize(
    ("kind", "status", "answer", "outcome", "reason"),
    [
        ("wecom", 200, {"errcode": 45009, "errmsg": "api freq out of limit"}, "throttled", "channel_rate"),
        ("wecom", 200, {"errcode": 93000, "errmsg": "invalid webhook url"}, "failed", "channel_key"),
        ("wecom", 200, {"errcode": 40008}, "refused", "channel_refused"),
        ("wecom", 200, "<html>login</html>", "failed", "channel_answer"),
        ("wecom", 200, ["errcode"], "failed", "channel_answer"),
        ("wecom", 200, "[" * 8000, "failed", "channel_answer"),
        ("dingtalk", 200, '{"errcode": 1e999}', "failed", "channel_answer"),
        ("wecom", 502, "", "failed", "channel_http"),
        ("wecom", 404, "", "refused", "channel_http"),
        ("wecom", 429, "", "throttled", "channel_rate"),
        ("dingtalk", 200, {"errcode": 310000, "errmsg": "keywords not in content"}, "failed", "channel_keyword"),
        ("dingtalk", 200, {"errcode": 310000, "errmsg": "sign not match"}, "failed", "channel_sign"),
        ("dingtalk", 200, {"errcode": 310000, "errmsg": "invalid timestamp"}, "failed", "channel_clock"),
        ("dingtalk", 200, {"errcode": 310000, "errmsg": "ip 1.2.3.4 not in whitelist"}, "failed", "channel_ip"),
        ("dingtalk", 200, {"errcode": 410100, "errmsg": "send too fast"}, "throttled", "channel_rate"),
        ("dingtalk", 200, {"errcode": 130101, "errmsg": "send too fast"}, "throttled", "channel_rate"),
        ("dingtalk", 200, {"errcode": 300001, "errmsg": "token is not exist"}, "failed", "channel_key"),
        ("sms", 200, '{"code": 7}', "failed", "channel_not_accepted"),
        ("sms", 401, "", "failed", "channel_login"),
        ("sms", 403, "", "failed", "channel_login"),
        ("sms", 302, "", "failed", "channel_http"),
    ],
)
async def test_an_answer_of_a_receiver_is_understood(
    clock: ManualClock, kind: str, status: int, answer: object, outcome: str, reason: str
) -> None:
    body = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
    more: dict[str, Any] = {"body": '{"t": "{text}"}', "accepted": '"code": 0'} if kind == "sms" else {}
    async with Peer((status, body)).running() as peer:
        result, _ = await send(target(kind, f"http://127.0.0.1:{peer.port}/s3cret", **more), clock)
    assert (result.outcome.value, result.reason) == (outcome, reason)
    assert "s3cret" not in str(result)
    assert len(peer.got) == 1, "no redirect is followed"
    assert peer.got[0][1].get("accept-encoding") == "identity", "a packed answer would not be understood"


@pytest.mark.parametrize(
    ("style", "template", "check"),
    [
        ("json", '{"to": "{phones}", "msg": "{text}", "no": "{id}"}', lambda body: json.loads(body)["msg"]),
        ("form", "to={phones}&msg={text}", lambda body: parse_qs(body.decode())["msg"][0]),
        ("xml", "<sms><m>{text}</m></sms>", lambda body: ElementTree.fromstring(body)[0].text or ""),
    ],
)
async def test_an_sms_is_written_as_the_gateway_wants_it(
    clock: ManualClock, style: str, template: str, check: Callable[[bytes], str]
) -> None:
    text = '东沟村"口<1>"&无视频\\数据，' + "很长" * 100 + "。"
    async with Peer((200, b"ok")).running() as peer:
        url, secrets = f"http://127.0.0.1:{peer.port}/send", {"headers": {"X-Key": "s3cret"}}
        phones = ["13800000001", "13800000002"]
        to = target("sms", url, format=style, body=template, phones=phones, secrets=secrets)
        result, _ = await send(to, clock, payload={**PAYLOAD, "short": text})
    assert result.outcome is PostOutcome.DELIVERED
    ((line, headers, body),) = peer.got
    assert (line, headers["x-key"]) == ("POST /send HTTP/1.1", "s3cret")
    said = check(body)
    assert said.startswith('东沟村"口<1>"&无视频\\数据')
    assert len(said) <= 134 - 12
    assert said.endswith("…")


async def test_one_phone_after_the_other_gets_an_sms_once(clock: ManualClock) -> None:
    async with Peer((200, b"ok"), (200, b"ok"), (500, b""), (200, b"ok")).running() as peer:
        url = f"http://127.0.0.1:{peer.port}/send?to={{phone}}&msg={{text}}"
        to = target("sms", url, method="GET", phones=["13800000001", "13800000002", "13800000003"])
        result, reached = await send(to, clock)
        assert (result.outcome, reached) == (PostOutcome.FAILED, [1, 2])
        result, reached = await send(to, clock, sent=2)
        assert (result.outcome, reached) == (PostOutcome.DELIVERED, [3])
    asked = [parse_qs(urlsplit(line.split(" ")[1]).query) for line, _, _ in peer.got]
    assert [one["to"][0][-1] for one in asked] == ["1", "2", "3", "3"]
    assert asked[0]["msg"] == [f"【告警】{TEXT}"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate, as mail servers of a county have."""
    import subprocess

    path = tmp_path_factory.mktemp("tls") / "mail.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=mail.test", "-keyout", str(path), "-out", str(path) + ".crt"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


MAIL: dict[str, Any] = {"sender": "hub@town.example", "recipients": ["a@town.example", "b@town.example"]}


@pytest.mark.parametrize("security", ["none", "starttls"])
@pytest.mark.parametrize("by_proxy", [False, True])
async def test_a_mail_is_sent_with_login_and_tls_through_a_proxy(
    clock: ManualClock, certificate: Path, security: str, by_proxy: bool
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with MailServer(context).running() as server, Proxy().running() as proxy:
        secrets = {"username": "hub", "password": "s3cret"}
        if by_proxy:
            secrets["proxy"] = f"http://me:p%40ss@127.0.0.1:{proxy.port}"
        to = target("smtp", "127.0.0.1", port=server.port, security=security, verify=False, secrets=secrets, **MAIL)
        result, _ = await send(to, clock)
    assert result == PostResult(PostOutcome.DELIVERED)
    assert [line for line in server.lines if line.startswith("rcpt")] == [
        "rcpt TO:<a@town.example>",
        "rcpt TO:<b@town.example>",
    ]
    assert any(line.startswith("AUTH PLAIN") for line in server.lines)
    mail = email.message_from_bytes(server.mails[0], policy=email.policy.default)
    assert (mail["Subject"], mail["Message-ID"]) == (TITLE, "<notice-12-7@camera-hub.invalid>")
    assert TEXT in mail.get_content()
    assert proxy.asked == ([f"CONNECT 127.0.0.1:{server.port}"] if by_proxy else [])
    assert proxy.logins == (["me:p@ss"] if by_proxy else [])


@pytest.mark.parametrize(
    ("refuse", "outcome", "reason"),
    [
        (("AUTH", b"535 no\r\n"), "failed", "channel_login"),
        (("MAIL", b"550 no\r\n"), "refused", "channel_sender"),
        (("RCPT", b"550 no\r\n"), "refused", "channel_recipients"),
        (("RCPT", b"451 later\r\n"), "failed", "channel_recipients"),
        (("DATA", b"554 spam\r\n"), "refused", "channel_refused"),
        (("EHLO", b"250-" + b"x" * 100 + b"\r\n" + b"250-y\r\n" * 60_000), "no_answer", "channel_answer"),
    ],
)
async def test_what_a_mail_server_refuses_is_named(
    clock: ManualClock, refuse: tuple[str, bytes], outcome: str, reason: str
) -> None:
    async with MailServer(refuse=refuse).running() as server:
        secrets = {"username": "hub", "password": "s3cret"}
        to = target("smtp", "127.0.0.1", port=server.port, security="none", secrets=secrets, **MAIL)
        result, _ = await send(to, clock)
    assert (result.outcome.value, result.reason) == (outcome, reason)
    assert "s3cret" not in str(result)


async def test_a_recipient_that_a_mail_server_refuses_alone_is_named_and_the_others_get_it_once(
    clock: ManualClock,
) -> None:
    async with MailServer(refuse=("RCPT TO:<B@", b"550 no such user\r\n")).running() as server:
        result, _ = await send(target("smtp", "127.0.0.1", port=server.port, security="none", **MAIL), clock)
    assert result.outcome is PostOutcome.DELIVERED
    assert (result.error, result.reason) == ("SMTP 550 for 1 of 2 recipients", "channel_recipients")
    assert len(server.mails) == 1


async def test_a_certificate_that_nobody_vouches_for_is_refused_and_named(
    clock: ManualClock, certificate: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with MailServer(context).running() as server:
        to = target("smtp", "127.0.0.1", port=server.port, **MAIL)
        result, _ = await send(to, clock)
    assert (result.outcome, result.reason) == (PostOutcome.NO_ANSWER, "channel_tls")


async def test_a_server_that_says_nothing_is_given_up_at_the_deadline(clock: ManualClock) -> None:
    async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(nothing) as port:
        for to in (
            target("smtp", "127.0.0.1", port=port, security="tls", timeout=0.2, **MAIL),
            target("wecom", f"http://127.0.0.1:{port}/", timeout=0.2),
        ):
            result, _ = await send(to, clock)
            assert (result.outcome, result.reason) == (PostOutcome.NO_ANSWER, "channel_timeout")


async def test_http_goes_through_a_channels_own_proxy_and_its_refusal_is_named(clock: ManualClock) -> None:
    async with Peer(OK).running() as peer, Proxy().running() as proxy:
        secrets = {"proxy": f"http://me:pass@127.0.0.1:{proxy.port}"}
        url = f"http://127.0.0.1:{peer.port}/send"
        result, _ = await send(target("wecom", url, secrets=secrets), clock)
        assert result.outcome is PostOutcome.DELIVERED
        assert (proxy.asked, proxy.logins) == ([f"POST {url}"], ["me:pass"])
        await send(target("wecom", url), clock)
        assert len(proxy.asked) == 1, "another channel does not use it"
    for kind, more in (("wecom", {}), ("smtp", {"port": 9, **MAIL})):
        address = "127.0.0.1" if kind == "smtp" else "https://127.0.0.1:9/"
        result, _ = await send(target(kind, address, secrets={"proxy": "http://127.0.0.1:9"}, **more), clock)
        assert (result.outcome, result.reason) == (PostOutcome.NO_ANSWER, "channel_proxy")
    async with Proxy(407).running() as proxy:
        to = target("smtp", "127.0.0.1", port=9, secrets={"proxy": f"http://127.0.0.1:{proxy.port}"}, **MAIL)
        result, _ = await send(to, clock)
    assert (result.error, result.reason) == ("proxy: 407", "channel_proxy")
    async with Proxy(407).running() as proxy:
        secrets = {"proxy": f"http://127.0.0.1:{proxy.port}"}
        result, _ = await send(target("wecom", "http://127.0.0.1:9/", secrets=secrets), clock)
    assert (result.outcome, result.reason) == (PostOutcome.NO_ANSWER, "channel_proxy"), "no refusal of the receiver"


def test_a_mail_has_no_header_that_a_name_could_add(clock: ManualClock) -> None:
    to = target("smtp", "mail.town.example", **MAIL)
    evil = OutgoingNotice(
        1, {"title": "x\r\nBcc: all@world.example", "text": "y\r\n.\r\nQUIT"}, 0, lambda _: asyncio.sleep(0)
    )
    mail = message(to, evil, clock.now())
    assert mail["Bcc"] is None
    assert mail["Subject"] == "x Bcc: all@world.example"


@pytest.mark.parametrize(
    ("kind", "options", "field"),
    [
        ("webhook", {"port": 1}, "port"),
        ("sms", {"body": "{}"}, "body"),
        ("sms", {"body": '{"x": {text}'}, "body"),
        ("sms", {"body": '{"x": {text}, "to": 1}'}, "body"),
        ("sms", {"body": '{"x": "{text}", "to": "{phone}"}'}, "phones"),
        ("sms", {"body": "to={phones}&x={text}", "format": "form", "phones": []}, "phones"),
        ("sms", {"body": '{"x": "{text}"}', "phones": ["13800000000\n"]}, "phones"),
        ("smtp", {"sender": "a@b.example\n", "recipients": ["a@b.example"]}, "sender"),
        ("sms", {"body": '{"x": "{text}"}', "phones": ["138-1"]}, "phones"),
        ("sms", {"body": "{text}", "format": "yaml"}, "format"),
        ("smtp", {"sender": "x", "recipients": ["a@b.example"]}, "sender"),
        ("smtp", {"sender": "a@b.example", "recipients": []}, "recipients"),
        ("smtp", {"sender": "a@b.example\r\nX: y", "recipients": ["a@b.example"]}, "sender"),
        ("smtp", {"sender": "a@b.example", "recipients": ["a@b.example>\r\nRCPT TO:<c@d.example"]}, "recipients"),
        ("dingtalk", {"sign": "x"}, "sign"),
    ],
)
def test_options_that_will_not_do_are_refused_by_name(kind: str, options: dict[str, Any], field: str) -> None:
    with pytest.raises(HubError) as refused:
        checked_options(kind, options)
    assert (refused.value.reason, refused.value.params["field"]) == ("channel_option", field)


@pytest.mark.parametrize(
    "headers",
    [{"Host": "x"}, {"X": "a\r\nY: b"}, {"X": "a\n"}, {"X\n": "a"}, {"X Y": "a"}, {"X": "密"}, {"X": 1}, ["x"]],
)
def test_headers_that_could_break_a_request_are_refused(headers: object) -> None:
    with pytest.raises(HubError, match="header"):
        checked_secrets("sms", {"headers": headers})


def test_secrets_are_named_never_shown_and_an_empty_one_is_none() -> None:
    secrets = checked_secrets("sms", {"headers": {"X-Key": "s3cret"}})
    assert secret_names(secrets) == ("headers.X-Key",)
    assert checked_secrets("smtp", {"username": "u", "password": ""}) == {"username": "u"}
    assert proxy_host("http://u:p@10.0.0.1:3128") == "10.0.0.1:3128"
    for bad in ("socks5://10.0.0.1:1", "10.0.0.1:3128", "http://", "http://h:99999", "http://h/path"):
        with pytest.raises(HubError, match="proxy"):
            proxy_host(bad)


def test_a_placeholder_within_a_value_is_not_replaced_again() -> None:
    values = {"text": "{phone}", "phone": "1"}
    assert (
        filled('{"a": "{text}", "b": "{phone}", "c": "{other}"}', values, "json")
        == '{"a": "{phone}", "b": "1", "c": "{other}"}'
    )


def test_a_short_text_of_a_robot_is_whole() -> None:
    notice = OutgoingNotice(3, PAYLOAD, 0, lambda _: asyncio.sleep(0))
    assert worded(notice, 2048) == f"{TITLE}\n{TEXT}\n（编号 3）"
