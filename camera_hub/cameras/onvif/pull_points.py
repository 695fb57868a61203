"""Subscriptions to a device's events (ONVIF Core, section 9): create, pull, renew, unsubscribe.

Written by hand as Media2 is: messages carry any content, so that zeep's types of them say nothing, and parsing their
WSDL would cost memory for four calls. A subscription is one conversation: its login is tried once for all its calls,
and a refusal in its middle counts as one. It does not hold the device's lock (a pull takes half a minute).

A device has few pull points, and forgets a subscription only when its time is over: what was created is unsubscribed
however the block ends, also where leaving came while it was being created, and the life asked for is short, so that a
crash leaves nothing for longer than that.
"""

import asyncio
import copy
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol, Self

from lxml import etree

from camera_hub.cameras import addresses, urls
from camera_hub.cameras.credentials.login_budget import Attempt, LoginBudget
from camera_hub.cameras.http.deadline import Deadline
from camera_hub.cameras.http.device_http import DeviceHttp
from camera_hub.cameras.http.messages import HttpLimits, HttpPeer, bad_reply
from camera_hub.cameras.onvif.conversation import KnownDevice, SoapConversation
from camera_hub.cameras.onvif.device import OnvifDevice
from camera_hub.cameras.onvif.envelopes import SOAP, Envelope, child, text_of
from camera_hub.cameras.onvif.lasting import LastingLine, LastingTry
from camera_hub.cameras.onvif.notifications import Pulled, pulled
from camera_hub.cameras.onvif.targets import OnvifTarget
from camera_hub.cameras.reach import Check, nowhere_local
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason

log = logging.getLogger(__name__)

EVENTS = "http://www.onvif.org/ver10/events/wsdl"
_WSNT = "http://docs.oasis-open.org/wsn/b-2"
_WSA = "http://www.w3.org/2005/08/addressing"
LIFE = 60.0
"""Seconds that a subscription is asked to live beyond the last pull."""
_SHORTEST, _LONGEST = 10.0, 3600.0
MARGIN = 10.0
"""Seconds of life that must be left after the next pull, else it is renewed before."""
SHORT_PULL = 5.0
"""What is asked of a device that refuses a longer pull."""
LEAVE_SECONDS = 3.0
REPLY_BYTES = 512 * 1024
_REFERENCES = 8
_TELLING = (Reason.LOCKED_OUT, Reason.NOT_ACTIVATED)
"""Why a login is refused that was accepted before, where the device says so."""
_REFERENCE_BYTES = 4096


class EventsUnsupported(HubError):
    """The device names no event service."""

    def __init__(self) -> None:
        super().__init__(Kind.UNSUPPORTED, "the device offers no events over ONVIF")


class KnownPeculiarities(Protocol):
    """What is needed of cameras.peculiarities."""

    async def of(self, device_id: int) -> Mapping[str, str]: ...


@dataclass(slots=True)
class _Subscription:
    """Where the subscription is reached, and when it ends on the loop's clock."""

    path: str
    references: tuple[etree._Element, ...]
    ends: float


class _SubscriptionTry(LastingTry):
    """A subscription lasts for hours, and its login may be changed meanwhile: its end says whether it was."""

    def forbidden(self) -> None:
        """Nothing, for that reason."""


class PullPoint:
    """One subscription; `pull` is called again and again."""

    def __init__(self, line: LastingLine, talk: SoapConversation, found: _Subscription, *, absolute: bool) -> None:
        self._line = line
        self._talk = talk
        self._found = found
        self._absolute = absolute
        self._call_seconds = line.seconds
        self._no_renew = False
        self.longest_pull = LIFE
        self.renewals = 0

    async def pull(self, seconds: float, limit: int, wanted: Callable[[tuple[str, ...]], bool]) -> Pulled:
        """Wait up to `seconds` for messages, at most `limit` of them. Raises HubError."""
        seconds = min(seconds, self.longest_pull)
        await self._live_on(seconds)
        try:
            answer = await self._pull(seconds, limit)
        except HubError as error:
            if error.reason != Reason.SOAP_FAULT or self._line.refusals or seconds <= SHORT_PULL:
                raise
            self.longest_pull = SHORT_PULL  # a device may refuse a pull that is longer than it likes
            answer = await self._pull(SHORT_PULL, limit)
        content = answer.content("PullMessagesResponse")
        self._note_end(content)
        return pulled(content, wanted)

    async def synchronize(self) -> None:
        """Have the present state of every property told by the next pulls. Raises HubError."""
        await self._call(EVENTS, "PullPointSubscription/SetSynchronizationPointRequest", "SetSynchronizationPoint")

    async def unsubscribe(self) -> None:
        """Give the pull point back. Raises HubError."""
        await self._call(_WSNT, "SubscriptionManager/UnsubscribeRequest", "Unsubscribe")

    async def _pull(self, seconds: float, limit: int) -> Envelope:
        self._line.seconds = seconds + self._call_seconds
        try:
            return await self._call(
                EVENTS,
                "PullPointSubscription/PullMessagesRequest",
                "PullMessages",
                ("Timeout", f"PT{round(seconds)}S"),
                ("MessageLimit", str(limit)),
            )
        finally:
            self._line.seconds = self._call_seconds

    async def _live_on(self, seconds: float) -> None:
        """Renew a subscription that would end during the next pull. Most are renewed by pulling itself."""
        left = self._found.ends - asyncio.get_running_loop().time()
        if self._no_renew or left >= seconds + MARGIN:
            return
        try:
            answer = await self._call(
                _WSNT,
                "SubscriptionManager/RenewRequest",
                "Renew",
                ("TerminationTime", _termination(self._talk, absolute=self._absolute)),
            )
        except HubError as error:
            if error.reason not in (Reason.SOAP_FAULT, Reason.BAD_REPLY, Reason.ONVIF_OFF) or self._line.refusals:
                raise
            self._no_renew = True  # it is optional: pulling renews, or the subscription ends and another is made
            return
        self.renewals += 1
        self._note_end(answer.content("RenewResponse"))

    def _note_end(self, answer: etree._Element | None) -> None:
        self._found.ends = asyncio.get_running_loop().time() + life_of(answer)

    async def _call(self, space: str, action: str, operation: str, *values: tuple[str, str]) -> Envelope:
        message = _message(space, operation, *values)
        _address(message, f"{space}/{action}", self._found)
        return await self._talk.call(self._found.path, message, f"{space}/{action}")


