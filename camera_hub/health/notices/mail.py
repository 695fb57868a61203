"""Mail over SMTP (RFC 5321), with STARTTLS or TLS, a login, and through an HTTP proxy (CONNECT) if need be.

smtplib blocks, so it runs in a thread; at the deadline its socket is shut down, which ends it. What a server sends is
bounded. A message is built by the email package, which refuses line breaks in headers.
"""

import asyncio
import base64
import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from camera_hub.clock import Clock
from camera_hub.health.notices.sending import ChannelTarget, OutgoingNotice, PostOutcome, PostResult, no_answer

ANSWERS = 256 * 1024
"""Bytes of all answers of a server to one mail."""

_PROXY_HEAD = 8192


class ProxyRefused(OSError):
    """The proxy does not connect us; `status` is what it answered."""

    def __init__(self, status: str) -> None:
        super().__init__(f"proxy: {status}")
        self.status = status


class MailSender:
    """Sends one mail to all recipients of a channel."""

    spacing = 0.0

    def __init__(self, target: ChannelTarget, clock: Clock) -> None:
        self._target = target
        self._clock = clock

    async def send(self, notice: OutgoingNotice) -> PostResult:
        """One mail. Takes four times the channel's time limit at most; never raises for a faulty server."""
        delivery = _Delivery(self._target, message(self._target, notice, self._clock.now()))
        work = asyncio.get_running_loop().run_in_executor(None, delivery.run)
        try:
            async with asyncio.timeout(4 * self._target.timeout_s):
                return await asyncio.shield(work)
        except TimeoutError as error:
            return no_answer(error)
        finally:
            delivery.stop()


def message(target: ChannelTarget, notice: OutgoingNotice, now: datetime) -> EmailMessage:
    """The mail. Its Message-ID is the notice's, so that a repetition is recognized."""
    options = target.settings
    mail = EmailMessage()
    mail["From"] = options["sender"]
    mail["To"] = ", ".join(options["recipients"])
    mail["Subject"] = " ".join(notice.said("title").split())
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<notice-{notice.id}-{target.channel_id}@camera-hub.invalid>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(f"{notice.said('text')}\n\n（编号 {notice.id}）\n")
    return mail


