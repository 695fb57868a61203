"""One connection to a device: one request and its answer at a time. h11 does the framing, with every liberty mended."""

import asyncio
import ssl
from dataclasses import dataclass
from functools import lru_cache

import h11

from camera_hub.cameras.http.bodies import IncomingBody
from camera_hub.cameras.http.byte_stream import ByteStream
from camera_hub.cameras.http.deadline import Deadline
from camera_hub.cameras.http.endings import Ending
from camera_hub.cameras.http.heads import mended
from camera_hub.cameras.http.messages import HttpLimits, HttpPeer, HttpReply, HttpRequest, bad_reply, too_large
from camera_hub.cameras.reach import Check
from camera_hub.errors import HubError, Kind, Reason

_INTERIM = 8
"""Answers of 1xx (100 Continue above all) before the real one."""
_CHUNK_BEGINS = {b"", *(b"%c" % digit for digit in b"0123456789abcdefABCDEF\r\n ")}
_NOT_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"}


class NothingReceived(Exception):
    """The connection ended before a single byte of an answer."""


class PlainAnswer(Exception):
    """The answer to a TLS handshake is not TLS: the port speaks plain HTTP."""


async def dial(peer: HttpPeer, deadline: Deadline, check: Check) -> "HttpConnection":
    """Connect to the pinned address, if `check` allows it. Raises HubError (what that raises, PORT_CLOSED, UNREACHABLE,
    TLS_FAILED), PlainAnswer."""
    stream = await open_stream(peer.address, peer.port, deadline, check)
    if peer.secure:
        try:
            async with asyncio.timeout(deadline.left):
                await stream.start_tls(_tls_context(), peer.host)
        except BaseException as error:
            stream.close()
            if isinstance(error, ssl.SSLError) and (error.reason or "") in _NOT_TLS:
                raise PlainAnswer from error
            if isinstance(error, OSError):  # a timeout among them
                raise HubError(Kind.UNREACHABLE, "TLS with the device failed", reason=Reason.TLS_FAILED) from error
            raise
    return HttpConnection(stream, peer)


async def open_stream(address: str, port: int, deadline: Deadline, check: Check) -> ByteStream:
    """A TCP connection to that IP address, if `check` allows it. Raises HubError (what that raises, PORT_CLOSED,
    UNREACHABLE)."""
    check(address, port)
    deadline.check()
    try:
        async with asyncio.timeout(deadline.left):
            _, stream = await asyncio.get_running_loop().create_connection(ByteStream, address, port)
    except TimeoutError as error:
        raise HubError(Kind.TIMEOUT, "the device cannot be reached in time", reason=Reason.UNREACHABLE) from error
    except ConnectionRefusedError as error:
        raise HubError(
            Kind.UNREACHABLE, f"port {port} of the device is closed", reason=Reason.PORT_CLOSED, port=port
        ) from error
    except OSError as error:
        words = error.strerror or type(error).__name__
        raise HubError(Kind.UNREACHABLE, f"the device cannot be reached: {words}", reason=Reason.UNREACHABLE) from error
    return stream