class PullPoints:
    """Opens subscriptions. An async context manager; leaving closes the connections."""

    def __init__(
        self,
        clock: Clock,
        logins: LoginBudget,
        peculiarities: KnownPeculiarities | None = None,
        *,
        call_seconds: float = 10.0,
        check: Check = nowhere_local,
    ) -> None:
        self._clock = clock
        self._logins = logins
        self._peculiarities = peculiarities
        self._call_seconds = call_seconds
        self._check = check
        self._http = DeviceHttp(HttpLimits(reply_bytes=REPLY_BYTES))
        self.opened = 0
        self.closed = 0
        self.left_open = 0
        """Subscriptions that could not be given back: the device did not answer. They end by themselves."""

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.__aexit__()

    @asynccontextmanager
    async def open(self, target: OnvifTarget) -> AsyncIterator[PullPoint]:
        """A subscription to all topics for the length of the block. Raises HubError: also EventsUnsupported."""
        address = await addresses.resolve(target.host)
        check = target.check or self._check
        check(address, target.port)
        line = LastingLine(
            self._http, HttpPeer(target.host, address, target.port, target.tls), check, self._call_seconds
        )
        known = KnownDevice(clock_offset_s=target.clock_offset_s)
        if self._peculiarities is not None and target.login is not None and target.login.device_id is not None:
            known.take(await self._peculiarities.of(target.login.device_id))
        attempt: Attempt | None = None
        if target.login:
            attempt = await self._logins.begin(self._logins.account(target.login, address, target.port), "onvif")
        try:
            point = await self._opened(line, target, known, attempt)
        except BaseException as error:
            if attempt is not None:
                self._ended(attempt, line, error)
            raise
        try:
            yield point
        except HubError as error:
            if line.refusals:
                if attempt is not None:
                    attempt.refused(error.reason if error.reason in _TELLING else Reason.WRONG_PASSWORD)
                if error.reason not in _TELLING:
                    raise _refused() from error
            raise
        finally:
            try:
                if line.refusals:
                    self.left_open += 1
                else:
                    await self._close(point)
            finally:
                if attempt is not None:
                    attempt.end()

    async def _opened(
        self, line: LastingLine, target: OnvifTarget, known: KnownDevice, attempt: Attempt | None
    ) -> PullPoint:
        trial = _SubscriptionTry(attempt) if attempt is not None else None
        talk = SoapConversation(line, target.login, known, self._clock.now, trial, lambda: False)
        async with Deadline(2 * self._call_seconds).limit():
            path = await self._event_path(talk, target, known)
        making = asyncio.create_task(self._created(line, talk, path), name=f"subscribing at {target.host}")
        try:
            found, absolute = await asyncio.shield(making)
        except asyncio.CancelledError:
            await self._abandoned(line, talk, making)
            raise
        point = PullPoint(line, talk, found, absolute=absolute)
        self.opened += 1
        if attempt is not None and trial is not None and not trial.proved:
            attempt.end()  # it wanted no login: none is sent from now on
            talk = SoapConversation(line, None, known, self._clock.now, None, lambda: False)
            point = PullPoint(line, talk, found, absolute=absolute)
        try:
            await point.synchronize()
        except HubError as error:
            if error.reason not in (Reason.SOAP_FAULT, Reason.BAD_REPLY, Reason.ONVIF_OFF):
                await self._close(point)
                raise
        except BaseException:
            await self._close(point)
            raise
        return point

    async def _event_path(self, talk: SoapConversation, target: OnvifTarget, known: KnownDevice) -> str:
        device = OnvifDevice(talk, target.path)
        before = self._clock.now()
        said = await device.tolerant(device.utc(), None)
        if said is not None:
            known.clock_offset_s = (said - before).total_seconds()
        path = (await device.services()).get(EVENTS)
        if path is None:
            raise EventsUnsupported
        return path

    async def _created(self, line: LastingLine, talk: SoapConversation, path: str) -> tuple[_Subscription, bool]:
        """The subscription, and whether the device wants absolute times."""
        action = f"{EVENTS}/EventPortType/CreatePullPointSubscriptionRequest"
        absolute = False
        while True:
            message = _message(
                EVENTS,
                "CreatePullPointSubscription",
                ("InitialTerminationTime", _termination(talk, absolute=absolute)),
            )
            try:
                answer = await talk.call(path, message, action)
                break
            except HubError as error:
                terminated = error.reason == Reason.SOAP_FAULT and "erminationtime" in error.detail.lower()
                if absolute or line.refusals or not terminated:
                    raise
                absolute = True
        content = answer.content("CreatePullPointSubscriptionResponse")
        reference = child(content, "SubscriptionReference")
        if reference is None:
            raise bad_reply("no SubscriptionReference")
        ends = asyncio.get_running_loop().time() + life_of(content)
        where = urls.service_path(text_of(reference, "Address"), path)
        return _Subscription(where, _references(reference), ends), absolute

    async def _abandoned(
        self, line: LastingLine, talk: SoapConversation, making: "asyncio.Task[tuple[_Subscription, bool]]"
    ) -> None:
        """Leaving came while it was being created: give back what the device has made meanwhile."""
        await asyncio.wait([making], timeout=LEAVE_SECONDS)
        if not making.done():
            making.cancel()
            await asyncio.wait([making])
        if not making.cancelled() and making.exception() is None:
            found, absolute = making.result()
            self.opened += 1
            await self._close(PullPoint(line, talk, found, absolute=absolute))

    async def _close(self, point: PullPoint) -> None:
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                await point.unsubscribe()
        except (HubError, TimeoutError) as error:
            self.left_open += 1
            log.debug("a subscription could not be given back: %s", error)
        else:
            self.closed += 1

    @staticmethod
    def _ended(attempt: Attempt, line: LastingLine, error: BaseException) -> None:
        if isinstance(error, HubError) and line.refusals:
            attempt.refused(error.reason)
        attempt.end()


