"""Asking devices over HTTP: connections that are kept, the scheme that each device speaks, redirects.

A redirect is followed in one case alone: from plain HTTP to TLS of the same host. It is tried afresh there, and nothing
that carries a login follows it. What was found out (TLS alone, wrong lengths) is remembered per address and port.
"""

import asyncio
import re
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Self
from urllib.parse import urlsplit

from camera_hub.cameras.http.connection import HttpConnection, NothingReceived, PlainAnswer, dial
from camera_hub.cameras.http.deadline import Deadline
from camera_hub.cameras.http.endings import AS_FRAMED, Ending
from camera_hub.cameras.http.heads import TlsAnswer
from camera_hub.cameras.http.messages import HttpLimits, HttpPeer, HttpReply, HttpRequest, bad_reply
from camera_hub.cameras.reach import Check
from camera_hub.errors import HubError, Kind, Reason

KEPT_PER_DEVICE = 2
KEPT = 256
_REMEMBERED = 4096
_HOPS = 3
"""From plain to TLS, and back where TLS was only guessed from the port."""
_WANTS_TLS = re.compile(rb"plain.{0,20}http.{0,40}(https|ssl|tls)|(https|ssl|tls).{0,40}(required|only)", re.I | re.S)

_Key = tuple[str, str, int]


class TlsNeeded(Exception):
    """A signed request met a device that wants TLS: sign again, for the peer that is known now."""


@dataclass(slots=True)
class _DeviceTraits:
    """`secure`: the peer to use in place of the one named. `plain`: TLS was refused."""

    secure: HttpPeer | None = None
    plain: bool = False
    wrong_lengths: bool = False


@dataclass(slots=True)
class _Kept:
    connection: HttpConnection
    expiry: asyncio.TimerHandle = field(repr=False)


