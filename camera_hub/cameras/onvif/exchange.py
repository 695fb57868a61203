"""One HTTP request to one pinned address, safe against hostile devices: blocking, for use in a worker thread.

One deadline covers connecting, sending and every byte of the answer, so that a device which answers byte by byte cannot
hold a thread. Redirects are an error, since a 307 would carry the login elsewhere. Proxies set in the environment are
ignored. The body is bounded twice: as sent, and as decoded, should a device compress although it was asked not to.
"""

import errno
import http.client
import io
import os
import select
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from camera_hub.cameras.reach import Check, nowhere_local
from camera_hub.errors import HubError, Kind, Reason

_SLICE = 0.25
"""Seconds that a receive may block before the stop flag is checked again."""


@dataclass(frozen=True, slots=True)
class PinnedPeer:
    """Where the device is reached. `address` is the IP that `host` was resolved to once; no other is connected to.

    `check` is asked right before each connect.
    """

    host: str
    address: str
    port: int
    tls: bool = False
    check: Check = nowhere_local

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def url(self, path: str) -> str:
        return f"{'https' if self.tls else 'http'}://{self.authority}{path}"


class Deadline:
    """Seconds left for one operation, and whether it was abandoned. Shared between the event loop and the thread."""

    def __init__(self, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._end = monotonic() + seconds
        self._stopped = threading.Event()

    def stop(self) -> None:
        self._stopped.set()

    @property
    def left(self) -> float:
        return 0.0 if self._stopped.is_set() else max(0.0, self._end - self._monotonic())

    def within(self, seconds: float) -> "Deadline":
        """A deadline of at most that many seconds that ends no later than this one, and stops with it."""
        inner = Deadline(min(seconds, self.left), self._monotonic)
        inner._stopped = self._stopped
        return inner

    def check(self) -> None:
        if self.left <= 0:
            raise HubError(Kind.TIMEOUT, "the device did not answer in time", reason=Reason.TIMED_OUT)


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer, in the shape that zeep expects."""

    status_code: int
    headers: Message
    content: bytes = field(repr=False)
    encoding: str = "utf-8"


class _Received(io.RawIOBase):
    """The receiving side of a socket, under a deadline for all reads together."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            self._deadline.check()
            self._sock.settimeout(max(0.001, min(_SLICE, self._deadline.left)))
            try:
                return self._sock.recv_into(buffer)
            except TimeoutError:
                continue


class _Socket:
    """What http.client needs from a socket."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def makefile(self, *_: object, **__: object) -> io.BufferedReader:
        return io.BufferedReader(_Received(self._sock, self._deadline))

    def sendall(self, data: bytes) -> None:
        self._deadline.check()
        self._sock.settimeout(max(0.001, self._deadline.left))
        self._sock.sendall(data)

    def close(self) -> None:
        """Nothing: http.client closes before the body is read. `request` closes the socket itself."""


def request(
    peer: PinnedPeer, method: str, path: str, body: bytes, headers: dict[str, str], *, deadline: Deadline, limit: int
) -> Reply:
    """Send one request on its own connection and read the answer. Raises HubError with a Reason."""
    sock = _connected(peer, deadline)
    connection = http.client.HTTPConnection(peer.host, peer.port)
    connection.sock = _Socket(sock, deadline)
    try:
        connection.request(
            method,
            path,
            body=body or None,
            # As bytes: http.client would write Latin-1, and a user name may be Chinese (UTF-8 according to RFC 7616).
            headers={
                name: value.encode()
                for name, value in {
                    "Host": peer.authority,
                    "User-Agent": "camera-hub",
                    "Accept-Encoding": "identity",
                    "Connection": "close",
                    **headers,
                }.items()
            },
        )
        answer = connection.getresponse()
        if 300 <= answer.status < 400:
            raise HubError(
                Kind.UNREACHABLE,
                "the device redirects to another address, which is not followed; register that address instead",
                reason=Reason.REDIRECTED,
            )
        content = _body(answer, limit)
    except TimeoutError as error:
        raise HubError(Kind.TIMEOUT, "the device did not answer in time", reason=Reason.TIMED_OUT) from error
    except (http.client.HTTPException, ValueError, zlib.error) as error:
        raise HubError(
            Kind.UNREACHABLE, f"the device's answer is not HTTP ({type(error).__name__})", reason=Reason.BAD_REPLY
        ) from error
    except OSError as error:
        raise HubError(
            Kind.UNREACHABLE, f"the device dropped the connection: {error.strerror}", reason=Reason.UNREACHABLE
        ) from error
    finally:
        sock.close()
    return Reply(answer.status, answer.headers, content)


def _connected(peer: PinnedPeer, deadline: Deadline) -> socket.socket:
    deadline.check()
    peer.check(peer.address, peer.port)
    family = socket.AF_INET6 if ":" in peer.address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        error = sock.connect_ex((peer.address, peer.port))
        if error == errno.EINPROGRESS:
            poll = select.poll()
            poll.register(sock, select.POLLOUT)
            while not poll.poll(1000 * min(_SLICE, deadline.left)):
                if deadline.left <= 0:
                    raise HubError(Kind.TIMEOUT, "the device cannot be reached in time", reason=Reason.UNREACHABLE)
            error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error == errno.ECONNREFUSED:
            raise HubError(Kind.UNREACHABLE, f"port {peer.port} of the device is closed", reason=Reason.PORT_CLOSED)
        if error:
            raise HubError(
                Kind.UNREACHABLE, f"the device cannot be reached: {os.strerror(error)}", reason=Reason.UNREACHABLE
            )
        sock.settimeout(max(0.001, deadline.left))
    except BaseException:
        sock.close()
        raise
    if not peer.tls:
        return sock
    # Cameras have self-signed certificates; TLS protects against eavesdropping here, it does not prove identity.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        return context.wrap_socket(sock)
    except OSError as failure:
        sock.close()
        raise HubError(Kind.UNREACHABLE, "TLS with the device failed", reason=Reason.TLS_FAILED) from failure


def _body(answer: http.client.HTTPResponse, limit: int) -> bytes:
    too_large = HubError(
        Kind.UNREACHABLE, f"the device's answer is over {limit // 1024} KiB", reason=Reason.REPLY_TOO_LARGE
    )
    length = answer.headers.get("Content-Length", "")
    if length.isdigit() and int(length) > limit:
        raise too_large
    content = answer.read(limit + 1)
    if len(content) > limit:
        raise too_large
    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return content
    if encoding not in ("gzip", "deflate"):
        raise HubError(Kind.UNREACHABLE, "the device's answer has an unknown content encoding", reason=Reason.BAD_REPLY)
    inflate = zlib.decompressobj(wbits=47 if encoding == "gzip" else 15)
    plain = inflate.decompress(content, limit + 1)
    if len(plain) > limit:
        raise too_large
    return plain