class _Delivery:
    """One mail's way, in a thread of its own."""

    def __init__(self, target: ChannelTarget, mail: EmailMessage) -> None:
        self._target = target
        self._mail = mail
        self._options = target.settings
        self._secret = target.secret
        self._sockets: list[socket.socket] = []
        self._stopped = False

    def stop(self) -> None:
        """End it, whatever it waits for."""
        self._stopped = True
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def run(self) -> PostResult:
        """Deliver. Never raises for a faulty server."""
        proxy = bool(self._secret.get("proxy"))
        try:
            return self._deliver()
        except smtplib.SMTPAuthenticationError as error:
            return PostResult(PostOutcome.FAILED, f"SMTP {error.smtp_code}", "channel_login")
        except smtplib.SMTPSenderRefused as error:
            return PostResult(_by_code(error.smtp_code), f"SMTP {error.smtp_code}", "channel_sender")
        except smtplib.SMTPRecipientsRefused as error:
            code = max((code for code, _ in error.recipients.values()), default=550)
            return PostResult(_by_code(code), f"SMTP {code}", "channel_recipients")
        except smtplib.SMTPNotSupportedError:
            return PostResult(PostOutcome.FAILED, "SMTPNotSupportedError", "channel_unsupported")
        except smtplib.SMTPResponseException as error:
            return PostResult(_by_code(error.smtp_code), f"SMTP {error.smtp_code}", "channel_refused")
        except smtplib.SMTPServerDisconnected:
            return PostResult(PostOutcome.NO_ANSWER, "SMTPServerDisconnected", "channel_answer")
        except ProxyRefused as error:
            return PostResult(PostOutcome.NO_ANSWER, str(error)[:100], "channel_proxy")
        except (OSError, ssl.SSLError, smtplib.SMTPException, ValueError) as error:
            return no_answer(error, proxy)
        finally:
            for one in self._sockets:
                one.close()

    def _deliver(self) -> PostResult:
        security = self._options["security"]
        context = ssl.create_default_context()
        if not self._options["verify"]:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        raw = self._connected()
        if security == "tls":
            raw = self._encrypted(raw, context)
        server = _Smtp(raw, self._target.timeout_s)
        try:
            server.greet()
            server.ehlo_or_helo_if_needed()
            if security == "starttls":
                server.begin_tls(lambda plain: self._encrypted(plain, context))
            if self._secret.get("username"):
                server.login(str(self._secret["username"]), str(self._secret.get("password", "")))
            refused = server.send_message(self._mail)
            with suppress(smtplib.SMTPException, OSError):
                server.quit()  # it has the mail: what it answers to a farewell changes nothing
        finally:
            server.close()
        if refused:  # the others have it: sending it again would double theirs
            code = max(code for code, _ in refused.values())
            of = f"{len(refused)} of {len(self._options['recipients'])} recipients"
            return PostResult(PostOutcome.DELIVERED, f"SMTP {code} for {of}", "channel_recipients")
        return PostResult(PostOutcome.DELIVERED)

    def _connected(self) -> socket.socket:
        if not (proxy := str(self._secret.get("proxy", ""))):
            return self._noted(
                socket.create_connection((self._target.host, self._options["port"]), self._target.timeout_s)
            )
        parts = urlsplit(proxy)
        raw = self._noted(socket.create_connection((parts.hostname, parts.port or 80), self._target.timeout_s))
        host = f"[{self._target.host}]" if ":" in self._target.host else self._target.host
        place = f"{host}:{self._options['port']}"
        lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
        if parts.username is not None:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            lines.append(f"Proxy-Authorization: Basic {base64.b64encode(login).decode()}")
        raw.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = b""
        while b"\r\n\r\n" not in head:
            part = raw.recv(1)  # byte by byte: what follows the head is the server's
            if not part or len(head) >= _PROXY_HEAD:
                raise ProxyRefused("no answer")
            head += part
        status = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        if len(status) < 2 or not status[1].startswith("2"):
            raise ProxyRefused(status[1][:3] if len(status) > 1 else "no answer")
        return raw

    def _encrypted(self, raw: socket.socket, context: ssl.SSLContext) -> socket.socket:
        """In two steps, so that the deadline can end the handshake, too."""
        made = context.wrap_socket(raw, server_hostname=self._target.host, do_handshake_on_connect=False)
        self._noted(made)
        made.do_handshake()
        return made

    def _noted(self, made: socket.socket) -> socket.socket:
        self._sockets.append(made)
        if self._stopped:
            self.stop()
        return made


class _Smtp(smtplib.SMTP):
    """smtplib's conversation over a socket that is there already, with bounded answers."""

    def __init__(self, raw: socket.socket, timeout: float) -> None:
        super().__init__(timeout=timeout, local_hostname="[127.0.0.1]")
        self.sock = raw
        self._left = ANSWERS

    def begin_tls(self, encrypt: Callable[[socket.socket], socket.socket]) -> None:
        """STARTTLS (RFC 3207). What came before it is forgotten, and what the server sent ahead is not read."""
        if not self.has_extn("starttls"):
            raise smtplib.SMTPNotSupportedError("no STARTTLS")
        code, words = self.docmd("STARTTLS")
        if code != 220 or self.sock is None:
            raise smtplib.SMTPResponseException(code, words)
        self.sock, self.file = encrypt(self.sock), None
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features, self.does_esmtp = {}, False
        self.ehlo()

    def greet(self) -> None:
        """Read the server's greeting."""
        code, words = self.getreply()
        if code != 220:
            raise smtplib.SMTPConnectError(code, words)

    def getreply(self) -> tuple[int, bytes]:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("connection closed")
        if self.file is None:
            self.file = _Capped(self.sock.makefile("rb"), self)
        return super().getreply()

    def take(self, size: int) -> None:
        """Count what the server sends."""
        self._left -= size
        if self._left < 0:
            raise OSError("the server's answers are too long")


class _Capped:
    """A file whose bytes are counted."""

    def __init__(self, file: Any, smtp: _Smtp) -> None:
        self._file = file
        self._smtp = smtp

    def readline(self, limit: int = -1) -> bytes:
        line: bytes = self._file.readline(limit)
        self._smtp.take(len(line))
        return line

    def close(self) -> None:
        self._file.close()


def _by_code(code: int) -> PostOutcome:
    """SMTP's 4xx is for now, 5xx for this mail."""
    return PostOutcome.FAILED if 400 <= code < 500 else PostOutcome.REFUSED
