"""The client's ICE agent over one connected UDP socket: controlling, one candidate pair, consent (RFC 8445, 7675).

It works with ICE-lite (which only answers) and full ICE (whose own checks are answered here). `role`, `state`, `_recv`
and `_send` are what aiortc's RTCDtlsTransport needs of an ICE transport.
"""

import asyncio
import secrets
import socket
from collections import deque

from aioice import stun

from camera_hub.bench.sdp import Remote
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind

_PRIORITY = 1853824767
_EVERY = 0.1
_QUEUE = 64
_ROLE_CONFLICT = 487


class IceEnd:
    """One viewer's ICE agent. `received` is called with each STUN datagram, `datagram` with each DTLS datagram."""

    role = "controlling"  # for aiortc; a server that insists on controlling gets that role
    state = "completed"

    def __init__(self, own: socket.socket, clock: Clock) -> None:
        self.ufrag = secrets.token_hex(4)
        self.password = secrets.token_hex(16)
        self.answered = asyncio.Event()
        self._socket = own
        self._clock = clock
        self._remote: Remote | None = None
        self._tie = int.from_bytes(secrets.token_bytes(8), "big")
        self._queue: deque[bytes] = deque(maxlen=_QUEUE)
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False
        self._controlling = True

    async def connect(self, remote: Remote, deadline: float) -> None:
        """Send checks until the server answers. Raises HubError(TIMEOUT)."""
        self._remote = remote
        self._socket.connect((remote.address, remote.port))
        end = self._clock.monotonic() + deadline
        while not self.answered.is_set():
            if self._clock.monotonic() > end:
                raise HubError(Kind.TIMEOUT, f"no answer to ICE checks within {deadline:g} s")
            self.check()
            await self._clock.sleep(_EVERY)

    def check(self) -> None:
        """Send one binding request, nominating if we are controlling; repeated every few seconds it keeps consent."""
        assert self._remote is not None
        request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{self._remote.ufrag}:{self.ufrag}"
        request.attributes["PRIORITY"] = _PRIORITY
        if self._controlling:
            request.attributes["ICE-CONTROLLING"] = self._tie
            request.attributes["USE-CANDIDATE"] = None
        else:
            request.attributes["ICE-CONTROLLED"] = self._tie
        request.add_message_integrity(self._remote.password.encode())
        request.add_fingerprint()
        self._out(bytes(request))

    def received(self, data: bytes) -> None:
        """Handle a STUN datagram from the server."""
        try:
            message = stun.parse_message(data)
        except ValueError:
            return
        if message.message_class == stun.Class.RESPONSE:
            self.answered.set()
        elif message.message_class == stun.Class.ERROR:
            if message.attributes.get("ERROR-CODE", (0, ""))[0] == _ROLE_CONFLICT:
                self._controlling = False
        elif message.message_class == stun.Class.REQUEST and message.check_message_integrity(self.password.encode()):
            assert self._remote is not None
            answer = stun.Message(
                message_method=stun.Method.BINDING,
                message_class=stun.Class.RESPONSE,
                transaction_id=message.transaction_id,
            )
            answer.attributes["XOR-MAPPED-ADDRESS"] = (self._remote.address, self._remote.port)
            answer.add_message_integrity(self.password.encode())
            answer.add_fingerprint()
            self._out(bytes(answer))

    def datagram(self, data: bytes) -> None:
        """Handle a DTLS datagram from the server."""
        self._queue.append(data)
        self._wake()

    def close(self) -> None:
        """Close: a waiting `_recv` raises ConnectionError."""
        self._closed = True
        self._wake()

    async def _recv(self) -> bytes:
        while not self._queue:
            if self._closed:
                raise ConnectionError
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._queue.popleft()

    async def _send(self, data: bytes) -> None:
        self._out(data)

    def _out(self, data: bytes) -> None:
        """Send; what cannot be sent is lost, as on a network. Checks, handshakes and reports are all repeated."""
        if not self._closed:
            try:
                self._socket.send(data)
            except OSError:
                return

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