def life_of(answer: etree._Element | None) -> float:
    """Seconds that a subscription lives by an answer's two times, both by the device's clock, wrong as it may be."""
    begins, ends = moment(text_of(answer, "CurrentTime")), moment(text_of(answer, "TerminationTime"))
    if begins is None or ends is None:
        return LIFE
    return min(max((ends - begins).total_seconds(), _SHORTEST), _LONGEST)


def moment(text: str) -> datetime | None:
    """An xs:dateTime; None for what is none. Without a zone it is taken as UTC: only differences count."""
    try:
        found = datetime.fromisoformat(text[:40])
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _termination(talk: SoapConversation, *, absolute: bool) -> str:
    """When a subscription is to end: in so many seconds, or then by the device's clock."""
    if not absolute:
        return f"PT{round(LIFE)}S"
    at = talk.now() + timedelta(seconds=(talk.device.clock_offset_s or 0.0) + LIFE)
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _message(space: str, operation: str, *values: tuple[str, str]) -> etree._Element:
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"s": SOAP, "a": _WSA, "e": space})
    etree.SubElement(envelope, f"{{{SOAP}}}Header")
    request = etree.SubElement(etree.SubElement(envelope, f"{{{SOAP}}}Body"), f"{{{space}}}{operation}")
    for name, value in values:
        etree.SubElement(request, f"{{{space}}}{name}").text = value
    return envelope


def _address(message: etree._Element, action: str, found: _Subscription) -> None:
    """Name the subscription in the header, as devices that have one path for all subscriptions need it."""
    header = message.find(f"{{{SOAP}}}Header")
    if header is None:
        return
    etree.SubElement(header, f"{{{_WSA}}}Action").text = action
    for one in found.references:
        header.append(copy.deepcopy(one))


def _references(reference: etree._Element) -> tuple[etree._Element, ...]:
    """The reference parameters, which are sent back with each call (WS-Addressing 1.0, section 3.3), bounded."""
    parameters = child(reference, "ReferenceParameters")
    kept = []
    for one in list(parameters if parameters is not None else ())[:_REFERENCES]:
        if isinstance(one.tag, str) and len(etree.tostring(one)) <= _REFERENCE_BYTES:
            one = copy.deepcopy(one)
            one.tail = None
            one.set(f"{{{_WSA}}}IsReferenceParameter", "true")
            kept.append(one)
    return tuple(kept)


def _refused() -> HubError:
    return HubError(
        Kind.UNREACHABLE,
        "the device refuses a login that it accepted before; enter the new one",
        reason=Reason.WRONG_PASSWORD,
    )
