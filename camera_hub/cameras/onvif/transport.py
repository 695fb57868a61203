"""Replaces zeep's transport: posts envelopes to one pinned device and authenticates the way the device asks for.

The first protected call goes out without a login; the answer says which scheme is wanted (401 + Digest, or 400 with
ter:NotAuthorized for UsernameToken; the Core specification forbids both at once). The choice is kept for the rest of
the conversation. After a refusal there is at most one more attempt, with the other scheme if the device offered it.
"""

import copy
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal, NoReturn

from lxml import etree

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.onvif import faults
from camera_hub.cameras.onvif.exchange import Deadline, PinnedPeer, Reply, request
from camera_hub.cameras.onvif.username_token import username_token
from camera_hub.errors import HubError, Kind
from camera_hub.http_auth import Authenticator, AuthOutcome

SOAP = "http://www.w3.org/2003/05/soap-envelope"
SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"


class SoapConversation:
    """One operation's calls to one device. `post_xml` and `load` are what zeep requires of a transport.

    `accepted` is called, in the thread, when the device accepts the login. `clock_offset_s` (device minus hub) is set
    once the device's clock was read; UsernameTokens are signed with it.
    """

    def __init__(
        self,
        peer: PinnedPeer,
        login: DeviceLogin | None,
        *,
        deadline: Deadline,
        per_call: float,
        limit: int,
        now: Callable[[], datetime],
        accepted: Callable[[], object] | None = None,
    ) -> None:
        self.peer = peer
        self.deadline = deadline
        self._login = login
        self._per_call = per_call
        self._limit = limit
        self.clock_offset_s: float | None = None
        self._now = now
        self._accepted = accepted
        self._mode: Literal["none", "digest", "token"] = "none"
        self._digest = Authenticator(login.username, login.password, basic=False) if login else None

    def load(self, url: str) -> NoReturn:
        """zeep's hook to load documents that an answer names; none are ever loaded."""
        raise HubError(Kind.INTERNAL, "nothing is loaded from the network")

    def post_xml(self, address: str, envelope: etree._Element, headers: dict[str, str]) -> Reply:
        """Post the envelope to the path of `address` (host and port are the pinned ones). Raises HubError."""
        path = address.removeprefix(self.peer.url(""))
        reply = self._sent(path, envelope, headers)
        words = said(reply)
        if faults.wants_login(reply.status_code, words):
            reply = self._proved(path, envelope, headers, reply, words)
        if (error := faults.of_status(reply.status_code)) is not None:
            raise error
        if reply.status_code != 200 and not (words := said(reply)):
            raise faults.bad_reply(f"HTTP {reply.status_code} without a SOAP fault")
        return reply

    def _proved(self, path: str, envelope: etree._Element, headers: dict[str, str], reply: Reply, words: str) -> Reply:
        if self._digest is None:
            raise faults.refused(words, tried=False)
        tried: list[str] = []
        while True:
            outcome = self._digest.unauthorized(_challenges(reply))
            unanswerable = outcome is AuthOutcome.UNANSWERABLE
            if outcome is AuthOutcome.TRY and tried.count("digest") < 2:
                self._mode = "digest"
            elif unanswerable and "token" not in tried and not (tried and reply.status_code == 401):
                self._mode = "token"
            else:
                raise faults.refused(words, tried=True)
            tried.append(self._mode)
            reply = self._sent(path, envelope, headers)
            words = said(reply)
            if not faults.wants_login(reply.status_code, words):
                self._digest.accepted()
                if self._accepted is not None:
                    self._accepted()
                return reply

    def _device_time(self) -> datetime:
        return self._now() + timedelta(seconds=self.clock_offset_s or 0.0)

    def _sent(self, path: str, envelope: etree._Element, headers: dict[str, str]) -> Reply:
        headers = dict(headers)
        if self._mode == "token" and self._login is not None:
            envelope = _signed(envelope, username_token(self._login, self._device_time(), secrets.token_bytes(16)))
        elif self._mode == "digest" and self._digest is not None:
            headers["Authorization"] = self._digest.authorization("POST", path, secrets.token_hex(8)) or ""
        body = etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")
        deadline = self.deadline.within(self._per_call)
        return request(self.peer, "POST", path, body, headers, deadline=deadline, limit=self._limit)


def _challenges(reply: Reply) -> list[str]:
    """The WWW-Authenticate headers; a realm in Chinese is UTF-8, which http.client reads as Latin-1."""
    headers = []
    for header in reply.headers.get_all("WWW-Authenticate") or []:
        try:
            headers.append(header.encode("latin-1").decode())
        except UnicodeError:
            headers.append(header)
    return headers


def parsed(content: bytes) -> etree._Element:
    """The root of an answer, parsed without DTD, entities, network access or huge trees. Raises HubError(BAD_REPLY)."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True)
    try:
        root: etree._Element | None = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise faults.bad_reply("no XML") from error
    if root is None:
        raise faults.bad_reply("no XML")
    docinfo: Any = root.getroottree().docinfo
    if docinfo.doctype:
        raise faults.bad_reply("it declares a document type")
    return root


def said(reply: Reply) -> str:
    """Code, subcodes and reason of the SOAP fault in an answer; "" when there is none."""
    if reply.status_code == 200 and b"Fault" not in reply.content:
        return ""
    try:
        root = parsed(reply.content)
    except HubError:
        return ""
    fault = next(root.iter(f"{{{SOAP}}}Fault", f"{{{SOAP11}}}Fault"), None)
    if fault is None:
        return ""
    return " ".join(text.strip() for text in map(str, fault.itertext()) if text.strip())[:2000]


def _signed(envelope: etree._Element, security: etree._Element) -> etree._Element:
    envelope = copy.deepcopy(envelope)
    space = etree.QName(envelope).namespace
    header = envelope.find(f"{{{space}}}Header")
    if header is None:
        header = etree.Element(f"{{{space}}}Header")
        envelope.insert(0, header)
    header.append(security)
    return envelope