class HttpConnection:
    """`kept`: whether another request may follow on it."""

    def __init__(self, stream: ByteStream, peer: HttpPeer) -> None:
        self._stream = stream
        self._h11 = h11.Connection(h11.CLIENT)
        self.peer = peer
        self.used = False

    @property
    def kept(self) -> bool:
        return self._stream.quiet and self._h11.our_state is h11.IDLE

    def close(self) -> None:
        self._stream.close()

    async def exchange(self, request: HttpRequest, ending: Ending, limits: HttpLimits) -> HttpReply:
        """Send the request and read the answer; the caller sets the deadline.

        The connection is closed unless it is `kept` afterwards. Raises HubError (BAD_REPLY, REPLY_TOO_LARGE,
        UNREACHABLE), NothingReceived, TlsAnswer.
        """
        try:
            self._stream.write(self._written(request))
            answer, rest = await self._head()
            reply = await self._body(answer, rest, ending, limits)
        except OSError as error:
            raise HubError(
                Kind.UNREACHABLE,
                f"the device dropped the connection: {error.strerror or type(error).__name__}",
                reason=Reason.UNREACHABLE,
            ) from error
        finally:
            self.used = True
            over = self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE
            if over and self._stream.quiet and not self._h11.trailing_data[0]:
                self._h11.start_next_cycle()
            else:
                self.close()
        return reply

    def _written(self, request: HttpRequest) -> bytes:
        headers = {
            "Host": self.peer.authority,
            "User-Agent": "camera-hub",
            "Accept-Encoding": "identity",
            **({"Content-Length": str(len(request.body))} if request.body or request.method == "POST" else {}),
            **request.headers,
        }
        # As UTF-8: a user name may be Chinese (RFC 7616 section 3.4).
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        try:
            events = (
                h11.Request(method=request.method, target=request.path.encode(), headers=encoded),
                h11.Data(data=request.body),
                h11.EndOfMessage(),
            )
            return b"".join(self._h11.send(event) or b"" for event in events)
        except h11.LocalProtocolError as error:
            raise HubError(Kind.INVALID, "this cannot be sent over HTTP") from error

    async def _head(self) -> tuple["_ReplyHead", bytes]:
        received = b""
        for _ in range(_INTERIM + 1):
            while (head := mended(received)) is None:
                try:
                    data = await self._stream.read()
                except OSError:
                    if not received:
                        raise NothingReceived from None
                    raise
                if not data:
                    if received:
                        raise bad_reply("it ends within the header" if b"HTTP/" in received else "no HTTP")
                    raise NothingReceived
                received += data
            self._h11.receive_data(head.head)
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError as error:
                raise bad_reply("its header cannot be understood") from error
            if isinstance(event, h11.Response):
                headers = tuple((_text(name), _text(value)) for name, value in event.headers)
                return _ReplyHead(event.status_code, headers, head.wrong_length), head.rest
            received = head.rest
        raise bad_reply("it answers provisionally for ever")

    async def _body(self, answer: "_ReplyHead", rest: bytes, ending: Ending, limits: HttpLimits) -> HttpReply:
        body = IncomingBody(answer.first("content-encoding"), limits.reply_bytes, ending)
        chunked = answer.first("transfer-encoding") == "chunked"
        framed = chunked or bool(answer.first("content-length"))
        # An error says what it has to say in its head; a body without framing may never end.
        quiet = limits.quiet if answer.status != 200 or not framed else None
        framing = "length" if answer.wrong_length else ""
        unread: bytes | None = b""  # what framing does not account for
        seen = bytearray(rest)  # empty again once the body is understood
        if rest:
            self._h11.receive_data(rest)
        while True:
            if chunked and bytes(seen[:1]) not in _CHUNK_BEGINS:  # it says that it sends chunks, and does not
                framing, unread = "chunked", bytes(seen)
                break
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError:
                framing = framing or ("chunked" if chunked else "long")
                unread = self._h11.trailing_data[0] if body.content else bytes(seen)
                break
            if isinstance(event, h11.Data):
                body.add(bytes(event.data))
                seen.clear()
            elif isinstance(event, h11.EndOfMessage):
                unread = self._h11.trailing_data[0]
                break
            elif event is h11.NEED_DATA:
                data = await self._more(limits.tail if body.ended else quiet)
                if data is None:  # nothing more comes, or nothing more is needed
                    framing = framing or ("chunked" if chunked else "long" if framed else "")
                    unread = None
                    break
                if not body.content:
                    seen += data
                    if len(seen) > limits.reply_bytes:
                        raise too_large(limits.reply_bytes)
                self._h11.receive_data(data)
            else:
                raise bad_reply("it changes its protocol")
        if not body.ended and int(answer.first("content-length") or 0) > limits.reply_bytes:
            raise too_large(limits.reply_bytes)
        if unread is not None and (body.cut or (unread and not body.content)):
            framing = await self._remainder(body, unread, limits) or framing
        return HttpReply(answer.status, answer.headers, bytes(body.content), framing)

    async def _remainder(self, body: IncomingBody, unread: bytes, limits: HttpLimits) -> str:
        """Read on behind the announced end while the contents are not complete; "short" where there is more."""
        data: bytes | None = unread
        more = False
        while data is not None:
            if data:
                more = True
                body.add(data)
            if body.ended:
                break
            data = await self._more(limits.quiet) or None
        if more:
            self.close()
        return "short" if more else ""

    async def _more(self, seconds: float | None) -> bytes | None:
        """The next bytes, b"" at the end of the connection; None when nothing comes for so long."""
        try:
            async with asyncio.timeout(seconds):
                return await self._stream.read()
        except TimeoutError:
            return None
        except OSError:
            return b""  # reset: what came before it counts


@dataclass(frozen=True, slots=True)
class _ReplyHead:
    status: int
    headers: tuple[tuple[str, str], ...]
    wrong_length: bool

    def first(self, name: str) -> str:
        return next((value for one, value in self.headers if one == name), "")


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


@lru_cache(maxsize=1)
def _tls_context() -> ssl.SSLContext:
    """Cameras have self-signed certificates with short keys and old TLS: it protects against eavesdropping, as far as
    the device can, and proves nobody's identity. The alternative is plain HTTP."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context