class DeviceHttp:
    """Kept connections and what is known of each device. An async context manager; leaving closes the connections."""

    def __init__(self, limits: HttpLimits | None = None) -> None:
        self._limits = limits or HttpLimits()
        self._kept: OrderedDict[HttpPeer, list[_Kept]] = OrderedDict()
        self._count = 0
        self._busy: set[HttpConnection] = set()
        self._traits: OrderedDict[_Key, _DeviceTraits] = OrderedDict()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in self._busy:
            connection.close()
        for kept in self._kept.values():
            for one in kept:
                one.expiry.cancel()
                one.connection.close()
        self._kept.clear()
        self._count = 0

    def tls_port(self, peer: HttpPeer) -> int | None:
        """The port at which the device wants TLS though plain HTTP was tried, None if it does not."""
        found = self._traits.get(_key(peer), _DeviceTraits())
        return found.secure.port if found.secure is not None else None

    def known(self, peer: HttpPeer, tls_port: int) -> None:
        """It was learnt before that the device wants TLS, at that port."""
        self._trait(peer).secure = replace(peer, port=tls_port, tls=True)

    async def exchange(
        self, peer: HttpPeer, request: HttpRequest, deadline: Deadline, *, check: Check, ending: Ending = AS_FRAMED
    ) -> HttpReply:
        """The device's answer, whatever its status, except for redirects. Raises HubError with a Reason, TlsNeeded."""
        for _ in range(_HOPS):
            actual = self._actual(peer)
            try:
                reply = await self._asked(actual, request, deadline, check, ending)
            except TlsAnswer:
                self._secured(peer, actual, actual.port)
            except PlainAnswer as error:
                self._opened(peer, error)
                continue
            except NothingReceived as error:
                if actual.secure or request.signed or not await self._speaks_tls(actual, deadline, check):
                    raise bad_reply("it closes the connection without an answer") from error
                self._secured(peer, actual, actual.port)
            else:
                if reply.framing:
                    self._trait(peer).wrong_lengths = True
                port = _upgrade(actual, reply)
                if port is None:
                    return reply
                self._secured(peer, actual, port)
            if request.signed:
                raise TlsNeeded
        raise _redirected()

    async def _speaks_tls(self, peer: HttpPeer, deadline: Deadline, check: Check) -> bool:
        """Whether the port, which hung up on a plain request, accepts TLS."""
        try:
            connection = await dial(replace(peer, tls=True), deadline, check)
        except (HubError, PlainAnswer):
            return False
        self._keep(connection)
        return True

    async def _asked(
        self, peer: HttpPeer, request: HttpRequest, deadline: Deadline, check: Check, ending: Ending
    ) -> HttpReply:
        if peer in self._kept:  # it may have been opened for somebody else, or before the ranges were changed
            check(peer.address, peer.port)
        connection = self._take(peer) if request.safe else None
        if connection is not None:
            try:
                return await self._on(connection, request, deadline, ending)
            except NothingReceived:
                pass  # the device had given it up meanwhile
        return await self._on(await dial(peer, deadline, check), request, deadline, ending)

    async def _on(
        self, connection: HttpConnection, request: HttpRequest, deadline: Deadline, ending: Ending
    ) -> HttpReply:
        limits = self._limits
        traits = self._traits.get(_key(connection.peer))
        if traits is not None and traits.wrong_lengths:
            limits = replace(limits, tail=0.0)
        self._busy.add(connection)
        try:
            async with deadline.limit():
                reply = await connection.exchange(request, ending, limits)
        except BaseException:
            connection.close()
            raise
        finally:
            self._busy.discard(connection)
        if connection.kept:
            self._keep(connection)
        return reply

    def _take(self, peer: HttpPeer) -> HttpConnection | None:
        kept = self._kept.get(peer, [])
        while kept:
            one = kept.pop()
            self._count -= 1
            one.expiry.cancel()
            if one.connection.kept:
                return one.connection
            one.connection.close()
        self._kept.pop(peer, None)
        return None

    def _keep(self, connection: HttpConnection) -> None:
        kept = self._kept.setdefault(connection.peer, [])
        self._kept.move_to_end(connection.peer)
        expiry = asyncio.get_running_loop().call_later(self._limits.idle, self._expire, connection)
        kept.append(_Kept(connection, expiry))
        self._count += 1
        if len(kept) > KEPT_PER_DEVICE:
            self._drop(connection.peer)
        while self._count > KEPT:
            self._drop(next(iter(self._kept)))

    def _drop(self, peer: HttpPeer) -> None:
        """Close the oldest of a device's kept connections."""
        kept = self._kept[peer]
        one = kept.pop(0)
        self._count -= 1
        one.expiry.cancel()
        one.connection.close()
        if not kept:
            del self._kept[peer]

    def _expire(self, connection: HttpConnection) -> None:
        kept = self._kept.get(connection.peer, [])
        left = [one for one in kept if one.connection is not connection]
        self._count -= len(kept) - len(left)
        connection.close()
        if left:
            self._kept[connection.peer] = left
        else:
            self._kept.pop(connection.peer, None)

    def _actual(self, peer: HttpPeer) -> HttpPeer:
        known = self._traits.get(_key(peer), _DeviceTraits())
        if known.secure is not None and not peer.secure:
            return replace(known.secure, host=peer.host)
        if known.plain and peer.tls is None:
            return replace(peer, tls=False)
        return replace(peer, tls=peer.secure)

    def _secured(self, peer: HttpPeer, actual: HttpPeer, port: int) -> None:
        if actual.secure:
            raise _redirected()
        self._trait(peer).secure = replace(actual, port=port, tls=True)

    def _opened(self, peer: HttpPeer, error: Exception) -> None:
        traits = self._trait(peer)
        if peer.tls is not None or traits.secure is not None or traits.plain:
            raise HubError(
                Kind.UNREACHABLE, "TLS with the device failed: the port speaks plain HTTP", reason=Reason.TLS_FAILED
            ) from error
        traits.plain = True

    def _trait(self, peer: HttpPeer) -> _DeviceTraits:
        key = _key(peer)
        traits = self._traits.setdefault(key, _DeviceTraits())
        self._traits.move_to_end(key)
        while len(self._traits) > _REMEMBERED:
            self._traits.popitem(last=False)
        return traits


def _key(peer: HttpPeer) -> _Key:
    return peer.host, peer.address, peer.port


def _upgrade(peer: HttpPeer, reply: HttpReply) -> int | None:
    """The port of the same host at which the device wants to be asked over TLS, None for a usable answer.

    Raises HubError(REDIRECTED) for any other redirect.
    """
    if not peer.secure and reply.status in (400, 403, 426, 497) and _WANTS_TLS.search(reply.body[:4096]):
        return peer.port
    if not 300 <= reply.status < 400:
        return None
    location = reply.first("location").strip()
    try:
        parts = urlsplit(location)
        host, port = (parts.hostname or "").strip("[]"), parts.port or 443
    except ValueError:
        raise _redirected() from None
    same = host in ("", peer.host.lower(), peer.address)
    if peer.secure or parts.scheme.lower() != "https" or not same or "@" in parts.netloc:
        raise _redirected()
    return port


def _redirected() -> HubError:
    return HubError(
        Kind.UNREACHABLE,
        "the device redirects to another address, which is not followed; register that address instead",
        reason=Reason.REDIRECTED,
    )
